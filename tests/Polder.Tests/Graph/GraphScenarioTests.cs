using Polder.Tests.Simulation;

namespace Polder.Tests.Graph;

/// <summary>The graph between own nodes, in simulated networks.</summary>
public sealed class GraphScenarioTests
{
    public static TheoryData<string, ulong> Graph => ScenarioRuns.Seeds("graph", fresh: 3);

    [Theory, MemberData(nameof(Graph))]
    public void Nodes_with_clocks_a_day_apart_converge_and_lose_nothing_durable(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
