using Polder.Tests.Simulation;

namespace Polder.Tests.Overlay.Nat;

/// <summary>The matrix of all pairs of NAT kinds (acceptance, line 2).</summary>
public sealed class ConnectScenarioTests
{
    public static TheoryData<string, ulong> Connect => ScenarioRuns.Seeds("connect", fresh: 0);

    [Theory, MemberData(nameof(Connect))]
    public void Every_pair_connects(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
