using Polder.Net;

namespace Polder.Overlay.Neighbourhood;

/// <summary>
/// Chooses neighbours, keeps their scores and watches for signs of an eclipse (overlay.md §7, §8.5). Scores choose among peers; refusing
/// stays with rates and the one flag of decision 0006, which a score that misdeeds brought to nothing sets for a day (decision 0016).
/// </summary>
public sealed class NeighbourhoodKeeper
{
    /// <summary>Below this a peer that misdeeds brought there is asked nothing and hardly heard.</summary>
    internal const double ScoreMin = 0.1;

    private static readonly TimeSpan WrittenToLately = TimeSpan.FromMinutes(1);

    private readonly NodeHost _host;
    private List<INeighbourNeed>? _needs;
    private Func<Peer, bool>? _isContact;

    internal NeighbourhoodKeeper(NodeHost host) => _host = host;

    /// <summary>Share of look-ups whose disjoint paths disagreed; set by the DHT, null while nobody measures it.</summary>
    public double? PathsDisagree { get; set; }

    /// <summary>Somebody needs certain peers as neighbours.</summary>
    public void Add(INeighbourNeed need) => (_needs ??= []).Add(need ?? throw new ArgumentNullException(nameof(need)));

    /// <summary>Which peers are contacts of the owner, who are preferred as neighbours.</summary>
    public void SetContacts(Func<Peer, bool> isContact) => _isContact = isContact;

    internal bool IsContact(Peer peer) => _isContact?.Invoke(peer) ?? false;

    /// <summary>A peer relayed for us, or stored something for us.</summary>
    public void Helped(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        peer.Standing.Helped(_host.Now);
    }

    /// <summary>
    /// An authenticated peer did wrong. Its score falls, and the loss fades with a half-life of an hour; at nothing it is ignored for a day,
    /// at once for what no honest peer can do.
    /// </summary>
    public void Charge(Peer peer, Misdeed misdeed)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var now = _host.Now;
        peer.Standing.Charge(misdeed switch
        {
            Misdeed.BadSignatureInSession or Misdeed.LedgerFraud => 1,
            Misdeed.MalformedFrame => 0.5,
            Misdeed.UnaskedAnswer => 0.05,
            _ => 0.02,
        }, now);
        if (peer.Standing.Score(now, peer.MetAt) > 0) return;
        // The ledger keeps fraud for good and asks again at each start; here it is ignored for as long as this run.
        _host.Peers.Discourage(peer, misdeed == Misdeed.RateLimit ? Violation.Flooding : Violation.BrokeRules,
            misdeed == Misdeed.LedgerFraud ? TimeSpan.FromDays(3650) : _host.Options.ClosedFor);
    }

    /// <summary>The score of a peer, 0 to 1, now.</summary>
    public double ScoreOf(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return peer.Standing.Score(_host.Now, peer.MetAt);
    }

    internal void Introduced(Peer introducer) => introducer.Standing.Introduced(_host.Now);

    internal void Useful(Peer introducer) => introducer.Standing.Useful(_host.Now);

    /// <summary>
    /// A signed introduction-response that belongs to no question. It counts against its signer only where it surely is no late answer: at a
    /// proved address to which nothing was sent for a minute.
    /// </summary>
    internal void Unasked(Peer peer, Endpoint from)
    {
        if (peer.BookIndex < 0 || !_host.Peers.IsValidated(peer, from)) return;
        if (peer.LastOut is { } sent && _host.Now - sent < WrittenToLately) return;
        Charge(peer, Misdeed.UnaskedAnswer);
    }

    internal void Choose()
    {
        var now = _host.Now;
        NeighbourChoice.Choose(
            _host.Peers.All, _host.Options, _host.Hash, _host.Identity.Public.NodeId.Head, now,
            peer => peer.RestsUntil <= now && !_host.Peers.IsDiscouraged(peer.Key), SinceOf, _needs, _isContact);
    }

    // Anchors of the last run are older than what this run knows.
    private double SinceOf(Peer peer) => _host.Contact.Anchors.SinceOf(peer);

    /// <summary>
    /// OV-7.5: the worst neighbour that is no anchor gives way to somebody from a network that has no neighbour yet. Where nobody is known there,
    /// the address book is asked for one, who may be chosen next time.
    /// </summary>
    internal void Replace()
    {
        var (now, options) = (_host.Now, _host.Options);
        var networks = new HashSet<Endpoint>();
        var (neighbours, worst, worstScore) = (0, default(Peer), double.MaxValue);
        foreach (var peer in _host.Peers.All)
        {
            if (!peer.IsNeighbour) continue;
            neighbours++;
            networks.Add(Wide(peer));
            var score = ScoreOf(peer);
            if (peer.IsAnchor || peer.FreshUntil > now || score >= worstScore) continue;
            (worst, worstScore) = (peer, score);
        }
        // A node with few neighbours has nobody to spare.
        if (worst is null || neighbours < options.NeighboursWanted / 2) return;
        Peer? best = null;
        foreach (var peer in _host.Peers.All)
            if (peer is { IsNeighbour: false, IsValidated: true } && peer.RestsUntil <= now && !networks.Contains(Wide(peer))
                && !_host.Peers.IsDiscouraged(peer.Key) && (best is null || ScoreOf(peer) > ScoreOf(best))) best = peer;
        if (best is null)
        {
            if (_host.Contact.Elsewhere(networks) is { } address && _host.MayWalkNow()) _host.Contact.Knock(address);
            return;
        }
        worst.RestsUntil = now + options.ReplaceInterval;
        best.FreshUntil = now + 2 * options.ReplaceInterval;
        Choose();
    }

    /// <summary>The neighbours and the signs of an eclipse. On the loop.</summary>
    public NeighbourhoodView Look()
    {
        var now = _host.Now;
        var views = new List<NeighbourView>();
        var networks = new Dictionary<Endpoint, int>();
        var (chosen, oldest) = (0, default(TimeSpan?));
        foreach (var peer in _host.Peers.All)
        {
            if (!peer.IsNeighbour) continue;
            var known = TimeSpan.FromSeconds(Math.Max(0, (double)_host.UnixSeconds - _host.Contact.Anchors.SinceOf(peer)));
            views.Add(new NeighbourView(peer.Key, peer.Address, peer.Role, peer.ChosenByUs, ScoreOf(peer), known));
            networks[Wide(peer)] = networks.GetValueOrDefault(Wide(peer)) + 1;
            if (peer.ChosenByUs) chosen++;
            if (oldest is null || known > oldest) oldest = known;
        }
        views.Sort(static (a, b) => a.Role != b.Role ? a.Role.CompareTo(b.Role) : a.Key.CompareTo(b.Key));
        var (nearest, random) = EstimateSize();
        return new NeighbourhoodView(views, networks.Count, networks.Count == 0 ? 0 : networks.Values.Max(),
            views.Count == 0 ? 1 : (double)chosen / views.Count, oldest, PathsDisagree, nearest, random, nearest / random);
    }

    /// <summary>How large the network looks by the ids next to ours, and next to places drawn at random.</summary>
    private (double? Nearest, double? Random) EstimateSize()
    {
        var heads = new List<ulong>();
        foreach (var peer in _host.Peers.All)
            if (peer.IsValidated) heads.Add(peer.Key.NodeId.Head);
        return SizeEstimate.Of(heads, _host.Identity.Public.NodeId.Head, _host.Hash);
    }

    private Endpoint Wide(Peer peer) => peer.Address.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6);
}
