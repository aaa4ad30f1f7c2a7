using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Refusals;

/// <summary>
/// What strangers may cost: packets (OV-4.3), signature checks (OV-4.4) and bytes sent back (OV-4.1). A stranger is an address
/// that has not answered a question of ours.
/// </summary>
internal sealed class SourceGuard(OverlayOptions options, OverlayCounters counters, SipHash hash)
{
    private readonly SourceTable _addresses = new(options.SourceSlots);
    private readonly SourceTable _networks = new(options.SourceSlots / 4);
    private TokenBucket _all, _signatures;

    /// <summary>Whether a packet of a stranger is looked at.</summary>
    public bool Admits(Endpoint from, int bytes, TimeSpan now)
    {
        var source = hash.Of(from);
        if (!_addresses.TryTake(source, now, options.StrangerPacketsPerSecond, options.StrangerPacketsBurst)) return Refuse(Refusal.AddressRate);
        var network = hash.Of(from.Network(options.NarrowPrefixIPv4, options.NarrowPrefixIPv6));
        if (!_networks.TryTake(network, now, options.NetworkPacketsPerSecond, options.NetworkPacketsBurst)) return Refuse(Refusal.NetworkRate);
        if (!_all.TryTake(now, options.StrangersPacketsPerSecond, options.StrangersPacketsBurst)) return Refuse(Refusal.StrangersRate);
        _addresses.Heard(source, now, options.AmplificationWindow, bytes);
        return true;
    }

    /// <summary>Whether a packet of a peer is looked at.</summary>
    public bool Admits(Peer peer, TimeSpan now)
    {
        // Misdeeds brought it low (OV-7.3): hardly anything of it is looked at.
        if (peer.Standing.IsCharged && peer.Standing.Score(now, peer.MetAt) < Neighbourhood.NeighbourhoodKeeper.ScoreMin)
            return peer.Rate.TryTake(now, options.ChargedPacketsPerSecond, 1) || Refuse(Refusal.PeerRate);
        if (peer.Rate.TryTake(now, options.PeerPacketsPerSecond, options.PeerPacketsBurst)) return true;
        if (peer.Expected <= 0) return Refuse(Refusal.PeerRate);
        peer.Expected--;
        return true;
    }

    /// <summary>
    /// Whether a stranger's signature is checked now; if not, the packet may wait in <see cref="PendingChecks"/>, which counts
    /// what it drops. Counted by the known cost of one check, so that it replays.
    /// </summary>
    public bool MayCheckSignature(TimeSpan now)
    {
        var perSecond = options.StrangersSignatureShare / options.SignatureCheckCost.TotalSeconds;
        return _signatures.TryTake(now, perSecond, Math.Max(1, perSecond * options.SignatureBurst.TotalSeconds));
    }

    /// <summary>Whether so many bytes may go to a stranger.</summary>
    public bool MaySend(Endpoint to, int bytes, TimeSpan now) =>
        _addresses.MaySend(hash.Of(to), now, options.AmplificationWindow, options.AmplificationFactor, bytes) || Refuse(Refusal.Amplification);

    private bool Refuse(Refusal refusal)
    {
        counters.Count(refusal);
        return false;
    }
}
