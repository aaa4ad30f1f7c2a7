using Polder.Net;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Where we are, as far as we know: in our network from the adapter, outside from what others tell (OV-5.4). One vote for
/// each network of reporters, the last <see cref="Nat.NatOptions.ReportsMax"/> reports of the last five minutes; so no single peer can move us.
/// </summary>
internal sealed class OwnAddresses(NodeHost host)
{
    private readonly int _reportsMax = host.Options.Nat.ReportsMax;

    private readonly List<Report> _reports = [];
    private int _next;

    private readonly struct Report
    {
        private readonly PackedEndpoint _network, _seen;

        public Report(Endpoint network, Endpoint seen, TimeSpan at)
        {
            (_network, _seen) = (new(network), new(seen));
            At = at;
        }

        public Endpoint ReporterNetwork => _network.Value;
        public Endpoint Seen => _seen.Value;
        public TimeSpan At { get; }
    }

    /// <summary>Our address in our own network; the socket's own while the adapter has not said better.</summary>
    public Endpoint Lan { get; set; } = host.Environment.Socket.LocalEndpoint;

    /// <summary>Our outer address by majority; null while nobody told.</summary>
    public Endpoint? Told { get; private set; }

    /// <summary>What we claim: the majority's word, or our own address while there is none.</summary>
    public Endpoint Wan => Told ?? Lan;

    public bool IsOwn(Endpoint address) =>
        address == Lan || address == Told || address == host.Environment.Socket.LocalEndpoint;

    /// <summary>Whether the address is one at which somebody could have reached us; true while we know too little.</summary>
    public bool CouldBeOurs(Endpoint address) =>
        Told is not { } told || address.SameAddress(told) || address.SameAddress(Lan) || address.IsIPv4 != told.IsIPv4;

    /// <summary>The network changed: forget what was told before.</summary>
    public void Forget()
    {
        _reports.Clear();
        _next = 0;
        Told = null;
    }

    /// <summary>A peer that answered a question of ours says where it sees us.</summary>
    public void Heard(Endpoint reporter, Endpoint seen)
    {
        if (!seen.IsSendable || (host.Options.Addresses != AddressRules.Any && seen.IsLoopback)) return;
        host.Nat.Heard(reporter, seen);
        var report = new Report(reporter.Network(16, 32), seen, host.Now);
        if (_reports.Count < _reportsMax) _reports.Add(report);
        else _reports[_next] = report;
        _next = (_next + 1) % _reportsMax;
        if (Told != seen) Told = Majority();
    }

    private Endpoint? Majority()
    {
        var now = host.Now;
        var latest = new Dictionary<Endpoint, Report>();
        var publicSeen = false;
        foreach (var report in _reports)
        {
            if (now - report.At > host.Options.AddressReportLifetime) continue;
            if (!latest.TryGetValue(report.ReporterNetwork, out var other) || other.At <= report.At) latest[report.ReporterNetwork] = report;
            publicSeen |= !report.Seen.IsPrivate;
        }
        var votes = new Dictionary<Endpoint, (int Count, TimeSpan Last)>();
        Endpoint? best = null;
        foreach (var report in latest.Values)
        {
            // A private address counts only in a closed network, where there are no others.
            if (publicSeen && report.Seen.IsPrivate) continue;
            var (count, last) = votes.GetValueOrDefault(report.Seen);
            votes[report.Seen] = (count + 1, report.At > last ? report.At : last);
        }
        foreach (var (seen, vote) in votes)
            if (best is not { } leader || vote.Count > votes[leader].Count
                || (vote.Count == votes[leader].Count && vote.Last > votes[leader].Last)) best = seen;
        return best;
    }
}
