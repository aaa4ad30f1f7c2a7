using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>Somebody's word about where we are seen from.</summary>
internal readonly record struct NatReport
{
    private readonly PackedEndpoint _network, _reporter, _seen;

    public NatReport(Endpoint network, Endpoint reporter, Endpoint seen, TimeSpan since, TimeSpan at)
    {
        (_network, _reporter, _seen) = (new(network), new(reporter), new(seen));
        (Since, At) = (since, at);
    }

    /// <summary>The network of who says it: one network, one vote.</summary>
    public Endpoint Network => _network.Value;
    /// <summary>From which address it was said.</summary>
    public Endpoint Reporter => _reporter.Value;
    /// <summary>Where we were seen.</summary>
    public Endpoint Seen => _seen.Value;
    /// <summary>When this reporter first said so: the order in which a router made its mappings.</summary>
    public TimeSpan Since { get; init; }
    /// <summary>When it last said so.</summary>
    public TimeSpan At { get; init; }
}

/// <summary>What one report changes.</summary>
internal enum NatNews
{
    /// <summary>The same reporter says the same again.</summary>
    Nothing,
    /// <summary>Somebody new speaks, or says something else.</summary>
    Another,
    /// <summary>All earlier ones are out of date.</summary>
    Reboot,
}

/// <summary>
/// What others told us about our address: the last word of each of the last reporters (OV-5.4). Bounded; the oldest gives way.
/// </summary>
/// <remarks>
/// A router that was switched off and on gives every reporter something new to say, one after the other, and meanwhile the words
/// contradict each other. As soon as two reporters of different networks changed to the same new address, what was said before
/// does not count any more (OV-5.10). A router with a port for each destination never makes two agree, so this does not touch it.
/// </remarks>
internal sealed class NatReports(int max, TimeSpan lifetime)
{
    private readonly List<NatReport> _all = [];
    private readonly List<Change> _changes = [];

    private const int ChangesKept = 8;
    private static readonly TimeSpan ChangesWithin = TimeSpan.FromSeconds(60);

    private readonly record struct Change(Endpoint Network, Endpoint Seen, TimeSpan At);

    public int Count => _all.Count;

    /// <summary>How often the router seems to have forgotten everything.</summary>
    public int Reboots { get; private set; }

    public void Clear()
    {
        _all.Clear();
        _changes.Clear();
    }

    /// <summary>Keeps a report, and says what it changes.</summary>
    public NatNews Add(Endpoint network, Endpoint reporter, Endpoint seen, TimeSpan now)
    {
        var index = _all.FindIndex(report => report.Reporter == reporter);
        if (index >= 0 && _all[index].Seen == seen)
        {
            _all[index] = _all[index] with { At = now };
            return NatNews.Nothing;
        }
        var changed = index >= 0;
        var report = new NatReport(network, reporter, seen, now, now);
        if (changed) _all[index] = report;
        else
        {
            if (_all.Count >= max) _all.RemoveAt(Oldest());
            _all.Add(report);
        }
        return changed && IsReboot(network, seen, now) ? NatNews.Reboot : NatNews.Another;
    }

    /// <summary>One vote for each network: its last word, if it is not too old; private addresses only where there are no others.</summary>
    public List<NatReport> Votes(TimeSpan now)
    {
        var votes = new List<NatReport>(_all.Count);
        var places = new Dictionary<Endpoint, int>(_all.Count);
        var anyPublic = false;
        foreach (var report in _all) anyPublic |= now - report.At <= lifetime && IsPublic(report.Seen);
        foreach (var report in _all)
        {
            if (now - report.At > lifetime || (anyPublic && !IsPublic(report.Seen))) continue;
            if (places.TryAdd(report.Network, votes.Count)) votes.Add(report);
            else if (votes[places[report.Network]].At < report.At) votes[places[report.Network]] = report;
        }
        return votes;
    }

    /// <summary>Whether an address can be one on the Internet: not private, and not a carrier's inner one (100.64/10).</summary>
    public static bool IsPublic(Endpoint address) =>
        !address.IsPrivate && !address.IsLoopback && !address.IsLinkLocal && !IsCarrier(address);

    /// <summary>Whether an address lies in 100.64/10, which carriers use behind their own NATs.</summary>
    public static bool IsCarrier(Endpoint address) => address.IsIPv4 && address.IPv4 >> 22 == 0x64400000 >> 22;

    private bool IsReboot(Endpoint network, Endpoint seen, TimeSpan now)
    {
        _changes.RemoveAll(change => now - change.At > ChangesWithin);
        var first = _changes.FindIndex(change => change.Network != network && change.Seen.SameAddress(seen));
        var sameEndpoint = _changes.FindIndex(change => change.Network != network && change.Seen == seen);
        if (_changes.Count == ChangesKept) _changes.RemoveAt(0);
        _changes.Add(new Change(network, seen, now));
        if (first < 0) return false;
        // The same new port of two: everything else is old. The same new address with other ports: other addresses are old.
        var since = _changes[Math.Max(0, Math.Min(sameEndpoint < 0 ? first : sameEndpoint, _changes.Count - 1))].At;
        var gone = _all.RemoveAll(report => report.At < since && (sameEndpoint >= 0 ? report.Seen != seen : !report.Seen.SameAddress(seen)));
        if (gone > 0) Reboots++;
        return gone > 0;
    }

    private int Oldest()
    {
        var oldest = 0;
        for (var i = 1; i < _all.Count; i++)
            if (_all[i].At < _all[oldest].At) oldest = i;
        return oldest;
    }
}
