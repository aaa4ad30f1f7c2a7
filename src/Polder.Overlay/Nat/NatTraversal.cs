using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Nat;

/// <summary>What stands between this node and the others (Overlay §5.3), and what keeps the ways open (§6.8). Used on the node's loop.</summary>
public sealed class NatTraversal
{
    private const int WrittenKept = 64, PingedAtOnce = 16;
    // Words change a verdict at once; that they grow old, which takes minutes, is looked at as often as this.
    private static readonly TimeSpan VerdictFor = TimeSpan.FromSeconds(10);

    private readonly NodeHost _host;
    private readonly NatReports _reports;
    private readonly SelfExploration _exploration;
    private readonly KeepAlives _keepAlives;
    private uint[]? _written;
    private int _writtenNext;
    private (NatVerdict Verdict, TimeSpan At)? _verdict;
    private TimeSpan _networkSince;
    private long _receivedThen, _sentThen;
    private MappedPort? _mapped;

    internal NatTraversal(NodeHost host)
    {
        _host = host;
        _reports = new NatReports(Options.ReportsMax, host.Options.AddressReportLifetime);
        Probes = new ProbeDesk(host);
        Sockets = new ExtraSocketKeeper(host);
        Forwards = new ForwardDesk(host);
        DialBacks = new DialBackDesk(host);
        _exploration = new SelfExploration(host, this);
        _keepAlives = new KeepAlives(host, this);
        host.Sessions.OnFrame(FrameType.DialBackAsk, ReceiveAsk);
        host.Sessions.OnFrame(FrameType.DialBackDo, ReceiveDo);
        host.Sessions.Opened += session => HeardIn(session);
        host.Sessions.Closed += _keepAlives.Forget;
    }

    /// <summary>Raised when what <see cref="View"/> tells may have changed.</summary>
    public event Action? ViewChanged;

    /// <summary>What we are behind, with the evidence: a snapshot.</summary>
    public SelfView View
    {
        get
        {
            var (now, verdict) = (_host.Now, Verdict);
            return new SelfView
            {
                Class = Class, Letter = Class.Letter(), IsSettled = verdict.IsSettled, Local = _host.LanAddress,
                Outer = verdict.Outer, Step = verdict.Step,
                Window = verdict.WindowTo == 0 ? null : (verdict.WindowFrom, verdict.WindowTo),
                Votes = [.. _reports.Votes(now).Select(vote => new AddressVote(vote.Reporter, vote.Seen, now - vote.At))],
                DialBack = _exploration.StrangersGetIn switch
                {
                    true => DialBackState.GotThrough,
                    false => DialBackState.DidNotGetThrough,
                    _ => _exploration.NobodyToAsk ? DialBackState.NobodyToAsk : DialBackState.Unknown,
                },
                DialBackAge = now - _exploration.TestedAt, MappingSurvives = _exploration.Lifetime.Survived,
                MappingDiesAt = _exploration.Lifetime.DiedAt, KeepAlive = KeepAlive, Mapped = _mapped, RouterReboots = _reports.Reboots,
            };
        }
    }

    /// <summary>What we are behind.</summary>
    public NatClass Class
    {
        get
        {
            var verdict = Verdict;
            if (verdict.Class == NatClass.Unknown && IsBlocked) return NatClass.Blocked;
            // A port that the router maps to us counts once somebody got through to it: whatever the router does else, strangers get in there.
            return _mapped is { IsConfirmed: true } && !verdict.Class.IsReachable() ? NatClass.Full : verdict.Class;
        }
    }

    /// <summary>How often a path that matters is refreshed (OV-5.9).</summary>
    public TimeSpan KeepAlive => Class == NatClass.Open ? Options.KeepAliveMax : _exploration.Lifetime.KeepAlive;

    /// <summary>Datagrams sent only to keep paths open.</summary>
    public long KeepAlivesSent => _keepAlives.Sent;

    /// <summary>Whether the last pings of this session were not answered (OV-6.8).</summary>
    public bool IsSuspect(Session session) => _keepAlives.IsSuspect(session);

    /// <summary>Keeps the paths of those sessions open for which this says true: streams, the DHT's closest.</summary>
    public void KeepOpen(Func<Session, bool> matters)
    {
        ArgumentNullException.ThrowIfNull(matters);
        _keepAlives.Add(matters);
    }

    /// <summary>The router mapped this outer address to us, as <paramref name="how"/> ("PCP", "NAT-PMP", "UPnP") says; it counts once somebody got through to it.</summary>
    public void PortMapped(Endpoint external, string how)
    {
        ArgumentNullException.ThrowIfNull(how);
        if (_mapped is { } known && known.External == external && known.How == how) return;
        // Two routers, one behind the other: the outer address of the first is not the one that the world sees (OV-5.8).
        var isBehindTwo = !NatReports.IsPublic(external) || (Verdict.Outer is { } outer && !outer.SameAddress(external));
        _mapped = new MappedPort(external, how, false, isBehindTwo);
        Changed();
    }

    /// <summary>The mapping is gone.</summary>
    public void PortUnmapped()
    {
        _mapped = null;
        Changed();
    }

    internal NatOptions Options => _host.Options.Nat;
    internal ProbeDesk Probes { get; }
    internal ExtraSocketKeeper Sockets { get; }
    internal ForwardDesk Forwards { get; }
    internal DialBackDesk DialBacks { get; }
    internal MappedPort? Mapped => _mapped;
    internal MappedPort? UnconfirmedMapping => _mapped is { IsConfirmed: false, IsBehindTwo: false } mapped ? mapped : null;
    internal LifetimeSearch Lifetime => _exploration.Lifetime;

    /// <summary>Sockets for a birthday: fewer behind two NATs, where the carrier counts ports.</summary>
    internal int BirthdaySockets => _mapped is { IsBehindTwo: true } ? Options.BirthdaySocketsCarrier : Options.BirthdaySockets;

    internal NatVerdict Verdict
    {
        get
        {
            var now = _host.Now;
            if (_verdict is { } known && now - known.At < VerdictFor) return known.Verdict;
            // One's own machine has no router in it.
            var verdict = _host.LanAddress.IsLoopback ? new NatVerdict(NatClass.Open, true, _host.WanAddress ?? _host.LanAddress)
                : Classification.Judge(_reports.Votes(now), _host.LanAddress, _exploration.StrangersGetIn, Options);
            _verdict = (verdict, now);
            return verdict;
        }
    }

    private bool IsBlocked => _host.Now - _networkSince > Options.BlockedAfter
        && _host.Counters.Received == _receivedThen && _host.Counters.Sent > _sentThen + 3;

    internal void Changed()
    {
        _verdict = null;
        ViewChanged?.Invoke();
    }

    internal void MappingConfirmed()
    {
        if (_mapped is not null) _mapped = _mapped with { IsConfirmed = true };
    }

    internal bool IsFull(Peer peer) => peer.IsPolder || _host.Sessions.StateOf(peer.Key) is SessionState.Full or SessionState.Open or SessionState.Opening;

    /// <summary>The open session with a neighbour, or a new one at its address.</summary>
    internal async Task<Session?> SessionWithAsync(Peer peer) =>
        _host.Sessions.Find(peer) ?? await _host.Sessions.OpenAsync(peer.Key, new DirectPath(_host, peer.Address));

    /// <summary>The open session with that key, or a new one at an address that somebody named.</summary>
    internal async Task<Session?> SessionAtAsync(PublicKey key, Endpoint address)
    {
        if (_host.Sessions.Find(key) is { } session) return session;
        if (key == _host.Identity.Public || !_host.MayWalkTo(address)) return null;
        NoteWritten(address);
        return await _host.Sessions.OpenAsync(key, new DirectPath(_host, address));
    }

    /// <summary>We write to this address of our own accord: a stranger's datagram from there proves nothing about our router.</summary>
    internal void NoteWritten(Endpoint to)
    {
        if (!Options.ExploresSelf) return;
        var hash = HashOf(to);
        // Each once: repeats of a few must not push out what the router still remembers.
        _written ??= new uint[WrittenKept];
        if (_written.AsSpan().Contains(hash)) return;
        _written[_writtenNext] = hash;
        _writtenNext = (_writtenNext + 1) % WrittenKept;
    }

    internal bool WasWrittenTo(Endpoint from)
    {
        if (_written.AsSpan().Contains(HashOf(from))) return true;
        foreach (var peer in _host.Peers.All)
            if (peer.Address.SameAddress(from)) return true;
        return false;
    }

    internal void Heard(Endpoint reporter, Endpoint seen)
    {
        var news = _reports.Add(reporter.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6), reporter, seen, _host.Now);
        if (news == NatNews.Nothing) return;
        _verdict = null;
        if (news != NatNews.Reboot) return;
        // Our mappings are new ones: the others must hear from us before they give us up (OV-5.10, OV-3.15).
        _exploration.Reset();
        for (var i = 0; i < Math.Min(PingedAtOnce, _host.Sessions.All.Count); i++) _host.Sessions.All[i].Ping();
        Changed();
    }

    /// <summary>Our outer endpoint as one helper sees a socket of ours at this moment; null when it does not say in time.</summary>
    internal async Task<Endpoint?> AskPortAsync(IExtraSocket? socket, Session helper, TimeSpan timeout)
    {
        if (socket is null || helper.Path.Kind == PathKind.Relayed) return null;
        var look = new PortLook();
        var nonce = Probes.Open(look);
        if (nonce == 0) return null;
        try
        {
            var body = new byte[DialBackAsk.Bytes];
            new DialBackAsk(DialBackKind.Silence, nonce).Write(body);
            helper.Send(FrameType.DialBackAsk, body);
            Probes.Send(socket, helper.Path.Remote, ProbeKind.Show, nonce, 0);
            for (var end = _host.Now + timeout; _host.Now < end && look.Seen is null;)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), _host.Environment.Time);
                // From the same socket to the same address: the router makes no new mapping for it.
                if (look.Seen is null && ++look.Waits % 5 == 0) Probes.Send(socket, helper.Path.Remote, ProbeKind.Show, nonce, 0);
            }
            return look.Seen;
        }
        finally { Probes.Close(nonce); }
    }

    internal void Receive(IExtraSocket? via, Endpoint from, ReadOnlySpan<byte> datagram) => Probes.Receive(via, from, datagram);

    internal void Beat(TimeSpan now)
    {
        _exploration.Beat(now, Verdict);
        DialBacks.Expire();
        Sockets.Beat(now);
        _keepAlives.Beat(now);
        _host.Relays.Beat(now);
    }

    internal void NetworkChanged()
    {
        _reports.Clear();
        _exploration.Reset();
        (_mapped, _verdict) = (null, null);
        (_networkSince, _receivedThen, _sentThen) = (_host.Now, _host.Counters.Received, _host.Counters.Sent);
        Changed();
    }

    internal void Stop() => Sockets.Stop();

    /// <summary>Work in the background has no asker to whom its failure would go.</summary>
    internal void Watch(Task work)
    {
        if (!work.IsCompletedSuccessfully) _ = WatchAsync(work);
    }

    private async Task WatchAsync(Task work)
    {
        try { await work; }
        catch (OperationCanceledException) { }
        catch (Exception problem) { _host.Fault(problem, "NAT traversal"); }
    }

    private bool ReceiveAsk(Session session, ReadOnlySpan<byte> body)
    {
        if (!DialBackAsk.TryRead(body, out var ask)) return false;
        if (ask.Kind is not (DialBackKind.Asked or DialBackKind.Refused)) return DialBacks.Ask(session, ask);
        _exploration.Answered(session, ask);
        return true;
    }

    private bool ReceiveDo(Session session, ReadOnlySpan<byte> body)
    {
        if (!DialBackDo.TryRead(body, out var order)) return false;
        DialBacks.Do(session, order);
        return true;
    }

    /// <summary>The handshake said where the peer sees us.</summary>
    private void HeardIn(Session session)
    {
        if (session is { Path.Kind: PathKind.Direct, SeenAs: { IsSendable: true } seen }) _host.Own.Heard(session.Path.Remote, seen);
    }

    private static uint HashOf(Endpoint endpoint) => unchecked((uint)endpoint.WithPort(0).GetHashCode() | 1);

    private sealed class PortLook : IProbeTaker
    {
        public Endpoint? Seen { get; private set; }
        public int Waits { get; set; }

        public void Receive(IExtraSocket? via, Endpoint from, in PunctureProbe probe)
        {
            if (probe.Kind == ProbeKind.Answer) Seen ??= probe.SentTo;
        }
    }
}
