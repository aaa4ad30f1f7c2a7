using Polder.Identity;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Tags;

/// <summary>A tag as it is now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its overlay id.</param>
/// <param name="Budget">What it may cost.</param>
/// <param name="KilobytesPerSecond">What it cost in the last minute, in and out.</param>
/// <param name="BytesIn">Bytes in since it was joined.</param>
/// <param name="BytesOut">Bytes out since it was joined.</param>
/// <param name="BytesRefused">Bytes not sent or not looked at because the budget was used up.</param>
/// <param name="Members">Members known.</param>
/// <param name="Neighbours">Members kept as neighbours.</param>
/// <param name="RowsFilled">Rows of its Kademlia table that a neighbour fills.</param>
public sealed record TagView(
    string Name, CommunityId Id, TagBudget Budget, double KilobytesPerSecond, long BytesIn, long BytesOut, long BytesRefused, int Members,
    IReadOnlyList<PublicKey> Neighbours, int RowsFilled);

/// <summary>
/// The tags of a node (Overlay §11): joined and left by name while it runs, each with a budget that is kept. On the node's loop; <see cref="Look"/>
/// gives a picture for faces.
/// </summary>
public sealed class TagService
{
    /// <summary>Tags joined at most.</summary>
    public const int TagsMax = 64;

    /// <summary>Time between two plans (OV-11.3).</summary>
    public static readonly TimeSpan PlanInterval = TimeSpan.FromSeconds(30);

    private readonly NodeHost _host;
    private readonly IStateStore? _store;
    private readonly List<TagCommunity> _tags = [];
    private ITimer? _timer;

    /// <summary>Loads and joins the tags that were kept. Offer the store to the host before; one for each host.</summary>
    public TagService(NodeHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _store = host.Find<IStateStore>();
        host.Sessions.OnFrame(FrameType.SharedTags, Receive);
        host.Sessions.Opened += Tell;
        if (_store?.Load(StatePart.Tags) is { } bytes)
            foreach (var (name, budget) in TagFile.Read(bytes))
                if (Find(name) is null) Add(name, budget);
    }

    /// <summary>Joins a tag. Says why not.</summary>
    public TagRefusal Join(string name, TagBudget? budget = null)
    {
        var wanted = budget ?? TagBudget.Default;
        if (TagName.Check(name) is var bad and not TagRefusal.None) return bad;
        if (wanted.Check() is var tooMuch and not TagRefusal.None) return tooMuch;
        if (Find(name) is not null) return TagRefusal.Joined;
        if (_tags.Count >= TagsMax) return TagRefusal.TooMany;
        Add(name, wanted);
        Save();
        TellAll();
        return TagRefusal.None;
    }

    /// <summary>Changes what a tag may cost. Says why not.</summary>
    public TagRefusal Change(string name, TagBudget budget)
    {
        if (budget.Check() is var bad and not TagRefusal.None) return bad;
        if (Find(name) is not { } tag) return TagRefusal.NotJoined;
        tag.Meter.Change(budget, _host.Now);
        Save();
        return TagRefusal.None;
    }

    /// <summary>Leaves a tag: nothing of it is sent or answered any more. Says why not.</summary>
    public TagRefusal Leave(string name)
    {
        if (Find(name) is not { } tag) return TagRefusal.NotJoined;
        _tags.Remove(tag);
        _host.Leave(tag);
        Mark();
        Save();
        TellAll();
        return TagRefusal.None;
    }

    /// <summary>All tags, in the order of joining.</summary>
    public IReadOnlyList<TagView> Look()
    {
        var own = _host.Identity.Public.NodeId.Head;
        return _tags.ConvertAll(tag => new TagView(
            tag.Name, tag.CommunityId, tag.Budget, tag.Meter.BytesPerSecond(_host.Now) / 1_000, tag.Meter.BytesIn, tag.Meter.BytesOut, tag.Meter.Refused,
            tag.Peers.Count, tag.Neighbours.ConvertAll(static peer => peer.Key),
            tag.Neighbours.Select(peer => System.Numerics.BitOperations.LeadingZeroCount(peer.Key.NodeId.Head ^ own)).Distinct().Count()));
    }

    private TagCommunity? Find(string name) => _tags.Find(tag => tag.Name == name);

    private void Add(string name, TagBudget budget)
    {
        _tags.Add(_host.Join(context => new TagCommunity(context, name, budget)));
        _timer ??= _host.Environment.Time.CreateTimer(static self => ((TagService)self!).Beat(), this, TimeSpan.FromSeconds(5), PlanInterval);
    }

    private void Beat()
    {
        if (_tags.Count == 0 || _tags[0].IsLeft)
        {
            _timer?.Dispose();
            _timer = null;
            return;
        }
        try { Plan(); }
        // Own work has no caller to tell: counted and reported like the dispatcher's.
        catch (Exception problem) { _host.Fault(problem, _tags[0]); }
    }

    /// <summary>One round of the plan: at most two connections change.</summary>
    internal void Plan()
    {
        var now = _host.Now;
        var shares = new Dictionary<Peer, ulong>();
        for (var t = 0; t < _tags.Count; t++)
            foreach (var peer in _tags[t].Peers)
                if (peer.IsValidated && !_host.Peers.IsDiscouraged(peer.Key)) shares[peer] = shares.GetValueOrDefault(peer) | 1ul << t;
        var byRoundTrip = shares.Keys.Where(static peer => peer.RoundTrip is not null).OrderBy(static peer => peer.RoundTrip).ThenBy(static peer => peer.Key).ToList();
        var candidates = new Dictionary<Peer, TagCandidate>();
        foreach (var (peer, bits) in shares.OrderBy(static pair => pair.Key.Key))
        {
            var place = byRoundTrip.IndexOf(peer);
            candidates[peer] = new TagCandidate(peer, peer.Key.NodeId.Head, bits, peer.Standing.Score(now, peer.MetAt),
                place < 0 ? 0.5 : 1 - (double)place / byRoundTrip.Count, peer.MetAt ?? now, _host.Hash.Of(peer.Key.Bytes));
        }
        foreach (var tag in _tags) tag.Neighbours.RemoveAll(peer => !candidates.ContainsKey(peer));
        var needs = _tags.ConvertAll(tag => new TagNeed(tag.Budget.Neighbours, tag.Neighbours.ConvertAll(peer => candidates[peer])));
        foreach (var change in TagPlanner.Plan(_host.Identity.Public.NodeId.Head, needs, [.. candidates.Values]))
            for (var t = 0; t < _tags.Count; t++)
            {
                if ((change.Tags & 1ul << t) == 0) continue;
                if (change.Keep) _tags[t].Neighbours.Add(change.Candidate.Peer);
                else _tags[t].Neighbours.Remove(change.Candidate.Peer);
            }
        Mark();
    }

    /// <summary>Whom any tag keeps stays connected.</summary>
    private void Mark()
    {
        foreach (var peer in _host.Peers.All) peer.IsKeptByTags = false;
        foreach (var tag in _tags)
            foreach (var peer in tag.Neighbours) peer.IsKeptByTags = true;
    }

    private void Tell(Session session)
    {
        if (_tags.Count > 0) session.Send(FrameType.SharedTags, SharedTags.Write(_tags.Select(static tag => tag.CommunityId), _host.Identity.Public, session.Peer.Key));
    }

    private void TellAll()
    {
        foreach (var session in _host.Sessions.All)
            session.Send(FrameType.SharedTags, SharedTags.Write(_tags.Select(static tag => tag.CommunityId), _host.Identity.Public, session.Peer.Key));
    }

    /// <summary>A peer says in which tags it is: those that we are in too know it as a member from now on.</summary>
    private bool Receive(Session session, ReadOnlySpan<byte> body)
    {
        if (!SharedTags.TryRead(body, out var hashes)) return false;
        var peer = session.Peer;
        foreach (var tag in _tags)
        {
            if (Array.BinarySearch(hashes, SharedTags.HashOf(tag.CommunityId, _host.Identity.Public, peer.Key)) >= 0)
            {
                _host.Peers.AddCommunity(peer, tag.CommunityId);
                if (peer.BookIndex >= 0) tag.AddPeer(peer);
            }
            else if (tag.Contains(peer)) tag.RemovePeer(peer);
        }
        return true;
    }

    private void Save() => _ = _store?.SaveAsync(StatePart.Tags, TagFile.Write(_tags.ConvertAll(static tag => (tag.Name, tag.Budget))));
}
