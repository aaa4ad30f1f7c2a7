
namespace Polder.Simulation.Scenarios;

/// <summary>Phase A of a scenario: faults drawn from the seed, until it ends.</summary>
/// <remarks>Everything that a storm breaks, <see cref="End"/> mends: cuts are healed, links are calm, nodes run.</remarks>
public sealed class Storm
{
    private readonly World _world;
    private readonly ScenarioRun _run;
    private readonly HashSet<string> _spared;
    private bool _over;

    private Storm(ScenarioRun run, World world, IEnumerable<string> spared) =>
        (_run, _world, _spared) = (run, world, spared.ToHashSet(StringComparer.Ordinal));

    /// <summary>Whether nodes crash in this storm.</summary>
    public bool Crashes { get; private init; }

    /// <summary>Whether the network falls apart in this storm.</summary>
    public bool Cuts { get; private init; }

    /// <summary>Whether NAT boxes forget and move in this storm.</summary>
    public bool Boxes { get; private init; }

    /// <summary>Whether nodes go elsewhere while they run in this storm.</summary>
    public bool Roams { get; private init; }

    /// <summary>A storm over a world: about every <paramref name="mean"/> something breaks. Which kinds is drawn from the seed. Spared nodes do not crash.</summary>
    public static Storm Begin(ScenarioRun run, World world, TimeSpan mean, params IEnumerable<string> spared)
    {
        var storm = new Storm(run, world, spared)
        {
            Crashes = run.Swarm.Chance(0.7), Cuts = run.Swarm.Chance(0.7), Boxes = run.Swarm.Chance(0.5), Roams = run.Swarm.Chance(0.3),
        };
        storm.PlanNext(mean);
        return storm;
    }

    /// <summary>Mends everything and starts what is down.</summary>
    public void End()
    {
        _over = true;
        _world.EndFaults();
        foreach (var node in _world.Nodes)
            if (!node.IsRunning) _world.Restart(node.Name);
    }

    private void PlanNext(TimeSpan mean) => _world.At(_world.Now + mean * (0.2 + 1.6 * _run.Swarm.NextDouble()), () =>
    {
        if (_over) return;
        Break();
        PlanNext(mean);
    });

    private void Break()
    {
        var swarm = _run.Swarm;
        switch (swarm.Next(7))
        {
            case 0 or 1 when Crashes:
                Crash(_run.Swarm.Pick(_world.Nodes), TimeSpan.FromSeconds(swarm.Next(1, 60)));
                break;
            case 2 when Cuts:
                var (left, right) = Halves();
                // Now and then one node hears both sides.
                if (swarm.Chance(0.2) && left.Count > 1) left.RemoveAt(swarm.Next(left.Count));
                if (swarm.Chance(0.3)) _world.Clog(left, right, TimeSpan.FromSeconds(swarm.Next(1, 10)));
                else _world.Partition(left, right, oneWay: swarm.Chance(0.3));
                _world.At(_world.Now + TimeSpan.FromSeconds(swarm.Next(1, 60)), () => { if (!_over) _world.Heal(); });
                break;
            case 3 when Boxes:
                if (swarm.Pick(_world.Nodes).Box is { } box)
                {
                    if (swarm.Chance(0.5)) box.ChangeAddress();
                    else box.Forget();
                }
                break;
            case 5 when Cuts:
                _world.SwizzleClog(swarm, TimeSpan.FromSeconds(swarm.Next(2, 20)));
                break;
            case 6 when Roams:
                var traveller = swarm.Pick(_world.Nodes);
                // Out and back home, as from Wi-Fi to mobile; who is spared is where others look for it.
                if (_spared.Contains(traveller.Name) || traveller.Home.Box is not null) break;
                var home = traveller.Home;
                _world.Roam(traveller.Name, home with { Nat = NatBehaviour.PortRestricted });
                _world.At(_world.Now + TimeSpan.FromSeconds(swarm.Next(5, 40)), () => _world.Roam(traveller.Name, home));
                break;
            case 4:
                var node = swarm.Pick(_world.Nodes);
                node.ClockOffset += TimeSpan.FromMinutes(swarm.Next(-60, 60));
                _world.Note($"{node.Name}'s clock jumps");
                break;
        }
    }

    private void Crash(SimulatedNode node, TimeSpan down)
    {
        if (_spared.Contains(node.Name)) return;
        _world.Crash(node.Name);
        _world.At(_world.Now + down, () => { if (!_over && !node.IsRunning) _world.Restart(node.Name); });
    }

    private (List<string> Left, List<string> Right) Halves()
    {
        List<string> left = [], right = [];
        foreach (var node in _world.Nodes) (_run.Swarm.Chance(0.5) ? left : right).Add(node.Name);
        return (left, right);
    }
}
