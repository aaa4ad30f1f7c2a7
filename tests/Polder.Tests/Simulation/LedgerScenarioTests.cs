namespace Polder.Tests.Simulation;

/// <summary>A ledger under every fault, over many seeds.</summary>
public sealed class LedgerScenarioTests
{
    public static TheoryData<string, ulong> Ledger => ScenarioRuns.Seeds("ledger", fresh: 6);

    [Theory, MemberData(nameof(Ledger))]
    public void Nothing_is_lost_and_all_agree(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}

/// <summary>A crash at every write.</summary>
public sealed class CrashScenarioTests
{
    public static TheoryData<string, ulong> Crash => ScenarioRuns.Seeds("crash", fresh: 0);

    [Theory, MemberData(nameof(Crash))]
    public void A_crash_at_any_write_loses_nothing_and_forks_nothing(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}

/// <summary>One cheater of each kind, and clocks that are wrong.</summary>
public sealed class CheaterScenarioTests
{
    public static TheoryData<string, ulong> Cheaters => ScenarioRuns.Seeds("cheaters", fresh: 3);
    public static TheoryData<string, ulong> Clocks => ScenarioRuns.Seeds("clocks", fresh: 2);

    [Theory, MemberData(nameof(Cheaters))]
    public void Cheaters_are_found_out_and_harm_nobody(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);

    [Theory, MemberData(nameof(Clocks))]
    public void Wrong_clocks_stop_nobody(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
