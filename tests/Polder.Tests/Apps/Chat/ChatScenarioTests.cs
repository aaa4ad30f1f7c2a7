using Polder.Tests.Simulation;

namespace Polder.Tests.Apps.Chat;

public sealed class ChatScenarioTests
{
    public static TheoryData<string, ulong> Chat => ScenarioRuns.Seeds("chat", 4);

    [Theory]
    [MemberData(nameof(Chat))]
    public void Nothing_is_lost_or_doubled_and_groups_converge(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
