using System.Globalization;
using Polder.Examples;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Introductions through NAT boxes: for every two kinds, two nodes that are introduced by a third with a public address. What
/// IPv8's puncturing can open must open; what it cannot, must not seem to.
/// </summary>
internal static class NatScenario
{
    public static Scenario Scenario { get; } = new(
        "nat", "Two nodes behind boxes of every two kinds are introduced by a third: who can connect does, who cannot does not.",
        [1, 2], 3, Play);

    /// <summary>Null stands for a public address.</summary>
    internal static IReadOnlyList<NatBehaviour?> Kinds { get; } =
    [
        null,
        .. from mapping in Enum.GetValues<NatDependence>()
           from filtering in Enum.GetValues<NatDependence>()
           select new NatBehaviour(mapping, filtering) { Ports = mapping == NatDependence.EndpointIndependent ? NatPorts.Kept : NatPorts.Sequential, PortFirst = 20_000 },
    ];

    /// <summary>
    /// Whether puncturing connects the two: one of them can be reached at the endpoint that the introducer knows, and the
    /// answer gets back.
    /// </summary>
    /// <remarks>
    /// Two boxes that give every remote endpoint a port of its own chase each other even where neither filters: each answer comes
    /// from a port that was not asked, and an address proves itself only by answering from where it was asked (OV-3.14).
    /// </remarks>
    internal static bool CanConnect(NatBehaviour? a, NatBehaviour? b) => (Opens(a, b) || Opens(b, a))
        && !(a?.Mapping == NatDependence.AddressAndPortDependent && b?.Mapping == NatDependence.AddressAndPortDependent);

    private static bool Opens(NatBehaviour? from, NatBehaviour? to)
    {
        if (to is null) return true;
        // The box of `to` lets in what comes from `from`: its filter does not ask, or `to` has sent a puncture through the
        // very mapping that the introducer knows (so its mapping does not depend on the remote), to the right address, and
        // where the filter asks for the port, `from` comes from the port that the introducer knows.
        var arrives = to.Filtering == NatDependence.EndpointIndependent
            || (to.Mapping == NatDependence.EndpointIndependent
                && (to.Filtering == NatDependence.AddressDependent || from is null || from.Mapping == NatDependence.EndpointIndependent));
        // The answer comes from that mapping, or from the same address and another port, which a strict filter refuses.
        var returns = to.Mapping == NatDependence.EndpointIndependent || from is null || from.Filtering != NatDependence.AddressAndPortDependent;
        return arrives && returns;
    }

    private static void Play(ScenarioRun run)
    {
        var (connected, apart, chapter) = (0, 0, 0);
        for (var i = 0; i < Kinds.Count; i++)
            for (var j = i; j < Kinds.Count; j++)
            {
                var (a, b) = (Kinds[i], Kinds[j]);
                if (Meet(run, ++chapter, a, b)) connected++;
                else apart++;
            }
        run.Say(string.Create(CultureInfo.InvariantCulture, $"{connected} pairs of kinds connect, {apart} cannot and do not"));
    }

    private static bool Meet(ScenarioRun run, int chapter, NatBehaviour? a, NatBehaviour? b)
    {
        var world = run.NewWorld(new LinkModel { Latency = 15.Milliseconds, Spread = 30.Milliseconds, Jitter = 5.Milliseconds }, chapter);
        world.Always(new NoAmplification());
        var introducer = world.AddNode("introducer").Join(context => new HelloCommunity(context));
        var left = Add("left", a);
        world.RunFor(TimeSpan.FromSeconds(15));
        var right = Add("right", b);
        var can = CanConnect(a, b);
        var pair = $"{Name(a)} with {Name(b)}";
        if (can) world.RunUntil(() => Know(left, right), 90.Seconds, pair);
        else
        {
            world.RunFor(90.Seconds);
            if (Know(left, right)) world.Fail($"{pair}: they know each other, which puncturing cannot do");
        }
        return can;

        SimulatedNode Add(string name, NatBehaviour? kind)
        {
            var node = world.AddNode(name, kind is null ? Home.Public : Home.Behind(kind)).Join(context => new HelloCommunity(context));
            node.WalkTo(introducer);
            return node;
        }
    }

    internal static bool Know(SimulatedNode left, SimulatedNode right) =>
        left.Get<HelloCommunity>().Peers.Any(peer => peer.Key == right.Identity.Public)
        && right.Get<HelloCommunity>().Peers.Any(peer => peer.Key == left.Identity.Public);

    internal static string Name(NatBehaviour? kind) => kind is null ? "public" : $"{kind.Mapping}/{kind.Filtering}";
}
