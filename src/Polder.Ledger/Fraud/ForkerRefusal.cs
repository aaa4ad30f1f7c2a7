using Polder.Identity;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Overlay.Neighbourhood;

namespace Polder.Ledger.Fraud;

/// <summary>
/// Refuses proven cheaters as peers, for good: nothing of theirs is answered, and they are introduced to nobody. The store
/// remembers the proofs, so it holds after a restart as well. Made before the node starts.
/// </summary>
public sealed class ForkerRefusal
{
    private readonly NodeHost _host;
    private readonly IBlockStore _store;

    /// <summary>Refuses from now on whom this ledger proves, and whom its store knows.</summary>
    public ForkerRefusal(NodeHost host, TrustChainCommunity ledger)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(ledger);
        (_host, _store) = (host, ledger.Store);
        ledger.FraudFound += proof =>
        {
            if (PublicKey.TryParse(proof.Culprit, out var key) && host.Peers.Find(key) is { } peer) Charge(peer);
        };
        host.Peers.Added += peer =>
        {
            if (_store.FraudOf(peer.Key.Bytes) is not null) Charge(peer);
        };
        foreach (var peer in host.Peers.All.ToArray())
            if (_store.FraudOf(peer.Key.Bytes) is not null) Charge(peer);
    }

    private void Charge(Peer peer) => _host.Neighbourhood.Charge(peer, Misdeed.LedgerFraud);
}
