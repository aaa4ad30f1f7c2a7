using System.Globalization;
using Polder.Ledger.Stores;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// People restore old backups, again and again, on a bad network: each signs nothing until its peers have shown how far its chain went, forks
/// nothing, and is convicted of nothing. Some of those whom it asks were away and know less than others.
/// </summary>
internal static class RestoreScenario
{
    private const int Restores = 6;

    public static Scenario Scenario { get; } = new(
        "restore", "Nodes are restored from old backups while others are away and datagrams are lost: nobody forks, nobody is convicted, all sign again.",
        [1, 2, 3, 9, 10], 6, Play);

    private static void Play(ScenarioRun run)
    {
        var world = run.NewWorld(run.DrawLink(lossMax: 0.2));
        var society = new LedgerSociety(world);
        for (var i = 0; i < run.Nodes; i++) society.Add(string.Create(CultureInfo.InvariantCulture, $"n{i}"));
        world.RunFor(30.Seconds);
        society.Work(Polder.Runtime.Prng.Derive(run.Seed, "owners"), 1.Seconds);
        var (restored, lost, slowest) = (0, 0L, TimeSpan.Zero);
        for (var i = 0; i < Restores; i++)
        {
            // Backups: how much of each disk there was at that moment.
            var backups = society.Honest.ToDictionary(node => node, node => Platter(node).Records);
            var away = run.Swarm.Pick(society.Honest);
            world.RunFor(TimeSpan.FromSeconds(run.Swarm.Next(5, 20)));
            // Somebody misses the last of it, and is asked with the others.
            world.Crash(away.Name);
            world.RunFor(TimeSpan.FromSeconds(run.Swarm.Next(10, 30)));
            world.Restart(away.Name);
            var owner = society.Honest.FirstOrDefault(node => node != away && IsHeldElsewhere(society, node, away) && backups[node] < Platter(node).Records);
            if (owner is null) continue;
            var before = owner.Ledger!.Own.Length;
            society.Restore(owner, backups[owner]);
            lost += before - (long)owner.Ledger!.Own.Length;
            restored++;
            var took = world.RunUntil(() => owner.Ledger is { Own.Refused: null } back && back.Own.Length >= before, 4.Minutes, $"{owner.Name} has its chain back and signs", 1.Seconds,
                () => $"it has {owner.Ledger?.Own.Length} of {before} blocks; {owner.Ledger?.Own.Refused}");
            if (took > slowest) slowest = took;
        }
        society.Rest();
        world.EndFaults();
        world.RunFor(30.Seconds);
        world.RunUntil(society.Agrees, 5.Minutes, "everybody holds every chain", 1.Seconds, () => society.Missing() ?? "");
        society.CheckAtEnd();
        if (restored == 0) world.Fail("nobody was restored");
        world.ThrowIfFailed();
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{restored} backups restored that lacked {lost} blocks in all; each signed again after at most {slowest.TotalSeconds:0} s; {society.Agreed} records agreed, nobody convicted"));
    }

    private static MemoryPlatter Platter(SimulatedNode node) => node.Disk.Surface("blocks", () => new MemoryPlatter());

    /// <summary>
    /// Whether somebody else holds the whole chain, and will be asked. A block that only its signer ever had, or whose holders are all away,
    /// nobody can give back; then a node that signs nothing is right, and the scenario has nothing to show.
    /// </summary>
    private static bool IsHeldElsewhere(LedgerSociety society, SimulatedNode owner, SimulatedNode away)
    {
        if (!owner.IsRunning || owner.Ledger is not { } ledger || ledger.Own.Refused is not null || ledger.Own.FlushedTo != ledger.Own.Length) return false;
        foreach (var other in society.Honest)
            if (other != owner && other != away && other.IsRunning && other.Ledger!.Store.CountOf(ledger.Own.Key) == ledger.Own.Length) return true;
        return false;
    }
}
