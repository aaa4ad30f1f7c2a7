using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Benchmarks;

/// <summary>A large world on virtual time.</summary>
internal static class SimulatorFigures
{
    private const double SecondsMax = 3;

    private const double KilobytesMax = 20;

    public static Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        // The first world also pays for the compiler; it is the one that a person waits for, so it is shown too.
        List<double> seconds = [];
        for (var round = 0; round < 3; round++)
        {
            stop.ThrowIfCancellationRequested();
            var cost = ProcessorTime.OfProcess();
            var figures = SimulationFigures.Measure(TimeProvider.System, seed: (ulong)round + 1);
            seconds.Add(figures.Real.TotalSeconds);
            say($"{figures.Nodes} nodes, {figures.Virtual.TotalMinutes:0} virtual minutes: {figures.Real.TotalSeconds:0.00} s, of the processors {(ProcessorTime.OfProcess() - cost).TotalSeconds:0.00} s, {figures.Datagrams} datagrams");
        }
        var first = seconds[0];
        var median = Rounds.Median(seconds);
        var memory = Memory(say, (int)BenchScale.Of("WORLD_NODES", small: 500, full: 10_000));
        return Task.FromResult<IReadOnlyList<Figure>>(
        [
            .. memory,
            new("500 nodes for 10 virtual minutes, median of three worlds", median, "s", SecondsMax, median / SecondsMax, "below 3 s", median < SecondsMax),
            new("the same, the first world of the process", first, "s", SecondsMax, first / SecondsMax),
        ]);
    }

    /// <summary>
    /// A world of nodes with overlay and DHT of which a fifth goes within an hour (sessions off, signatures stood in for): what a node takes
    /// of the memory after a garbage collection, the world's own share included, and whether it finds what was stored.
    /// </summary>
    private static List<Figure> Memory(Action<string> say, int count)
    {
        var before = Held();
        var (clock, began) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        var world = new DhtWorld(new World(1, options: new WorldOptions { Scenario = "dht" }), new DhtWorldOptions
        {
            Nodes = count, JoinsPerSecond = Math.Max(50, count / 60), HalfLife = TimeSpan.FromHours(3.1), Overlay = DhtWorldOptions.Large(),
        });
        world.Grow();
        world.Store(100);
        world.Live(TimeSpan.FromMinutes(2));
        var kilobytes = (Held() - before) / 1024.0 / world.Alive.Count;
        var round = world.Measure(500);
        say($"{count} nodes with overlay and DHT: {kilobytes:0.0} KB each; {round}; {clock.GetElapsedTime(began).TotalSeconds:0} s for {world.World.Now}");
        GC.KeepAlive(world);
        return
        [
            new($"memory per node, {count} nodes with overlay and DHT", kilobytes, "KB", KilobytesMax, kilobytes / KilobytesMax, "at most 20 KB", kilobytes <= KilobytesMax),
            new($"searches that found, {count} nodes, a fifth an hour comes and goes", 100 * round.Success, "%", 99, round.Success / 0.99, "at least 99 %", round.Success >= 0.99),
        ];

        static long Held()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }
}
