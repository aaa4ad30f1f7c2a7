using System.Globalization;

namespace Polder.Simulation.Scenarios;

/// <summary>People record help for each other while everything breaks: datagrams, the network, nodes and disks.</summary>
internal static class LedgerScenario
{
    public static Scenario Scenario { get; } = new(
        "ledger", "Records of help are signed while datagrams, nodes, the network and disks fail; afterwards all agree and nothing is lost.",
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 600926349], 6, Play);

    private static void Play(ScenarioRun run)
    {
        var world = run.NewWorld(run.DrawLink(), mischief: true);
        var society = new LedgerSociety(world);
        for (var i = 0; i < run.Nodes; i++)
            society.Add(string.Create(CultureInfo.InvariantCulture, $"n{i}"), new Home
            {
                // Two clocks may be a day apart before a node refuses to countersign what comes from the future.
                ClockOffset = TimeSpan.FromMinutes(run.Swarm.Next(-600, 600)), ClockDriftPpm = run.Swarm.Next(-500, 500),
            });
        world.RunFor(20.Seconds);
        society.Work(Polder.Runtime.Prng.Derive(run.Seed, "owners"), TimeSpan.FromMilliseconds(run.Swarm.Next(300, 3000)));
        var over = false;
        var storm = Storm.Begin(run, world, 20.Seconds);
        if (run.Swarm.Chance(0.8)) society.TroubleDisks(Polder.Runtime.Prng.Derive(run.Seed, "disks"), 15.Seconds, () => over);
        world.RunFor(TimeSpan.FromMinutes(run.Swarm.Next(2, 6)));
        over = true;
        society.Rest();
        storm.End();
        society.Mend();
        var took = world.RunUntil(society.Agrees, 5.Minutes, "everybody holds every chain", 1.Seconds, () => society.Missing() ?? "");
        // What is still open is answered, or waits for an owner who refused; then all is quiet again.
        world.RunFor(1.Minutes);
        world.RunUntil(society.Agrees, 5.Minutes, "everybody holds every chain at the end", 1.Seconds, () => society.Missing() ?? "");
        society.CheckAtEnd();
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{society.Proposed} records proposed, {society.Agreed} agreed, {society.Acknowledged} blocks acknowledged, {society.SigningsRefused} signings refused; one view {took.TotalSeconds:0} s after the faults"));
    }
}
