namespace Polder.Simulation.Scenarios;

/// <summary>Every scenario by name, for tests and for <c>polder sim</c>.</summary>
public static class Catalogue
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Scenario> All { get; } = [HelloScenario.Scenario, WalkScenario.Scenario, NatScenario.Scenario, LedgerScenario.Scenario, CrashScenario.Scenario,
        CheaterScenario.Scenario, ClockScenario.Scenario, ContactScenario.Scenario, EclipseScenario.Scenario, DhtScenario.Scenario, ConnectScenario.Scenario, ForkScenario.Scenario, RestoreScenario.Scenario, CarryScenario.Scenario, ChatScenario.Scenario, GraphScenario.Scenario];

    /// <summary>The one of this name, or null.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
