using Polder.Graph.Model;
using Polder.Graph.Wire;

namespace Polder.Graph.Sync;

/// <summary>
/// A node as gun peers see it: handshake, writes, reads, subscriptions, relay between peers, healing. Frames come in by
/// <see cref="Receive(GraphPeer, string)"/> and go out by <see cref="IGraphLink"/>; sockets are an adapter's matter. On the loop.
/// </summary>
public sealed class GraphHub : IDisposable
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(20);
    private const int BurstSeconds = 100;
    private const string StoreFails = "The write could not be stored.";

    private readonly HashSet<GraphPeer> _peers = [];
    private readonly HeardMessages _heard;
    private readonly Followers _followers;
    private readonly ReadRelay _relay;
    private readonly AskBack _askBack;
    private readonly Acknowledgements _acknowledgements;
    private readonly Meters _meters;
    private readonly ITimer _beat;
    private readonly long _started;

    /// <summary>A hub over a graph.</summary>
    public GraphHub(SharedGraph graph)
    {
        Graph = graph ?? throw new ArgumentNullException(nameof(graph));
        PeerId = RandomNames.Id(graph.Environment.Random);
        _heard = new HeardMessages(graph.Options, graph.Environment.Random);
        _followers = new Followers(graph, NewId);
        _relay = new ReadRelay(graph, _followers, _peers);
        _askBack = new AskBack(graph, _followers, NewId);
        _acknowledgements = new Acknowledgements(graph);
        _meters = new Meters(graph.Options.WrittenPerSecondMax, BurstSeconds * (double)graph.Options.WrittenPerSecondMax);
        _started = graph.Environment.Time.GetTimestamp();
        _beat = graph.Environment.Time.CreateTimer(_ => Beat(), null, Heartbeat, Heartbeat);
    }

    /// <summary>The graph.</summary>
    public SharedGraph Graph { get; }

    /// <summary>The name of this process among gun peers ("pid").</summary>
    public string PeerId { get; }

    /// <summary>Peers that are connected.</summary>
    public IReadOnlyCollection<GraphPeer> Peers => _peers;

    /// <summary>Counts since the start.</summary>
    public GraphCounts Counts => new(_messagesIn, _followers.Pushed, _relay.Count, _askBack.Asked, _askBack.Healed, _dropped);

    private long _messagesIn, _dropped;

    /// <summary>A connection was made, by either side: we say who we are.</summary>
    public GraphPeer Connect(IGraphLink link)
    {
        var peer = new GraphPeer(link, Graph.Environment.Loop);
        _peers.Add(peer);
        peer.Send(MessageText.Hello(NewId(), PeerId, to: null));
        return peer;
    }

    /// <summary>A connection has ended.</summary>
    public void Disconnect(GraphPeer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        peer.IsOpen = false;
        _peers.Remove(peer);
        _followers.Leave(peer);
        AskBack.Leave(peer);
    }

    /// <summary>Takes the text of one frame.</summary>
    public void Receive(GraphPeer peer, string frame)
    {
        var messages = new List<GraphMessage>();
        Receive(peer, FrameReader.Read(frame, Graph.Options, messages), messages, frame?.Length ?? 0);
    }

    /// <summary>Takes a frame that was read elsewhere.</summary>
    internal void Receive(GraphPeer peer, FrameResult result, List<GraphMessage> messages, int characters)
    {
        if (!peer.IsOpen) return;
        if (result == FrameResult.TooLarge)
        {
            TooLarge(peer);
            return;
        }
        foreach (var message in messages) Receive(peer, message, characters / messages.Count);
    }

    /// <summary>A frame was larger than is taken.</summary>
    internal void TooLarge(GraphPeer peer)
    {
        _dropped++;
        peer.Send(MessageText.Complain("Message too big!"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _beat.Dispose();
        _followers.Dispose();
        _relay.Dispose();
        foreach (var peer in _peers.ToList())
        {
            Disconnect(peer);
            peer.Link.Close();
        }
    }

    private TimeSpan Now => Graph.Environment.Time.GetElapsedTime(_started);

    private string NewId() => RandomNames.Id(Graph.Environment.Random);

    private void Receive(GraphPeer peer, GraphMessage message, int characters)
    {
        _messagesIn++;
        peer.MessagesIn++;
        var now = Now;
        var id = message.Id ?? NewId();
        if (!_heard.TryAdd(id.Text, peer, now)
            || (message is { ReplyTo: { } answered, Hash: { } hash } && !_heard.TryAdd(answered.Text, hash, peer, now)))
        {
            _dropped++;
            return;
        }
        if (message.Dam is { } dam) Control(peer, message, id, dam);
        else if (message.Put is { } put)
        {
            if (!peer.Link.IsLocal && !_meters.TryTake(peer.Link.Payer, characters, now)) Answer(peer, id, "Too fast: this address writes more than it may.");
            else if (message.PutFault is { } fault) Answer(peer, id, fault);
            else if (message.ReplyTo is { } asked) TakeAnswer(peer, id, asked, put);
            else TakeWrite(peer, id, put);
        }
        else if (message.HasGet) TakeRead(peer, message, id);
        else if (message.ReplyTo is { } to && (message.Ok is not null || message.Error is not null)) PassOn(peer, message, id, to);
    }

    private void Control(GraphPeer peer, GraphMessage message, MessageId id, string dam)
    {
        // "hi" means nothing, "!" is a complaint, "opt" would make us dial whom a stranger names, others are not known: all ignored.
        if (dam != "?") return;
        if (message.PeerId is { Length: > 0 and <= 64 } name && name != peer.PeerId)
        {
            if (name == PeerId)
            {
                peer.Link.Close();
                return;
            }
            peer.PeerId = name;
            _askBack.Named(peer);
        }
        if (message.ReplyTo is null) peer.Send(MessageText.Hello(NewId(), PeerId, id));
    }

    private void TakeWrite(GraphPeer peer, MessageId id, List<GraphWrite> put)
    {
        Graph.Merge(put, peer, result =>
        {
            if (result.Applied + result.Held > 0) _askBack.Wrote(peer, put);
            if (result.Error is not null) Answer(peer, id, result.Error);
            // What lies wholly in the future is acknowledged when its time has come.
            else if (result is { Applied: 0, Held: > 0 }) Graph.WhenRipe(put, ripe => Settle(peer, id, ripe.Error));
            else Settle(peer, id, null);
        });
    }

    private void TakeAnswer(GraphPeer peer, MessageId id, MessageId asked, List<GraphWrite> put)
    {
        var ours = _askBack.IsOurs(asked.Text, peer);
        var asker = ours ? null : _heard.From(asked.Text);
        _relay.Answered(asked.Text);
        var before = ours ? put.Where(write => Graph.Store.Find(write.Soul, write.Key) is { } entry && entry.State >= write.State).Select(static write => (write.Soul, write.Key)).ToHashSet() : null;
        Graph.Merge(put, peer, result =>
        {
            if (ours)
            {
                _askBack.Healed += result.Applied;
                if (_askBack.Missing(peer, put) is { } missing) peer.Send(MessageText.Push(NewId(), missing));
                _askBack.FollowLinks(peer, put, put.Select(static write => (write.Soul, write.Key)).Where(place => !before!.Contains(place)).ToHashSet());
            }
            else if (asker is not null && asker != peer && asker.IsOpen) PassAnswer(asker, id, asked, put);
            if (result.Error is not null) Answer(peer, id, result.Error);
            else Settle(peer, id, null);
        });
    }

    /// <summary>Hands an answer on to whoever asked: not what came, but what won.</summary>
    private void PassAnswer(GraphPeer asker, MessageId id, MessageId asked, List<GraphWrite> put)
    {
        var text = new PutText();
        foreach (var (soul, key, _, _) in put)
            if (Graph.Find(soul, key) is { } entry) text.Add(soul, key, entry);
        if (!text.IsEmpty) asker.Send(MessageText.Answer(id.Text, asked, text.ToString(), next: null));
    }

    private void PassOn(GraphPeer peer, GraphMessage message, MessageId id, MessageId asked)
    {
        if (_heard.From(asked.Text) is not { IsOpen: true } asker || asker == peer) return;
        asker.Send(message.Error is { } error ? MessageText.Refuse(id.Text, asked, error) : MessageText.Acknowledge(id.Text, asked));
    }

    private void TakeRead(GraphPeer peer, GraphMessage message, MessageId id)
    {
        if (message.Get is not { } get)
        {
            peer.Send(MessageText.NotFound(NewId(), id));
            return;
        }
        _followers.Follow(peer, get);
        var slices = GraphReader.Read(Graph, get);
        string? hash = null;
        if (slices.Count == 0) peer.Send(MessageText.NotFound(NewId(), id));
        else
        {
            if (slices.Count == 1) hash = TextHash.Of(slices[0]).ToString(System.Globalization.CultureInfo.InvariantCulture);
            // The very same is there already: gun.js leaves the answer out too.
            if (hash is null || hash != message.Hash) SendSlices(peer, id, slices);
        }
        if (get.ExactSoul is { } soul) _askBack.Ask(peer, soul);
        if (peer.MayRelay(Now)) _relay.Pass(peer, message.Id is null ? new GraphMessage { Id = id, Served = message.Served } : message, get, hash, found: slices.Count > 0);
    }

    private void SendSlices(GraphPeer peer, MessageId to, List<string> slices)
    {
        var id = NewId();
        for (var i = 0; i < slices.Count; i++)
        {
            var next = i + 1 < slices.Count ? NewId() : null;
            peer.Send(MessageText.Answer(id, to, slices[i], next));
            id = next ?? "";
        }
    }

    private void Settle(GraphPeer peer, MessageId id, string? error)
    {
        if (error is not null) Answer(peer, id, error);
        else if (Graph.Options.Acknowledge) _acknowledgements.WhenDurable(problem => Answer(peer, id, problem is null ? null : StoreFails));
    }

    private void Answer(GraphPeer peer, MessageId id, string? error) =>
        peer.Send(error is null ? MessageText.Acknowledge(NewId(), id) : MessageText.Refuse(NewId(), id, error));

    private void Beat()
    {
        foreach (var peer in _peers) peer.Link.Send("[]");
    }
}

/// <summary>What a hub has done since its start.</summary>
/// <param name="MessagesIn">Messages that came in.</param>
/// <param name="Pushed">Changes pushed to those who follow them.</param>
/// <param name="Relayed">Reads passed on.</param>
/// <param name="AskedBack">Questions back to clients.</param>
/// <param name="Healed">Writes that came in only because they were asked for.</param>
/// <param name="Dropped">Messages dropped as duplicates or too large.</param>
public readonly record struct GraphCounts(long MessagesIn, long Pushed, long Relayed, long AskedBack, long Healed, long Dropped);
