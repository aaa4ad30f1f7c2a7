using Polder.Net;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Nat;

/// <summary>
/// Finds out by asking neighbours what nobody tells unasked: whether strangers get in (OV-5.7), and how long the router remembers
/// an idle mapping (OV-5.9). One question at a time, in the background.
/// </summary>
internal sealed class SelfExploration(NodeHost host, NatTraversal nat) : IProbeTaker
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(500), ShowAgain = TimeSpan.FromMilliseconds(200), Slack = TimeSpan.FromSeconds(3),
        MappedAgain = TimeSpan.FromMinutes(1);

    private Dictionary<ulong, Test> Tests => field ??= [];
    private int _failures, _helperTurn;
    private TimeSpan _nobodyUntil, _silenceDue, _mappedDue;
    private bool _testing, _searching;

    private sealed class Test(Session helper, DialBackKind kind, IExtraSocket? socket)
    {
        public Session Helper => helper;
        public DialBackKind Kind => kind;
        public IExtraSocket? Socket => socket;
        public DialBackKind? Word { get; set; }
        public bool Answered { get; set; }
        public bool GotThrough { get; set; }
    }

    /// <summary>Whether strangers get in; null while nobody knows.</summary>
    public bool? StrangersGetIn { get; private set; }

    /// <summary>When that was found out.</summary>
    public TimeSpan? TestedAt { get; private set; }

    /// <summary>Whether there was nobody who could try.</summary>
    public bool NobodyToAsk => _nobodyUntil > TimeSpan.Zero;

    public LifetimeSearch Lifetime { get; } = new(nat.Options);

    public void Reset()
    {
        (StrangersGetIn, TestedAt, _failures, _nobodyUntil) = (null, null, 0, TimeSpan.Zero);
        Lifetime.Reset();
    }

    public void Beat(TimeSpan now, NatVerdict verdict)
    {
        if (!nat.Options.ExploresSelf || !host.Options.Sessions.Enabled || host.LanAddress.IsLoopback) return;
        var isDue = TestedAt is not { } at || now - at >= nat.Options.DialBackInterval;
        var mapped = now >= _mappedDue ? nat.UnconfirmedMapping : null;
        if (!_testing && verdict.Outer is not null && now >= _nobodyUntil && ((isDue && verdict.Class.HasOnePort()) || mapped is not null))
            nat.Watch(TestAsync(mapped));
        else if (!_searching && !_testing && (TestedAt is not null || !verdict.Class.HasOnePort()) && !Lifetime.IsOver && now >= _silenceDue && verdict.Class is not (NatClass.Open or NatClass.Unknown))
            nat.Watch(SearchAsync());
    }

    /// <summary>A helper says what became of a question.</summary>
    public void Answered(Session helper, DialBackAsk word)
    {
        if (Tests.TryGetValue(word.Nonce, out var test) && test.Helper == helper) test.Word = word.Kind;
    }

    public void Receive(IExtraSocket? via, Endpoint from, in PunctureProbe probe)
    {
        if (!Tests.TryGetValue(probe.ReceiverNonce, out var test)) return;
        if (probe.Kind == ProbeKind.Answer) test.Answered = true;
        if (probe.Kind != ProbeKind.DialBack || via != test.Socket) return;
        // It proves something only when we never wrote to where it comes from.
        test.GotThrough |= test.Kind switch
        {
            DialBackKind.Own => !nat.WasWrittenTo(from),
            DialBackKind.Spare => !from.SameAddress(test.Helper.Path.Remote),
            _ => true,
        };
    }

    private async Task TestAsync(MappedPort? mapped)
    {
        _testing = true;
        try
        {
            if (PickHelper() is not { } helper || await nat.SessionWithAsync(helper) is not { } session)
            {
                _nobodyUntil = host.Now + TimeSpan.FromSeconds(PickHelper() is null ? 2 : 0.2);
                return;
            }
            if (mapped is not null) _mappedDue = host.Now + MappedAgain;
            using var socket = nat.Sockets.TryOpen();
            var own = Begin(session, DialBackKind.Own, null);
            var spare = socket is null ? default : Begin(session, DialBackKind.Spare, socket);
            try
            {
                await RunAsync(own, spare, (ushort)(mapped?.External.Port ?? 0));
                Conclude(own.Test, spare.Test, mapped);
            }
            finally
            {
                End(own.Nonce);
                if (spare.Test is not null) End(spare.Nonce);
            }
        }
        finally { _testing = false; }
    }

    private async Task RunAsync((ulong Nonce, Test Test) own, (ulong Nonce, Test? Test) spare, ushort mappedPort)
    {
        var began = host.Now;
        var end = began + nat.Options.DialBackTime;
        var (asked, shown) = (began - AskAgain, began - AskAgain);
        while (host.Now < end && own.Test.Helper.IsOpen)
        {
            if (own.Test.GotThrough || spare.Test is { GotThrough: true }) return;
            if (host.Now - asked >= AskAgain && host.Now - began < 3 * AskAgain)
            {
                asked = host.Now;
                if (own.Test.Word is null) Ask(own.Test, own.Nonce, 0, mappedPort);
                if (spare.Test is { Word: null }) Ask(spare.Test, spare.Nonce, 0, 0);
            }
            if (spare.Test is { Answered: false } test && host.Now - shown >= ShowAgain && test.Word is null or DialBackKind.Asked)
            {
                shown = host.Now;
                nat.Probes.Send(test.Socket, test.Helper.Path.Remote, ProbeKind.Show, spare.Nonce, 0);
            }
            // Refused by word: another neighbour may know somebody.
            if (own.Test.Word == DialBackKind.Refused && spare.Test?.Word is null or DialBackKind.Refused) return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), host.Environment.Time);
        }
    }

    private void Conclude(Test own, Test? spare, MappedPort? mapped)
    {
        var now = host.Now;
        if (own.GotThrough || spare is { GotThrough: true })
        {
            (StrangersGetIn, TestedAt, _failures, _nobodyUntil) = (true, now, 0, TimeSpan.Zero);
            if (mapped is not null && own.GotThrough) nat.MappingConfirmed();
        }
        // With a spare socket its word counts: nobody can have been written to from there.
        else if (spare is { Answered: true, Word: DialBackKind.Asked } || (spare is null && own.Word == DialBackKind.Asked))
        {
            _nobodyUntil = TimeSpan.Zero;
            if (++_failures < nat.Options.DialBacksMin) return;
            (StrangersGetIn, TestedAt, _failures) = (false, now, 0);
        }
        else _nobodyUntil = now + TimeSpan.FromSeconds(1);
        nat.Changed();
    }

    private async Task SearchAsync()
    {
        _searching = true;
        try
        {
            if (Lifetime.Next is not { } silence || PickHelper() is not { } helper || await nat.SessionWithAsync(helper) is not { } session)
            {
                _silenceDue = host.Now + TimeSpan.FromSeconds(10);
                return;
            }
            using var socket = nat.Sockets.TryOpen();
            if (socket is null)
            {
                _silenceDue = host.Now + TimeSpan.FromMinutes(10);
                return;
            }
            var (nonce, test) = Begin(session, DialBackKind.Silence, socket);
            try
            {
                for (var i = 0; i < 3 && test.Word is null; i++)
                {
                    Ask(test, nonce, (ushort)silence.TotalSeconds, 0);
                    await Task.Delay(AskAgain, host.Environment.Time);
                }
                // There and back and there, as on a path in use; then silence.
                for (var i = 0; i < 5 && test.Word == DialBackKind.Asked && !test.Answered; i++)
                {
                    nat.Probes.Send(socket, session.Path.Remote, ProbeKind.Show, nonce, 0);
                    await Task.Delay(AskAgain, host.Environment.Time);
                }
                if (!test.Answered)
                {
                    _silenceDue = host.Now + TimeSpan.FromSeconds(10);
                    return;
                }
                nat.Probes.Send(socket, session.Path.Remote, ProbeKind.Show, nonce, 0);
                for (var end = host.Now + silence + Slack; host.Now < end && !test.GotThrough;) await Task.Delay(TimeSpan.FromSeconds(1), host.Environment.Time);
                // A neighbour that left says nothing about the router.
                if (!test.GotThrough && !session.IsOpen) return;
                Lifetime.Add(test.GotThrough);
                nat.Changed();
            }
            finally { End(nonce); }
        }
        finally { _searching = false; }
    }

    private (ulong Nonce, Test Test) Begin(Session helper, DialBackKind kind, IExtraSocket? socket)
    {
        var (nonce, test) = (nat.Probes.Open(this), new Test(helper, kind, socket));
        Tests[nonce] = test;
        return (nonce, test);
    }

    private void End(ulong nonce)
    {
        Tests.Remove(nonce);
        nat.Probes.Close(nonce);
    }

    private static void Ask(Test test, ulong nonce, ushort seconds, ushort port)
    {
        Span<byte> body = stackalloc byte[DialBackAsk.Bytes];
        new DialBackAsk(test.Kind, nonce, seconds, port).Write(body);
        test.Helper.Send(FrameType.DialBackAsk, body);
    }

    /// <summary>The next of the full peers with a direct way, so that no single one decides.</summary>
    private Peer? PickHelper()
    {
        var all = host.Peers.All;
        for (var i = 0; i < all.Count; i++)
        {
            var peer = all[_helperTurn++ % all.Count];
            if (peer.IsValidated && nat.IsFull(peer) && peer.Address.IsIPv4 == host.LanAddress.IsIPv4
                && host.Sessions.Find(peer) is null or { Path.Kind: PathKind.Direct }) return peer;
        }
        return null;
    }
}
