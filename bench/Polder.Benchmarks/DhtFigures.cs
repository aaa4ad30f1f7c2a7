using System.Globalization;
using Polder.Node;
using Polder.Overlay.Dht;
using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Benchmarks;

/// <summary>
/// How long a search in our DHT takes: among 50 whole nodes over 127.0.0.1, in sessions, and in a simulated network of 1,000 nodes
/// (with --full 10,000; POLDER_BENCH_DHT_NODES says another number) with round trips of 5 to 400 ms, 3 % loss, a fifth of the nodes suddenly gone and a half-life of one hour, on one path.
/// </summary>
internal static class DhtFigures
{
    private const int Nodes = 50, Values = 40, Searches = 400;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var figures = new List<Figure>();
        figures.AddRange(await LoopbackAsync(say, stop).ConfigureAwait(false));
        figures.AddRange(Simulated(say));
        return figures;
    }

    private static async Task<IReadOnlyList<Figure>> LoopbackAsync(Action<string> say, CancellationToken stop)
    {
        using var folder = new BenchFolder();
        var nodes = new List<PolderNode>();
        try
        {
            for (var i = 0; i < Nodes; i++)
            {
                var options = new NodeOptions { Data = folder.File(string.Create(CultureInfo.InvariantCulture, $"n{i}")), Port = 0, Loopback = true };
                var node = await new NodeBuilder(options with { Overlay = options.Overlay.WithoutRates() }).StartAsync(stop).ConfigureAwait(false);
                if (i > 0) await node.InvokeAsync(() => node.Host.WalkTo(nodes[0].UdpEndpoint)).ConfigureAwait(false);
                nodes.Add(node);
            }
            for (var tries = 0; ; tries++)
            {
                var ready = 0;
                foreach (var node in nodes)
                    if (await node.InvokeAsync(() => Of(node).Snapshot() is { HasJoined: true, TableSize: >= 16 }).ConfigureAwait(false)) ready++;
                if (ready == Nodes) break;
                if (tries > 240) throw new InvalidOperationException($"Only {ready} of {Nodes} nodes joined the DHT.");
                await Task.Delay(250, stop).ConfigureAwait(false);
            }
            var keys = new List<Polder.Cryptography.Hash256>();
            for (var i = 0; i < Values; i++)
            {
                var node = nodes[i % Nodes];
                var value = new byte[32];
                System.Security.Cryptography.RandomNumberGenerator.Fill(value);
                keys.Add((await node.Host.Environment.Loop.InvokeAsync(() => Of(node).PutAsync(value, keep: false)).ConfigureAwait(false)).Key);
            }
            var times = new List<double>();
            var found = 0;
            for (var i = 0; i < Searches; i++)
            {
                var node = nodes[(i * 7 + 3) % Nodes];
                var findings = await node.Host.Environment.Loop.InvokeAsync(() => Of(node).GetAsync(keys[i % Values])).ConfigureAwait(false);
                // What lies here anyway is no search.
                if (findings.Questions == 0) continue;
                times.Add(findings.Took.TotalMilliseconds);
                if (findings.Record is not null) found++;
            }
            times.Sort();
            var (p50, p95) = (times[times.Count / 2], times[(int)(times.Count * 0.95)]);
            say($"{found} of {times.Count} searches among {Nodes} nodes found; p50 {p50:0.0} ms, p95 {p95:0.0} ms");
            return
            [
                new("find among 50 nodes over 127.0.0.1, median", p50, "ms", 5, p50 / 5, "below 5 ms", p50 < 5),
                new("the same, 95th percentile", p95, "ms", 20, p95 / 20, "below 20 ms", p95 < 20),
            ];
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static DhtService Of(PolderNode node) => node.Host.Find<DhtService>()!;

    private static List<Figure> Simulated(Action<string> say)
    {
        var count = (int)BenchScale.Of("DHT_NODES", small: 1_000, full: 10_000);
        var dht = new DhtOptions().ForLaboratory() with { PublishesContact = false, Paths = 1 };
        var world = new DhtWorld(new World(1, options: new WorldOptions { Scenario = "dht" }), new DhtWorldOptions
        {
            Nodes = count, JoinsPerSecond = Math.Max(50, count / 60), Overlay = DhtWorldOptions.Quiet(dht),
        });
        world.Grow();
        world.Store(200);
        world.Live(TimeSpan.FromMinutes(1));
        world.KillShare(0.2);
        var round = world.Measure(1_000);
        say($"{count} simulated nodes: {round}");
        var (p50, p95, p99) = (round.P50.TotalMilliseconds, round.P95.TotalMilliseconds, round.P99.TotalMilliseconds);
        return
        [
            new("find among simulated nodes, median", p50, "ms", 300, p50 / 300, "below 300 ms", p50 < 300),
            new("the same, 95th percentile", p95, "ms", 1_000, p95 / 1_000, "below 1 s", p95 < 1_000),
            new("the same, 99th percentile", p99, "ms", 2_500, p99 / 2_500, "below 2.5 s", p99 < 2_500),
            new("searches that found", 100 * round.Success, "%", 99.5, round.Success / 0.995, "at least 99.5 %", round.Success >= 0.995),
            new("questions for one search on one path", round.QuestionsMean, "", 25, round.QuestionsMean / 25, "at most 25", round.QuestionsMean <= 25),
        ];
    }
}
