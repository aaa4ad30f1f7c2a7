using Polder.Apps.Contacts;
using Polder.Graph.Exchange;
using Polder.Graph.Sync;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Overlay.Tags;

namespace Polder.Apps.Graphs;

/// <summary>One topic as its owner sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Souls">Nodes in it.</param>
/// <param name="Entries">Entries in it.</param>
/// <param name="IsRead">Whether it has been read from the store; before, nothing is compared.</param>
/// <param name="IsTooLarge">Whether it has more nodes than are exchanged.</param>
/// <param name="Peers">Who keeps it too, as far as they were heard in this run.</param>
public sealed record SharedTopicView(string Name, int Souls, long Entries, bool IsRead, bool IsTooLarge, IReadOnlyList<SharedTopicPeer> Peers);

/// <summary>A peer that keeps a topic too.</summary>
/// <param name="Key">Who.</param>
/// <param name="IsConnected">Whether there is a conversation now.</param>
/// <param name="WasLevel">Whether it held all that is here at some moment of this run.</param>
public sealed record SharedTopicPeer(PublicKey Key, bool IsConnected, bool WasLevel);

/// <summary>
/// The graph between our own nodes: topics that this node keeps are compared and kept level, in sessions, with whoever keeps them too.
/// What is in no topic never leaves by this way. On the loop.
/// </summary>
public sealed class GraphShare
{
    /// <summary>The name of the protocol on streams.</summary>
    public const string ProtocolName = "polder/graph/1";

    /// <summary>Topics kept at most.</summary>
    public const int TopicsMax = 64;

    private const int SoughtPerBeat = 2;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2), SeekAgain = TimeSpan.FromSeconds(60), OtherSideFirst = TimeSpan.FromSeconds(1);

    private readonly NodeHost _host;
    private readonly List<SharedTopic> _topics = [];
    private readonly Dictionary<Session, GraphTalk> _talks = [];
    private readonly HashSet<Session> _mute = [];
    private readonly Dictionary<PublicKey, TimeSpan> _soughtAt = new(PublicKey.Comparer);
    private readonly IStateStore? _store;
    private ITimer? _timer;
    private TaskCompletionSource _copiesChanged = new();

    /// <summary>Takes up the topics of the last run. Offer an <see cref="IStateStore"/> before for topics that outlive the run, and a <see cref="TagService"/> for finding others who keep them.</summary>
    public GraphShare(NodeHost host, SharedGraph graph)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(graph);
        (_host, Graph, _store) = (host, graph, host.Find<IStateStore>());
        host.Streams.Accept(ProtocolName, ServeAsync);
        host.Sessions.Opened += session => _ = OpenAsync(session);
        host.Sessions.Closed += session =>
        {
            _mute.Remove(session);
            if (_talks.TryGetValue(session, out var talk)) talk.End();
        };
        if (_store?.Load(StatePart.GraphTopics) is { } bytes)
            foreach (var name in GraphTopicsFile.Read(bytes)) Add(name);
    }

    /// <summary>The graph.</summary>
    public SharedGraph Graph { get; }

    internal IReadOnlyList<SharedTopic> Topics => _topics;

    /// <summary>Keeps a topic from now on, also after a restart. What is wrong with the name, in words; null when it is kept.</summary>
    public string? Follow(string name)
    {
        if (TopicName.Check(name) is { } bad) return bad;
        if (Find(name) is not null) return null;
        if (_topics.Count >= TopicsMax) return $"At most {TopicsMax} topics are kept. Leave one first.";
        Add(name);
        Save();
        Tell();
        return null;
    }

    /// <summary>Keeps a topic no longer with others; what is here of it stays. False where it was not kept.</summary>
    public bool Leave(string name)
    {
        if (Find(name) is not { } topic) return false;
        _topics.Remove(topic);
        _host.Find<TagService>()?.Leave(TagOf(name));
        Save();
        Tell();
        topic.Dispose();
        return true;
    }

    /// <summary>All topics, in the order of joining.</summary>
    public IReadOnlyList<SharedTopicView> Look() => _topics.ConvertAll(topic => new SharedTopicView(
        topic.Name, topic.Index.Souls.Count, topic.Index.Summary.Count, topic.Index.IsComplete, topic.Index.IsTooLarge,
        [.. topic.Copies.Select(copies => new SharedTopicPeer(copies.Peer, _talks.Values.Any(talk => talk.Stream.Peer.Key == copies.Peer && talk.Shares(topic)), copies.WasLevel))]));

    /// <summary>Names of the topics that a soul is in; none: what is there stays here.</summary>
    public IReadOnlyList<string> TopicsOf(string soul) => [.. _topics.Where(topic => topic.Index.Contains(soul)).Select(static topic => topic.Name)];

    /// <summary>Peers who hold what stands at a key here, as far as this run knows: they said that it is durable there, or compared level since.</summary>
    public IReadOnlyList<PublicKey> HoldersOf(string soul, string key)
    {
        var place = EntryHash.Place(soul, key);
        return [.. _topics.Where(topic => topic.Index.Contains(soul)).SelectMany(static topic => topic.Copies).Where(copies => copies.Has(place)).Select(static copies => copies.Peer).Distinct(PublicKey.Comparer)];
    }

    /// <summary>Waits until at least so many peers hold what stands at a key here; false when the time is over before.</summary>
    public Task<bool> WhenOnAsync(string soul, string key, int peers, TimeSpan patience, CancellationToken cancellation = default) =>
        WhenAsync(() => HoldersOf(soul, key).Count >= peers, patience, cancellation);

    /// <summary>Waits until this peer holds what stands at a key here; false when the time is over before.</summary>
    public Task<bool> WhenConfirmedByAsync(string soul, string key, PublicKey peer, TimeSpan patience, CancellationToken cancellation = default) =>
        WhenAsync(() => HoldersOf(soul, key).Contains(peer, PublicKey.Comparer), patience, cancellation);

    internal void CopiesChanged()
    {
        if (_copiesChanged.Task.IsCompleted) return;
        var told = _copiesChanged;
        _copiesChanged = new TaskCompletionSource();
        told.TrySetResult();
    }

    internal void Ended(GraphTalk talk)
    {
        if (_talks.TryGetValue(talk.Stream.Session, out var present) && present == talk) _talks.Remove(talk.Stream.Session);
    }

    /// <summary>A peer does not speak this protocol: it is not asked again in this session.</summary>
    internal void NoteRefused(GraphTalk talk)
    {
        if (talk.Stream.IsOurs && talk.Stream.BytesRead == 0 && talk.Stream.Session.IsOpen) _mute.Add(talk.Stream.Session);
    }

    private static string TagOf(string name) => "graph-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)).AsSpan(0, 12));

    private SharedTopic? Find(string name) => _topics.Find(topic => topic.Name == name);

    private void Add(string name)
    {
        _topics.Add(new SharedTopic(Graph, name));
        if (_host.Find<TagService>() is { } tags && tags.Look().All(tag => tag.Name != TagOf(name))) tags.Join(TagOf(name));
        _timer ??= _host.Environment.Time.CreateTimer(static self => ((GraphShare)self!).Beat(), this, _host.Environment.Random.NextDuration(Interval), Interval);
    }

    private void Tell()
    {
        foreach (var talk in _talks.Values) talk.TellTopics();
        foreach (var session in _host.Sessions.All.ToArray()) _ = OpenAsync(session);
    }

    private void Beat()
    {
        if (_topics.Count == 0 || _host.Communities.Count == 0)
        {
            _timer?.Dispose();
            _timer = null;
            return;
        }
        foreach (var talk in _talks.Values.ToArray()) talk.Beat();
        foreach (var session in _host.Sessions.All.ToArray())
            if (!_talks.ContainsKey(session)) _ = OpenAsync(session);
        Seek();
        CopiesChanged();
    }

    /// <summary>Connects with members of the topics' tags, and with contacts, a few at a time.</summary>
    private void Seek()
    {
        if (_host.Find<TagService>() is not { } tags) return;
        var names = _topics.Select(static topic => TagOf(topic.Name)).ToHashSet(StringComparer.Ordinal);
        var sought = 0;
        foreach (var key in tags.Look().Where(tag => names.Contains(tag.Name)).SelectMany(static tag => tag.Neighbours))
        {
            if (sought >= SoughtPerBeat) return;
            if (_host.Sessions.Find(key) is not null || (_soughtAt.TryGetValue(key, out var at) && _host.Now - at < SeekAgain)) continue;
            if (_soughtAt.Count > 1000) _soughtAt.Clear();
            _soughtAt[key] = _host.Now;
            sought++;
            _ = _host.Connector.ConnectAsync(key);
        }
    }

    private bool MayTalk(Session session) => session.IsOpen && _topics.Count > 0 && !_talks.ContainsKey(session) && !_mute.Contains(session)
        && _host.Find<ContactBook>()?.IsBlocked(session.Peer.Key) != true && _host.Communities.Count > 0;

    private async Task OpenAsync(Session session)
    {
        if (!MayTalk(session)) return;
        // One stream will do: whoever began the session begins this too.
        if (!session.IsInitiator)
        {
            await Task.Delay(OtherSideFirst, _host.Environment.Time);
            if (!MayTalk(session)) return;
        }
        PeerStream? stream;
        try { stream = await _host.Streams.OpenAsync(session, ProtocolName, priority: 2); }
        catch (PeerStreamException) { return; }
        if (stream is null) return;
        if (!MayTalk(session))
        {
            await stream.DisposeAsync();
            return;
        }
        await TalkAsync(stream);
    }

    private Task ServeAsync(PeerStream stream)
    {
        // Both began at the same moment: the stream of the session's initiator stays.
        if (_host.Find<ContactBook>()?.IsBlocked(stream.Peer.Key) == true || (_talks.TryGetValue(stream.Session, out var present) && stream.Session.IsInitiator && present.Stream.IsOurs)) return Task.CompletedTask;
        if (_talks.Remove(stream.Session, out var ours)) ours.End();
        return TalkAsync(stream);
    }

    private Task TalkAsync(PeerStream stream)
    {
        var talk = new GraphTalk(this, _host, Graph, stream);
        _talks[stream.Session] = talk;
        return talk.RunAsync();
    }

    private async Task<bool> WhenAsync(Func<bool> holds, TimeSpan patience, CancellationToken cancellation)
    {
        var until = _host.Now + patience;
        while (!holds())
        {
            if (_host.Now >= until) return false;
            try { await _copiesChanged.Task.WaitAsync(until - _host.Now, _host.Environment.Time, cancellation); }
            catch (TimeoutException) { }
        }
        return true;
    }

    private void Save() => _ = _store?.SaveAsync(StatePart.GraphTopics, GraphTopicsFile.Write(_topics.ConvertAll(static topic => topic.Name)));
}
