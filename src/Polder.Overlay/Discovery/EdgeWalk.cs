using Polder.Net;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Walks along introductions: from a neighbour to whom it introduces, and on from there, four deep, then again from
/// another of six neighbours. Finds corners that random walking seldom reaches.
/// </summary>
internal sealed class EdgeWalk(Community community)
{
    private readonly List<Peer> _edge = [];
    private Endpoint? _awaited;
    private TimeSpan _since;
    private int _root;

    /// <summary>How many peers the present edge has.</summary>
    public int Length => _edge.Count;

    public void Step()
    {
        var host = community.Host;
        var options = host.Options;
        var stuck = host.Now - _since > options.AnswerTime;
        if (_edge.Count > 0 && _edge.Count <= options.EdgeLength && !stuck) return;
        _edge.Clear();
        _awaited = null;
        var neighbours = Math.Min(options.EdgeNeighbours, community.Peers.Count);
        if (neighbours == 0) return;
        Extend(community.Peers[_root++ % neighbours]);
    }

    /// <summary>Somebody was introduced to us: the next of the edge, if its end did it.</summary>
    public void Introduced(Peer introducer, Candidate candidate)
    {
        if (_edge.Count == 0 || _edge[^1].Key != introducer.Key || _awaited is not null) return;
        _awaited = candidate.Address;
        _since = community.Host.Now;
        if (candidate.TriedAt is null && community.Host.MayWalkNow()) community.Introductions.Walk(candidate);
    }

    /// <summary>A peer answered from this address.</summary>
    public void Met(Peer peer, Endpoint address)
    {
        if (_awaited != address) return;
        // With peers enough the edge ends here.
        if (_edge.Count <= community.Host.Options.EdgeLength && community.Peers.Count < community.PeersTarget) Extend(peer);
    }

    private void Extend(Peer peer)
    {
        _edge.Add(peer);
        _awaited = null;
        _since = community.Host.Now;
        if (_edge.Count <= community.Host.Options.EdgeLength) community.Introductions.Ask(peer);
    }
}
