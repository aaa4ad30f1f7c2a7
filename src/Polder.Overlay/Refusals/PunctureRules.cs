using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Refusals;

/// <summary>
/// Which puncture-requests we obey (OV-4.2). They are unsigned: py-ipv8 sends 187 bytes anywhere for 47 from anybody.
/// </summary>
internal sealed class PunctureRules(NodeHost host, SipHash hash)
{
    private const int PortMin = 1024;
    private const int TargetSlots = 256;

    private readonly SourceTable _targets = new(TargetSlots);
    private TokenBucket _all;

    public bool Allows(Community community, Endpoint from, Endpoint target, bool sharesOurNat)
    {
        var (options, now) = (host.Options, host.Now);
        if (host.Peers.FindAt(from) is not { MetAt: { } met } requester || !host.Peers.IsValidated(requester, from)
            || !community.Contains(requester) || now - met < options.PunctureAcquaintance)
            return Refuse(Refusal.PunctureStranger);
        if (!MayPuncture(target, sharesOurNat)) return Refuse(Refusal.PunctureTarget);
        if (!requester.PunctureRate.TryTake(now, options.PuncturesPerSecondPerRequester, Math.Max(1, options.PuncturesPerSecondPerRequester))
            || !_targets.TryTake(hash.Of(target), now, 1 / options.PunctureIntervalPerTarget.TotalSeconds, 1)
            || !_all.TryTake(now, options.PuncturesPerSecond, Math.Max(1, options.PuncturesPerSecond)))
            return Refuse(Refusal.PunctureRate);
        return true;
    }

    private bool MayPuncture(Endpoint target, bool sharesOurNat)
    {
        if (!target.IsSendable || target.IsLinkLocal || target.Port < PortMin || host.Own.IsOwn(target)) return false;
        if (host.Options.Addresses == AddressRules.Any) return true;
        return !target.IsLoopback && (!target.IsPrivate || sharesOurNat);
    }

    private bool Refuse(Refusal refusal)
    {
        host.Counters.Count(refusal);
        return false;
    }
}
