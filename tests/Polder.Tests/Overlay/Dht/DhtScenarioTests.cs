using Polder.Tests.Simulation;

namespace Polder.Tests.Overlay.Dht;

/// <summary>Our DHT in bad networks, over several seeds.</summary>
public sealed class DhtScenarioTests
{
    public static TheoryData<string, ulong> Dht => ScenarioRuns.Seeds("dht", fresh: 1);

    [Theory, MemberData(nameof(Dht))]
    public void Values_are_found(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
