using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Refusals;

/// <summary>What a puncture-request gets.</summary>
internal enum PunctureAnswer
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>A datagram that opens our NAT and says nothing, smaller than the request.</summary>
    Opening,
    /// <summary>The signed puncture.</summary>
    Puncture,
}

/// <summary>
/// Which puncture-requests we obey (OV-4.2). They are unsigned: py-ipv8 sends 187 bytes anywhere for 47 from anybody. We send a puncture
/// for neighbours of some time only. For those met just now, and for the owner's trackers, we send less than we got: that opens our NAT as
/// well, and nobody gains by asking. Without it a peer behind a strict NAT never reached us in the first ten seconds (measured, nat-matrix.md).
/// </summary>
internal sealed class PunctureRules(NodeHost host, SipHash hash)
{
    private const int PortMin = 1024;
    private const int TargetSlots = 256;

    /// <summary>A header of IPv8 for an overlay that cannot be: every implementation drops it without a word.</summary>
    public static ReadOnlySpan<byte> OpeningDatagram => [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly SourceTable _targets = new(Math.Min(TargetSlots, host.Options.SourceSlots));
    private TokenBucket _all;

    public PunctureAnswer Judge(Community community, Endpoint from, Endpoint target, bool sharesOurNat)
    {
        var (options, now) = (host.Options, host.Now);
        var requester = host.Peers.FindAt(from);
        var isProved = requester is not null && host.Peers.IsValidated(requester, from);
        if (!isProved && !host.Bootstrap.IsListed(from)) return Refuse(Refusal.PunctureStranger);
        if (!MayPuncture(target, sharesOurNat)) return Refuse(Refusal.PunctureTarget);
        if ((isProved && !requester!.PunctureRate.TryTake(now, options.PuncturesPerSecondPerRequester, Math.Max(1, options.PuncturesPerSecondPerRequester)))
            || !_targets.TryTake(hash.Of(target), now, 1 / options.PunctureIntervalPerTarget.TotalSeconds, 1)
            || !_all.TryTake(now, options.PuncturesPerSecond, Math.Max(1, options.PuncturesPerSecond)))
            return Refuse(Refusal.PunctureRate);
        var isNeighbour = isProved && community.Contains(requester!) && requester!.MetAt is { } met && now - met >= options.PunctureAcquaintance;
        return isNeighbour ? PunctureAnswer.Puncture : PunctureAnswer.Opening;
    }

    private bool MayPuncture(Endpoint target, bool sharesOurNat)
    {
        if (!target.IsSendable || target.IsLinkLocal || target.Port < PortMin || host.Own.IsOwn(target)) return false;
        if (host.Options.Addresses == AddressRules.Any) return true;
        return !target.IsLoopback && (!target.IsPrivate || sharesOurNat);
    }

    private PunctureAnswer Refuse(Refusal refusal)
    {
        host.Counters.Count(refusal);
        return PunctureAnswer.None;
    }
}
