using System.Globalization;
using Polder.Examples;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>What a scenario file can break.</summary>
internal enum FileFault { None, Cut, CutOneWay, Clog, Swizzle, Crash, Rebind, RebindNewAddress, Roam, Clocks, Heal }

/// <summary>What a scenario file says.</summary>
internal sealed class FilePlan
{
    public string About { get; set; } = "A scenario from a file.";
    public TimeSpan Duration { get; set; }
    public List<(int Count, Home Home)> Groups { get; } = [];
    public LinkModel Link { get; set; } = LinkModel.Calm;
    public TimeSpan HalfLife { get; set; }
    public bool Mischief { get; set; }
    public List<(TimeSpan At, FileFault Fault, double Share, TimeSpan Lasts)> Faults { get; } = [];
    public bool Caps { get; set; }
    public bool Amplification { get; set; }
    public TimeSpan ConnectedWithin { get; set; }
    public TimeSpan KnowWithin { get; set; }
    public int KnowPeers { get; set; }
}

/// <summary>
/// Plays a scenario file: nodes of the hello community that know the first one, faults at their times (phase A), then everything heals and
/// what is to be checked must come true (phase B).
/// </summary>
internal sealed class FilePlay(FilePlan plan, ScenarioRun run)
{
    // From here on nodes are made small.
    private const int LargeWorld = 2_000;

    private readonly Prng _random = Prng.Derive(run.Seed, "file");
    private World _world = null!;
    private bool _over;

    public void Play()
    {
        _world = run.NewWorld(plan.Link, mischief: plan.Mischief, always: true);
        if (plan.Caps) _world.Always(new TableCaps());
        if (plan.Amplification) _world.Always(new NoAmplification());
        // Whoever is larger than the file says, or smaller, keeps its mixture.
        var all = plan.Groups.Sum(static group => group.Count);
        var options = run.Nodes >= LargeWorld ? new OverlayOptions().ForLargeWorlds() : new OverlayOptions { SourceSlots = 256 };
        var number = 0;
        foreach (var (count, home) in plan.Groups)
            for (var i = 0; i < Math.Max(1, (int)Math.Round((double)count * run.Nodes / all)); i++) Add(number++, home, options);
        foreach (var (at, fault, share, lasts) in plan.Faults) _world.At(at, () => Break(fault, share, lasts));
        if (plan.HalfLife > TimeSpan.Zero) _world.Every(TimeSpan.FromSeconds(1), Churn);
        _world.RunFor(plan.Duration);
        _over = true;
        _world.EndFaults();
        foreach (var node in _world.Nodes)
            if (!node.IsRunning) _world.Restart(node.Name);
        run.Say(string.Create(CultureInfo.InvariantCulture, $"{_world.Nodes.Count} nodes, {plan.Duration.TotalMinutes:0.#} minutes of faults, {_world.Traffic.Dropped} datagrams dropped"));
        if (plan.ConnectedWithin > TimeSpan.Zero)
            Say("one network again", _world.RunUntil(() => WalkScenario.IsConnected(_world), plan.ConnectedWithin, "everybody reaches everybody", TimeSpan.FromSeconds(1)));
        if (plan.KnowWithin > TimeSpan.Zero)
        {
            var enough = Math.Min(plan.KnowPeers, _world.Nodes.Count - 1);
            Say($"everybody knows {enough}", _world.RunUntil(
                () => _world.Nodes.All(node => node.Host.Peers.Count >= enough), plan.KnowWithin, $"everybody knows {enough} others", TimeSpan.FromSeconds(1),
                () => $"{_world.Nodes.Count(node => node.Host.Peers.Count < enough)} know fewer"));
        }
        _world.CheckAll();

        void Say(string what, TimeSpan took) => run.Say(string.Create(CultureInfo.InvariantCulture, $"{what} {took.TotalSeconds:0.0} s after the faults ended"));
    }

    private void Add(int number, Home home, OverlayOptions options)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"n{number}");
        var told = number == 0 ? null : _world.Nodes[_random.Chance(0.5) ? 0 : _random.Next(number)];
        _world.AddNode(name, home, options, setUp: (_, host) =>
        {
            host.Join(context => new HelloCommunity(context));
            // As a bootstrap list: the first one, and one more.
            if (number > 0) host.WalkTo(_world.Nodes[0].PublicEndpoint);
            if (told is not null && told.Index > 0) host.WalkTo(told.PublicEndpoint);
        });
    }

    private void Churn()
    {
        if (_over) return;
        var chance = 1 - Math.Pow(0.5, 1 / plan.HalfLife.TotalSeconds);
        // The first one stays: it is whom newcomers are told of.
        for (var i = 1; i < _world.Nodes.Count; i++)
            if (_world.Nodes[i].IsRunning && _random.Chance(chance)) Down(_world.Nodes[i], TimeSpan.FromSeconds(_random.Next(1, 60)));
    }

    private void Down(SimulatedNode node, TimeSpan time)
    {
        _world.Crash(node.Name);
        if (time > TimeSpan.Zero) _world.At(_world.Now + time, () => { if (!_over && !node.IsRunning) _world.Restart(node.Name); });
    }

    private void Break(FileFault fault, double share, TimeSpan lasts)
    {
        List<string> some = [], others = [];
        foreach (var node in _world.Nodes) (_random.Chance(share) ? some : others).Add(node.Name);
        switch (fault)
        {
            case FileFault.Cut or FileFault.CutOneWay:
                _world.Partition(some, others, oneWay: fault == FileFault.CutOneWay);
                if (lasts > TimeSpan.Zero) _world.At(_world.Now + lasts, _world.Heal);
                break;
            case FileFault.Clog: _world.Clog(some, others, lasts); break;
            case FileFault.Swizzle: _world.SwizzleClog(_random, lasts); break;
            case FileFault.Heal: _world.Heal(); break;
            case FileFault.Crash:
                foreach (var name in some)
                    if (_world[name].Index > 0) Down(_world[name], lasts);
                break;
            case FileFault.Rebind or FileFault.RebindNewAddress:
                foreach (var node in _world.Nodes)
                    for (var box = node.Box; box is not null; box = box.OuterRealm.Gateway)
                        if (fault == FileFault.RebindNewAddress) box.ChangeAddress();
                        else box.Forget();
                break;
            case FileFault.Roam:
                foreach (var name in some)
                {
                    if (_world[name] is not { IsRunning: true, Index: > 0 } node) continue;
                    var home = node.Home;
                    _world.Roam(name, Home.Behind(NatBehaviour.PortRestricted));
                    if (lasts > TimeSpan.Zero) _world.At(_world.Now + lasts, () => _world.Roam(name, home));
                }
                break;
            case FileFault.Clocks:
                foreach (var node in _world.Nodes) node.ClockOffset += TimeSpan.FromMinutes(_random.Next(-60, 60));
                break;
        }
    }
}
