using System.Globalization;
using Polder.Examples;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>The hello community of the guide: nodes that know one neighbour each meet and greet, on links drawn from the seed.</summary>
internal static class HelloScenario
{
    public static Scenario Scenario { get; } = new(
        "hello", "Nodes that know one neighbour each find the others and agree on a Lamport clock, on links drawn from the seed.",
        [1, 2, 3, 5, 8, 13, 21, 34], 12, Play);

    private static void Play(ScenarioRun run)
    {
        var world = run.NewWorld(run.DrawLink(lossMax: 0.2), mischief: true);
        world.Always(new TableCaps());
        world.Always(new NoAmplification());
        for (var i = 0; i < run.Nodes; i++)
        {
            var node = world.AddNode(string.Create(CultureInfo.InvariantCulture, $"n{i}")).Join(context => new HelloCommunity(context));
            if (i > 0) node.WalkTo(world.Nodes[i - 1]);
        }
        world.RunFor(2.Minutes);
        world.EndFaults();
        var enough = Math.Min(run.Nodes - 1, 10);
        var took = world.RunUntil(
            () => world.Nodes.All(node => node.Get<HelloCommunity>().Peers.Count >= enough), 5.Minutes, $"everybody meets {enough} others");
        var before = world.Nodes.Max(node => node.Get<HelloCommunity>().Clock);
        world.RunUntil(() => world.Nodes.All(node => node.Get<HelloCommunity>().Clock >= before), 3.Minutes, "the clocks agree");
        run.Say(string.Create(CultureInfo.InvariantCulture, $"{run.Nodes} nodes met {took.TotalSeconds:0.0} s after the faults ended; clock {before}"));
    }
}
