using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>Peers that asked us to remember where they are. One entry a key (only its owner may store there); silent ones are forgotten.</summary>
internal sealed class StoredPeers(int max)
{
    private readonly Dictionary<DhtId, RoutingNode> _byMid = [];

    public int Count => _byMid.Count;

    /// <summary>Remembers a peer; false when there is no room. Whoever is here, stays while it pings.</summary>
    public bool Put(DhtId mid, PublicKey key, Endpoint address, TimeSpan now)
    {
        if (!_byMid.TryGetValue(mid, out var node) || node.Address != address)
        {
            if (node is null && _byMid.Count >= max) return false;
            _byMid[mid] = node = new RoutingNode(key, address);
        }
        node.LastQuery = now;
        return true;
    }

    public RoutingNode? Find(DhtId mid) => _byMid.GetValueOrDefault(mid);

    public void Heard(PublicKey key, TimeSpan now)
    {
        if (_byMid.Count > 0 && _byMid.TryGetValue(DhtId.Of(key.Id), out var node)) node.LastQuery = now;
    }

    public void RemoveSilent(TimeSpan now)
    {
        foreach (var (mid, node) in _byMid.ToArray())
            if (now - node.LastQuery > IPv8DhtLimits.StorerSilence) _byMid.Remove(mid);
    }
}
