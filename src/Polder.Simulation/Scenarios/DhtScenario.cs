using System.Globalization;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Our DHT in a network that loses datagrams, whose nodes come and go, of which a fifth is suddenly gone, and of which a fifth is hostile. The
/// size is the run's; everything else that a larger world wants is in <see cref="DhtWorldOptions"/>.
/// </summary>
public static class DhtScenario
{
    /// <summary>The scenario at the size of tests.</summary>
    public static Scenario Scenario { get; } = new(
        "dht", "Values stored in the DHT are found in spite of losses, stale tables, churn and hostile nodes; floods find quotas.", [1, 2], 200, Play);

    private static void Play(ScenarioRun run)
    {
        StaleAndChurn(run);
        // One world of that size is enough for one run.
        if (run.Nodes < DhtWorldOptions.LargeWorld) Hostile(run);
    }

    private static DhtWorldOptions Options(ScenarioRun run) => run.Nodes < DhtWorldOptions.LargeWorld
        ? new DhtWorldOptions { Nodes = run.Nodes }
        // A fifth of the nodes goes in an hour, and all came within one or two virtual minutes.
        : new DhtWorldOptions { Nodes = run.Nodes, JoinsPerSecond = run.Nodes / 60, HalfLife = TimeSpan.FromHours(3.1), Overlay = DhtWorldOptions.Large() };

    private static void StaleAndChurn(ScenarioRun run)
    {
        var world = run.NewWorld();
        world.Always(new TableCaps());
        var dht = new DhtWorld(world, Options(run));
        dht.Grow();
        var usable = dht.Alive.Skip(40).Select(node => DhtWorld.Of(node).Snapshot().UsableAfter ?? TimeSpan.MaxValue).Order().ToList();
        if (usable.Count >= 20)
        {
            var p95 = usable[(int)(usable.Count * 0.95)];
            run.Say(string.Create(CultureInfo.InvariantCulture, $"{run.Nodes} nodes joined; a table of 32 after {p95.TotalSeconds:0.0} s in 95 of 100"));
            // Who joins among eighty others in the same second finds them no faster than they find each other.
            if (run.Nodes < DhtWorldOptions.LargeWorld) Require(world, p95 < TimeSpan.FromSeconds(5), $"a usable table took {p95} in 95 of 100");
        }
        var stored = dht.Store(40);
        Require(world, stored >= 38, $"only {stored} of 40 values were stored");
        dht.Live(30.Seconds);
        if (run.Nodes >= DhtWorldOptions.LargeWorld)
        {
            var calm = dht.Measure(500);
            run.Say($"a fifth an hour comes and goes: {calm}");
            Require(world, calm.Success >= 0.99, $"too few searches succeed: {calm}");
        }
        dht.KillShare(0.2);
        var round = dht.Measure(100);
        run.Say($"a fifth gone and churn: {round}");
        Require(world, round.Success >= 0.97, $"too few searches succeed: {round}");
        Require(world, round.P95 < TimeSpan.FromSeconds(1.5), $"searches are too slow: {round}");
    }

    private static void Hostile(ScenarioRun run)
    {
        var world = run.NewWorld(chapter: 1);
        var dht = new DhtWorld(world, Options(run) with { Hostile = 0.2, HalfLife = TimeSpan.Zero });
        dht.Grow();
        dht.Store(40);
        var round = dht.Measure(100);
        run.Say($"a fifth hostile: {round}");
        Require(world, round.Success >= 0.98, $"hostile nodes hide too much: {round}");
    }

    private static void Require(World world, bool holds, string otherwise)
    {
        if (holds) return;
        world.Fail(otherwise);
        world.ThrowIfFailed();
    }
}
