using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>
/// One attempt of two nodes to open their NATs for each other (Overlay §6.3–6.5). Both hold the other's signed record, that came
/// through helpers or their relayed session; each does its side of the strategy; the first probe that is answered is the way.
/// </summary>
internal sealed class Puncture : IProbeTaker
{
    /// <summary>When each address is probed, since the start (OV-6.2).</summary>
    private static readonly int[] Schedule = [0, 30, 90, 200, 400, 800, 1500, 2500, 4000];
    private static readonly TimeSpan BurstInterval = TimeSpan.FromMilliseconds(300), PortTime = TimeSpan.FromMilliseconds(400), LosersFor = TimeSpan.FromSeconds(2);
    private const int Bursts = 3, AnswersMax = 256, ProbesBackMax = 64, WitnessesMax = 8, TargetsMax = 10;

    private readonly NodeHost _host;
    private readonly Punctures _owner;
    private readonly List<Witness> _witnesses = [];
    private readonly PunctureSockets _sockets;
    private readonly TaskCompletionSource<FoundPath?> _found = new();
    private int _answers, _probesBack, _probesSent;
    private Endpoint? _freshOuter;
    private IExtraSocket? _fresh;
    private bool _begun, _bursting, _spraying, _sprayed, _opening;

    /// <summary>A helper's own word about the other side.</summary>
    private readonly record struct Witness(Endpoint Network, Endpoint SeenAt, Session Helper);

    public Puncture(NodeHost host, Punctures owner, PublicKey other, bool isInitiator)
    {
        (_host, _owner, Other, IsInitiator, Began) = (host, owner, other, isInitiator, host.Now);
        _sockets = new PunctureSockets(host);
        Nonce = host.Nat.Probes.Open(this);
    }

    public PublicKey Other { get; }
    public bool IsInitiator { get; }
    public TimeSpan Began { get; }
    public ulong Nonce { get; }

    /// <summary>The newest record of the other; null while none came.</summary>
    public PunctureRecord? Theirs { get; private set; }

    /// <summary>When the other's record was shown to be fresh: it repeats our nonce.</summary>
    public TimeSpan? FreshAt { get; private set; }

    public Strategy Strategy { get; private set; }

    public bool IsOver { get; private set; }

    /// <summary>Whether anything was heard of the other side through a helper.</summary>
    public IEnumerable<Session> Helpers => _witnesses.Select(static witness => witness.Helper);

    /// <summary>The first way that worked; null when the puncture is over without.</summary>
    public Task<FoundPath?> Found => _found.Task;

    /// <summary>Probes sent so far.</summary>
    public int ProbesSent => _probesSent;

    /// <summary>Done when our record says all that it can: behind a sequential router, its newest port.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Why what could have been done was not done; empty when all was.</summary>
    public string Hindrance { get; private set; } = "";

    /// <summary>A record of the other side came through that helper (or, where it is null, through our own relayed session).</summary>
    public void Heard(PunctureRecord record, Session? helper, Endpoint seenAt, TimeSpan helperRoundTrips)
    {
        if (IsOver) return;
        if (helper is not null && _witnesses.Count < WitnessesMax && !_witnesses.Any(witness => witness.Helper == helper && witness.SeenAt == seenAt))
        {
            var options = _host.Options;
            _witnesses.Add(new Witness(helper.Path.Remote.Network(options.WidePrefixIPv4, options.WidePrefixIPv6), seenAt, helper));
        }
        var isFresh = record.Echo == Nonce;
        if (isFresh) FreshAt = _host.Now;
        var isUpdate = Theirs is null || (isFresh && Theirs.Echo != Nonce) || Theirs.Outer != record.Outer;
        // The record that repeats our nonce is the one that counts; a first record that comes late is old.
        if (Theirs is null || isFresh || Theirs.Echo != Nonce) Theirs = record;
        Strategy = Strategies.Choose(_host.Nat.Class, Theirs.Class);
        if (!_begun)
        {
            _begun = true;
            // The initiator hears our answer half of both round trips from now; then both begin.
            _host.Nat.Watch(RunAsync(IsInitiator == (Strategy == Strategy.PredictBoth) ? helperRoundTrips / 2 : TimeSpan.Zero));
        }
        else if (isUpdate && _bursting) _host.Nat.Watch(BurstAsync());
        MaybeBirthday();
    }

    public void Receive(IExtraSocket? via, Endpoint from, in PunctureProbe probe)
    {
        if (IsOver || Theirs is null || probe.SenderNonce != Theirs.Nonce) return;
        if (probe.Kind == ProbeKind.Probe)
        {
            if (++_answers > AnswersMax) return;
            _host.Nat.Probes.Send(via, from, ProbeKind.Answer, Theirs.Nonce, Nonce);
            // It got through to us; whether we get through to it shows the answer to a probe of our own.
            if (!_found.Task.IsCompleted && ++_probesBack <= ProbesBackMax) Send(via, from);
            return;
        }
        if (probe.Kind != ProbeKind.Answer || _found.Task.IsCompleted) return;
        SessionPath path = via is null ? new DirectPath(_host, from) : new SocketPath(via, from);
        if (via is not null) _host.Nat.Sockets.Keep(via);
        _found.TrySetResult(new FoundPath(path, OriginOf(via, from)));
        _host.Nat.Watch(CloseLosersAsync());
    }

    /// <summary>Ends it: nothing is sent or answered any more.</summary>
    public void End()
    {
        if (IsOver) return;
        IsOver = true;
        _host.Nat.Probes.Close(Nonce);
        _sockets.CloseLosers();
        if (_opening || _spraying) _owner.Caps.End();
        _found.TrySetResult(null);
    }

    /// <summary>What we tell the other now.</summary>
    public PunctureRecord Record()
    {
        var view = _host.Nat.Verdict;
        var addresses = new List<CandidateAddress>(4);
        if ((_freshOuter ?? view.Outer) is { } outer) addresses.Add(new CandidateAddress(CandidateKind.Outer, outer));
        if (_host.LanAddress is { IsSendable: true } lan && lan != view.Outer) addresses.Add(new CandidateAddress(CandidateKind.Lan, lan));
        if (_host.Nat.Mapped is { IsConfirmed: true } mapped) addresses.Add(new CandidateAddress(CandidateKind.Mapped, mapped.External));
        var sockets = view.Class.IsRandom() && _host.Environment.ExtraSockets is not null ? _host.Nat.BirthdaySockets : 0;
        return new PunctureRecord(
            _host.Identity.Public, _host.Nat.Class, _host.Nat.Mapped is { IsBehindTwo: true }, Step(view), view.WindowFrom, view.WindowTo, Nonce,
            Theirs?.Nonce ?? 0, sockets, addresses);
    }

    /// <summary>Which way our router counts shows best in the newest port: it came after all that others saw.</summary>
    private int Step(NatVerdict view)
    {
        if (view.Step == 0 || _freshOuter is not { } fresh || view.Outer is not { } before || fresh.Port == before.Port) return view.Step;
        // At the end of its range it begins again.
        var rises = fresh.Port > before.Port == Math.Abs(fresh.Port - before.Port) < 4_096;
        return rises ? Math.Abs(view.Step) : -Math.Abs(view.Step);
    }

    private async Task RunAsync(TimeSpan delay)
    {
        var ownClass = _host.Nat.Class;
        if (ownClass == NatClass.Sequential && Strategy is Strategy.Predict or Strategy.PredictBoth)
        {
            // A socket that wrote to nobody yet: an old mapping towards the other would have an old port.
            _sockets.TryOpen(out _fresh);
            Ready = RefreshPortAsync();
            if (Strategy == Strategy.PredictBoth)
            {
                await PredictBothAsync(delay);
                return;
            }
            // The mapping towards the other is made right behind the one whose port a helper tells us.
            ProbeAll();
            delay = TimeSpan.Zero;
            await Ready;
            if (IsInitiator && _freshOuter is not null) _owner.Tell(this);
        }
        // Neither side of a birthday moves before the other's word is shown to be new: it repeats our nonce.
        else if (IsInitiator && Strategy == Strategy.Birthday) _owner.Tell(this);
        if (delay > TimeSpan.Zero) await Task.Delay(delay, _host.Environment.Time);
        if (Theirs!.Class == NatClass.Sequential && ownClass.HasOnePort())
        {
            _bursting = true;
            for (var i = 0; i < Bursts; i++) _host.Nat.Watch(BurstAsync(BurstInterval * i));
        }
        var began = _host.Now;
        foreach (var at in Schedule)
        {
            var wait = began + TimeSpan.FromMilliseconds(at) - _host.Now;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, _host.Environment.Time);
            if (IsOver || _found.Task.IsCompleted) return;
            ProbeAll();
        }
    }

    /// <summary>Learns which port a new mapping of our sequential router gets at this moment: by a spare socket, from a helper.</summary>
    private async Task RefreshPortAsync()
    {
        if (Helpers.FirstOrDefault() is not { } helper || await _host.Nat.AskPortAsync(_fresh, helper, PortTime) is not { } seen) return;
        _freshOuter = seen;
    }

    /// <summary>Both count up: the i-th of each must leave from where the i-th of the other goes, so nothing else is sent before.</summary>
    private async Task PredictBothAsync(TimeSpan delay)
    {
        await Ready;
        if (IsInitiator)
        {
            _owner.Tell(this);
            if (delay > TimeSpan.Zero) await Task.Delay(delay, _host.Environment.Time);
        }
        // The other begins when it gets our newest port.
        else
            for (var end = _host.Now + PortTime * 4; _host.Now < end && FreshAt is null;) await Task.Delay(TimeSpan.FromMilliseconds(10), _host.Environment.Time);
        _bursting = !IsInitiator;
        for (var i = 0; i < Bursts; i++)
        {
            if (i > 0) await Task.Delay(BurstInterval, _host.Environment.Time);
            if (IsOver || _found.Task.IsCompleted) return;
            await BurstAsync();
        }
    }

    private async Task BurstAsync(TimeSpan delay = default)
    {
        if (delay > TimeSpan.Zero) await Task.Delay(delay, _host.Environment.Time);
        if (IsOver || _found.Task.IsCompleted || Theirs?.Outer is not { } outer || !MayAim(outer)) return;
        SendBurst(outer, Theirs.Step);
    }

    private void SendBurst(Endpoint outer, int step)
    {
        Span<ushort> ports = stackalloc ushort[PortPrediction.PortsMax];
        PortPrediction.Fill(outer.Port, step == 0 ? 1 : step, ports);
        foreach (var port in ports) Send(_fresh, outer.WithPort(port));
    }

    /// <summary>The random side opens its sockets, the other probes ports, once it may.</summary>
    private void MaybeBirthday()
    {
        if (Strategy != Strategy.Birthday || Theirs is not { } theirs || FreshAt is not { } fresh || _host.Now - fresh > _host.Options.Nat.ConsentLifetime) return;
        if (_host.Nat.Class.IsRandom())
        {
            if (_opening || theirs.Outer is not { } to || !MayAim(to)) return;
            if (!_owner.Caps.TryBegin(_host.Now))
            {
                Hindrance = "too many punctures of this kind lately";
                return;
            }
            _opening = true;
            _host.Nat.Watch(OpenSocketsAsync(to));
            return;
        }
        // Consent (OV-6.6): its own fresh word names the address, and helpers of different networks see it there.
        if (_sprayed || theirs.Outer is not { } outer) return;
        if (theirs.Sockets == 0)
        {
            Hindrance = "the other side has no sockets to offer";
            return;
        }
        var networks = _witnesses.Where(witness => witness.SeenAt.SameAddress(outer)).Select(static witness => witness.Network).Distinct().Count();
        if (networks < _host.Options.Nat.ConsentHelpers)
        {
            Hindrance = $"{networks} helpers see the other side where it says it is, {_host.Options.Nat.ConsentHelpers} are needed";
            return;
        }
        if (!MayAim(outer)) return;
        if (!_owner.Caps.TryBegin(_host.Now))
        {
            Hindrance = "too many punctures of this kind lately";
            return;
        }
        (_spraying, _sprayed, Hindrance) = (true, true, "");
        _host.Nat.Watch(SprayAsync(outer, theirs));
    }

    private async Task OpenSocketsAsync(Endpoint to)
    {
        const int Batch = 16, AgainMax = 16;
        var (wanted, again) = (_host.Nat.BirthdaySockets, 0);
        while (!IsOver && !_found.Task.IsCompleted)
        {
            var opened = 0;
            while (opened < Batch && _sockets.Count < wanted && _sockets.TryOpen(out var socket))
            {
                Send(socket, to);
                opened++;
            }
            // All are open: again and again a few, so that a filter that opened meanwhile lets one in.
            if (opened == 0)
            {
                if (again++ >= AgainMax) return;
                wanted = _sockets.Count;
                for (var i = 0; i < Math.Min(Batch, _sockets.Count); i++) Send(_sockets.Next(), to);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(opened > 0 ? 25 : 200), _host.Environment.Time);
        }
    }

    private async Task SprayAsync(Endpoint outer, PunctureRecord theirs)
    {
        var options = _host.Options.Nat;
        var plan = new BirthdayPlan(_host.Environment.Random, theirs.WindowFrom, theirs.WindowTo);
        var each = Math.Max(1, options.BirthdayProbesPerSecond / 20);
        var left = options.BirthdayProbes;
        while (left > 0 && !IsOver && !_found.Task.IsCompleted)
        {
            for (var i = 0; i < each && left > 0; i++, left--)
            {
                if (plan.Next() is not { } port || !_owner.Caps.TryProbe(outer, _host.Now))
                {
                    left = 0;
                    break;
                }
                Send(null, outer.WithPort(port));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), _host.Environment.Time);
        }
        // Somebody else's turn; late answers are still taken.
        if (!_spraying) return;
        _spraying = false;
        _owner.Caps.End();
    }

    private void ProbeAll()
    {
        var isFirst = _probesSent == 0;
        foreach (var target in Targets(isFirst)) Send(_fresh, target);
    }

    /// <summary>Where the other may be, the nearest first: in our own network only when both are behind the same address.</summary>
    private List<Endpoint> Targets(bool isFirst)
    {
        var targets = new List<Endpoint>(4);
        var own = _host.Nat.Verdict.Outer;
        var theirs = Theirs!.Outer;
        var sharesNetwork = SharesNetwork;
        foreach (var candidate in Theirs.Addresses)
            if (candidate.Kind == CandidateKind.Lan ? sharesNetwork : candidate.Kind == CandidateKind.Mapped) Add(candidate.Address);
        if (theirs is { } outer) Add(outer);
        // Where helpers see it is newer than what it knows itself.
        foreach (var witness in _witnesses) Add(witness.SeenAt);
        // Of a router with a port for each, the ports that others see are other ports: the address is what matters, once.
        if (!Theirs.Class.HasOnePort() && !isFirst && targets.Count > 1 && own is not null) targets.RemoveRange(1, targets.Count - 1);
        return targets;

        void Add(Endpoint address)
        {
            if (targets.Count < TargetsMax && _host.Nat.Probes.MayProbe(address, sharesNetwork) && !targets.Contains(address)) targets.Add(address);
        }
    }

    private bool SharesNetwork => _host.Nat.Verdict.Outer is not { } own || Theirs?.Outer is not { } theirs || own.SameAddress(theirs);

    private bool MayAim(Endpoint at) => _host.Nat.Probes.MayProbe(at.WithPort(Math.Max(at.Port, (ushort)1024)), SharesNetwork);

    private void Send(IExtraSocket? via, Endpoint to)
    {
        if (Theirs is null) return;
        _probesSent++;
        _host.Nat.Probes.Send(via, to, ProbeKind.Probe, Theirs.Nonce, Nonce);
    }

    private PathOrigin OriginOf(IExtraSocket? via, Endpoint from)
    {
        if (via is not null) return via == _fresh ? PathOrigin.Predicted : PathOrigin.Birthday;
        foreach (var candidate in Theirs!.Addresses)
            if (candidate.Kind == CandidateKind.Lan && candidate.Address == from && from != Theirs.Outer) return PathOrigin.Lan;
        if (_host.Nat.Verdict.Outer is { } own && own.SameAddress(from)) return from == _host.LanAddress ? PathOrigin.Lan : PathOrigin.Hairpin;
        return Strategy switch
        {
            Strategy.Direct => PathOrigin.Direct,
            Strategy.Reverse => PathOrigin.Reverse,
            Strategy.Predict or Strategy.PredictBoth => PathOrigin.Predicted,
            Strategy.Birthday => PathOrigin.Birthday,
            _ => PathOrigin.Simultaneous,
        };
    }

    private async Task CloseLosersAsync()
    {
        await Task.Delay(LosersFor, _host.Environment.Time);
        _sockets.CloseLosers();
        if (!_opening && !_spraying) return;
        (_opening, _spraying) = (false, false);
        _owner.Caps.End();
    }
}
