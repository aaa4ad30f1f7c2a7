using System.Globalization;
using Polder.Ledger.Dissemination;
using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Benchmarks;

/// <summary>
/// How soon a fork is proven and known in a simulated network, and what spreading costs a node: push with pull, pull alone, and with 30 %
/// hostile gossipers and 10 % loss. 300 nodes in every run, 10,000 with --full (a quarter of an hour and 2 GB each), or as many as
/// POLDER_BENCH_FORK says. Times are virtual, so they do not hang on the machine.
/// </summary>
internal static class ForkFigures
{
    private const ulong Seed = 1;

    /// <summary>What was published for 10,000 peers: push and pull, pull alone, and kilobytes a second.</summary>
    private const double PublishedSeconds = 3.6, PublishedPullSeconds = 63.5, PublishedKilobytes = 35, SecondsMax = 5;

    public static Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var nodes = (int)BenchScale.Of("FORK", 300, 10_000);
        var (both, bothKnown, kilobytes) = Play(nodes, 0, pushes: true, say);
        stop.ThrowIfCancellationRequested();
        var (hostile, hostileKnown, _) = Play(nodes, 0.3, pushes: true, say);
        stop.ThrowIfCancellationRequested();
        var figures = new List<Figure>
        {
            new($"ledger: fork proven among {nodes:N0} nodes, median", both, "s", PublishedSeconds, both / PublishedSeconds, "below 5 s", both < SecondsMax),
            new("ledger: known to 95 % of them", bothKnown, "s", null, null),
            new("ledger: spreading, of one node", kilobytes, "kB/s", PublishedKilobytes, kilobytes / PublishedKilobytes, "below 35", kilobytes < PublishedKilobytes),
            new("ledger: fork proven, 30 % hostile, 10 % loss", hostile, "s", null, null, "below 5 s", hostile < SecondsMax),
            new("ledger: known to 95 % then", hostileKnown, "s", null, null),
        };
        // Minutes of virtual time: among few only.
        var few = Math.Min(nodes, 300);
        var (pull, _, _) = Play(few, 0, pushes: false, say);
        figures.Add(new($"ledger: fork proven by pull alone among {few}, median", pull, "s", PublishedPullSeconds, pull / PublishedPullSeconds));
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }

    private static (double Detected, double Known, double Kilobytes) Play(int nodes, double hostile, bool pushes, Action<string> say)
    {
        var link = new LinkModel
        {
            Latency = TimeSpan.FromMilliseconds(10), Spread = TimeSpan.FromMilliseconds(140), SpreadSkew = 2, Jitter = TimeSpan.FromMilliseconds(10), Loss = hostile > 0 ? 0.1 : 0,
        };
        var world = new World(Seed, link, new WorldOptions { Scenario = "fork" });
        var play = new ForkWorld(world, new ForkWorldOptions
        {
            Nodes = nodes, Hostile = hostile, Forks = 3, RecordsPerSecond = nodes >= 3_000 ? 0.2 : 0.5, Spreading = new DisseminationOptions { Pushes = pushes },
        });
        var forks = play.Play();
        var (detected, known) = (ForkWorld.Median(forks.Select(fork => fork.Detected)).TotalSeconds, ForkWorld.Median(forks.Select(fork => fork.Known)).TotalSeconds);
        say(string.Create(CultureInfo.InvariantCulture,
            $"{nodes} nodes from seed {Seed}, {(pushes ? "push and pull" : "pull alone")}{(hostile > 0 ? ", 30 % hostile, 10 % loss" : "")}: proven after {detected:0.00} s, known after {known:0.0} s, {play.SpreadKilobytesPerSecond:0.00} kB/s of {play.KilobytesPerSecond:0.00}"));
        return (detected, known, play.SpreadKilobytesPerSecond);
    }
}
