using System.Globalization;

namespace Polder.Simulation.Scenarios;

/// <summary>Clocks that are wrong by up to a day, run fast or slow, and jump: nothing hangs, nothing expires, only what comes from more than a day ahead waits.</summary>
internal static class ClockScenario
{
    public static Scenario Scenario { get; } = new(
        "clocks", "Clocks are wrong by up to 24 hours, drift and jump: the overlay and the ledger go on as if they were right.",
        [1, 2, 3, 4], 5, Play);

    private static void Play(ScenarioRun run)
    {
        var world = run.NewWorld(run.DrawLink(lossMax: 0.1));
        var society = new LedgerSociety(world);
        for (var i = 0; i < run.Nodes; i++)
        {
            // The two ends of the day first, the rest between them.
            var hours = i switch { 0 => 24, 1 => -24, _ => run.Swarm.Next(-24, 24) };
            society.Add(string.Create(CultureInfo.InvariantCulture, $"n{i}"), new Home { ClockOffset = TimeSpan.FromHours(hours), ClockDriftPpm = run.Swarm.Next(-500, 500) });
        }
        world.RunFor(20.Seconds);
        society.Work(Polder.Runtime.Prng.Derive(run.Seed, "owners"), 1.Seconds);
        for (var i = 0; i < 6; i++)
        {
            world.RunFor(20.Seconds);
            var node = run.Swarm.Pick(society.Honest);
            var jump = TimeSpan.FromMinutes(run.Swarm.Next(-60, 60));
            // No clock leaves the day around the right time.
            if ((node.ClockOffset + jump).Duration() <= 24.Hours) node.ClockOffset += jump;
        }
        society.Rest();
        world.EndFaults();
        world.RunFor(1.Minutes);
        var took = world.RunUntil(society.Agrees, 3.Minutes, "everybody holds every chain", 1.Seconds, () => society.Missing() ?? "");
        society.CheckAtEnd();
        if (society.Agreed == 0) world.Fail("no record was agreed");
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{society.Proposed} proposed, {society.Agreed} agreed, {society.SigningsRefused} refused because they come from more than a day ahead; one view after {took.TotalSeconds:0} s"));
    }
}
