using Polder.Overlay.Connecting;
using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Overlay.Nat;

/// <summary>Nodes behind NAT boxes connect by key, in the simulator (the whole matrix is the scenario "connect").</summary>
public sealed class ConnectTests
{
    private static readonly LinkModel Lossy = new() { Latency = 30.Milliseconds, Jitter = 5.Milliseconds, Loss = 0.02, Duplication = 0.01, Reordering = 0.01, ReorderingWithin = 50.Milliseconds };

    public static TheoryData<string, string> Pairs => new()
    {
        { "public", "sym" }, { "full", "port+sym" }, { "addr", "symseq" }, { "port", "portrnd" }, { "port", "symseq" }, { "symseq", "port" },
        { "port", "sym" }, { "adm", "port+portrnd" }, { "symseq", "sym" }, { "sym", "sym" }, { "symseq", "symseq" }, { "fw", "fw" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_connects_though_links_lose_double_and_reorder(string a, string b)
    {
        var world = new World(11, Lossy);
        var must = ConnectScenario.MustBeDirect(a, b);
        var meeting = ConnectScenario.Meet(world, a, b, 4, must ? 40.Seconds : 4.Seconds);
        TestContext.Current.TestOutputHelper?.WriteLine($"{a} {b}: {meeting} {ConnectScenario.Describe(world["left"], world["right"])}");
        Assert.True(meeting.ClassesRight, ConnectScenario.Describe(world["left"], world["right"]));
        Assert.InRange(meeting.Usable, TimeSpan.Zero, 4.Seconds);
        if (must) Assert.NotNull(meeting.Direct);
        else if (meeting.Direct is null)
        {
            Assert.Equal(PathOrigin.Relayed, meeting.Origin);
            var view = world["left"].Host.Connector.View(world["right"].Identity.Public);
            Assert.NotNull(view.RelayedBy);
            Assert.NotEmpty(view.WouldImprove);
        }
    }
}
