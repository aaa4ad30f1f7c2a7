using System.Globalization;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// A scripted afternoon of three nodes, played once to count the writes of one of them, then once for every write and every
/// way in which it can go wrong.
/// </summary>
internal static class CrashScenario
{
    public static Scenario Scenario { get; } = new(
        "crash", "A scripted run is repeated with a crash before, in, and after every single write to disk: nothing is lost, no chain forks.",
        [1, 2, 3], 3, Play);

    private static void Play(ScenarioRun run)
    {
        var latency = run.Swarm.Chance(0.5) ? TimeSpan.Zero : 10.Milliseconds;
        var runs = 0;
        foreach (var victim in new[] { "alice", "bob" })
        {
            var writes = Afternoon(run, victim, latency, 0, null, 0);
            for (var write = 1; write <= writes; write++)
                foreach (var fault in Enum.GetValues<DiskFault>()) Afternoon(run, victim, latency, write, fault, ++runs);
        }
        run.Say(string.Create(CultureInfo.InvariantCulture, $"{runs} afternoons with one crash each"));
    }

    private static long Afternoon(ScenarioRun run, string victim, TimeSpan latency, long write, DiskFault? fault, int chapter)
    {
        // The same world each time, up to the fault; another one for some chapters would hide which write it was.
        _ = chapter;
        var world = run.NewWorld(new LinkModel { Latency = 15.Milliseconds, Jitter = 10.Milliseconds });
        if (fault is not null) world.Note($"{fault} at write {write} of {victim}");
        var society = new LedgerSociety(world);
        var (alice, bob) = (society.Add("alice"), society.Add("bob"));
        var carol = society.Add("carol");
        foreach (var node in society.Honest) node.Disk.Latency = latency;
        if (fault is { } kind) world[victim].Disk.FaultAt(write, kind);
        world.Every(5.Seconds, () =>
        {
            // The owner starts what is down, and what says that it signs nothing more.
            foreach (var node in society.Honest)
                if (!node.IsRunning || node.Ledger?.Own.Refused is not null) world.Restart(node.Name);
        });
        world.RunFor(15.Seconds);
        society.Propose(alice, bob, 2 << 20);
        world.RunFor(1.Seconds);
        society.Propose(bob, alice, 3 << 20);
        society.Propose(bob, carol, 3 << 20);
        world.RunFor(1.Seconds);
        for (var i = 0; i < 3; i++) society.Propose(alice, carol, (1 << 20) + i);
        society.Propose(carol, alice, 5 << 20);
        world.RunFor(1.Seconds);
        society.Propose(alice, bob, 4 << 20);
        society.Propose(bob, alice, 4 << 20);
        world.RunFor(20.Seconds);
        society.Propose(alice, bob, 2 << 20);
        world.RunFor(1.Seconds);
        society.Propose(bob, alice, 2 << 20);
        world.RunFor(15.Seconds);
        world.RunUntil(society.Agrees, 3.Minutes, $"everybody holds every chain ({fault} at write {write} of {victim})", 1.Seconds, () => society.Missing() ?? "");
        society.CheckAtEnd();
        return world[victim].Disk.Writes;
    }
}
