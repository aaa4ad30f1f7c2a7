using System.Globalization;
using Polder.Ledger.Dissemination;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Chains are forked among many: how long until somebody honest has the proof, and until nearly everybody has. With push and pull and with
/// pull alone; then with hostile gossipers, loss and a network that falls apart.
/// </summary>
internal static class ForkScenario
{
    /// <summary>Below it pull alone, which takes minutes of virtual time, is tried with one fork.</summary>
    private const int LargeWorld = 3_000;

    public static Scenario Scenario { get; } = new(
        "fork", "Somebody shows two versions of a block to two people: how soon it is proven and known, with 30 % hostile gossipers, loss and a cut network.",
        [1], 300, Play);

    private static LinkModel Link { get; } = new() { Latency = 10.Milliseconds, Spread = 140.Milliseconds, SpreadSkew = 2, Jitter = 10.Milliseconds };

    private static void Play(ScenarioRun run)
    {
        var large = run.Nodes >= LargeWorld;
        var calm = new ForkWorldOptions { Nodes = run.Nodes, Hostile = 0, Forks = 3, RecordsPerSecond = 0.2, Between = 10.Seconds };
        Chapter(run, 1, "push and pull", Link, calm, TimeSpan.FromSeconds(5));
        Chapter(run, 2, "pull alone", Link, calm with { Forks = large ? 3 : 1, Spreading = new DisseminationOptions { Pushes = false } }, null);
        Chapter(run, 3, "30 % hostile, 10 % loss", Link with { Loss = 0.1 }, calm with { Hostile = 0.3 }, TimeSpan.FromSeconds(5));
        Chapter(run, 4, "30 % hostile, 10 % loss, cut for 30 s", Link with { Loss = 0.1 }, calm with { Hostile = 0.3, Forks = 1, CutFor = 30.Seconds }, null);
    }

    private static void Chapter(ScenarioRun run, int chapter, string what, LinkModel link, ForkWorldOptions options, TimeSpan? wanted)
    {
        var world = run.NewWorld(link, chapter);
        var play = new ForkWorld(world, options);
        var forks = play.Play();
        var (detected, known) = (ForkWorld.Median(forks.Select(fork => fork.Detected)), ForkWorld.Median(forks.Select(fork => fork.Known)));
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{what}: proven after {detected.TotalSeconds:0.00} s (median of {string.Join(", ", forks.Select(fork => fork.Detected.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)))}), known to 95 % after {known.TotalSeconds:0.0} s; a node sends {play.KilobytesPerSecond:0.00} kB/s, {play.SpreadKilobytesPerSecond:0.00} of it for spreading; {play.Records} records meanwhile"));
        if (wanted is { } limit && detected > limit) world.Fail($"With {what} a fork is proven after {detected.TotalSeconds:0.00} s; wanted is at most {limit.TotalSeconds:0} s");
        world.ThrowIfFailed();
    }
}
