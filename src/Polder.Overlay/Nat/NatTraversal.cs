#pragma warning disable CA1822 // bodies follow
using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>What stands between this node and the others (Overlay §5.3), and the probes that get through it (§6). Used on the node's loop.</summary>
public sealed class NatTraversal
{
    private readonly NodeHost _host;
    private readonly NatReports _reports;
    private readonly LifetimeSearch _lifetime;
    private bool? _strangersGetIn;
    private TimeSpan? _dialedBackAt;
    private MappedPort? _mapped;

    internal NatTraversal(NodeHost host)
    {
        _host = host;
        _reports = new NatReports(Options.ReportsMax, host.Options.AddressReportLifetime);
        _lifetime = new LifetimeSearch(Options);
    }

    /// <summary>What we are behind, with the evidence: a snapshot.</summary>
    public SelfView View
    {
        get
        {
            var now = _host.Now;
            var votes = _reports.Votes(now);
            var verdict = Classification.Judge(votes, _host.LanAddress, _strangersGetIn, Options);
            return new SelfView
            {
                Class = verdict.Class, Letter = verdict.Class.Letter(), IsSettled = verdict.IsSettled, Local = _host.LanAddress,
                Outer = verdict.Outer, Step = verdict.Step,
                Window = verdict.WindowTo == 0 ? null : (verdict.WindowFrom, verdict.WindowTo),
                Votes = [.. votes.Select(vote => new AddressVote(vote.Reporter, vote.Seen, now - vote.At))],
                DialBack = _strangersGetIn switch
                {
                    true => DialBackState.GotThrough, false => DialBackState.DidNotGetThrough, _ => DialBackState.Unknown,
                },
                DialBackAge = now - _dialedBackAt, MappingSurvives = _lifetime.Survived, MappingDiesAt = _lifetime.DiedAt,
                KeepAlive = _lifetime.KeepAlive, Mapped = _mapped, RouterReboots = _reports.Reboots,
            };
        }
    }

    /// <summary>What we are behind.</summary>
    public NatClass Class => View.Class;

    /// <summary>The router mapped this outer address to us, as <paramref name="how"/> ("PCP", "NAT-PMP", "UPnP") says; it counts once somebody got through to it.</summary>
    public void PortMapped(Endpoint external, string how) => _mapped = new MappedPort(external, how, false, false);

    /// <summary>The mapping is gone.</summary>
    public void PortUnmapped() => _mapped = null;

    internal NatOptions Options => _host.Options.Nat;

    internal void Heard(Endpoint reporter, Endpoint seen) =>
        _reports.Add(reporter.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6), reporter, seen, _host.Now);

    internal void Receive(IDatagramSocket? via, Endpoint from, ReadOnlySpan<byte> datagram) { }

    internal void Beat(TimeSpan now) { }

    internal void NetworkChanged()
    {
        _reports.Clear();
        _lifetime.Reset();
        (_strangersGetIn, _dialedBackAt) = (null, null);
    }

    internal void Stop() { }
}
