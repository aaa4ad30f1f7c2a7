using System.Globalization;
using Polder.Examples;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>Walking with loss and churn: everybody knows one address at first; nodes crash, come back, and new ones come.</summary>
internal static class WalkScenario
{
    public static Scenario Scenario { get; } = new(
        "walk", "Nodes find each other from one known address and stay connected while datagrams are lost and nodes come and go.",
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 20, Play);

    private static void Play(ScenarioRun run)
    {
        var world = run.NewWorld(run.DrawLink(), mischief: true);
        world.Always(new TableCaps());
        world.Always(new NoAmplification());
        var homes = run.Swarm.Chance(0.5);
        for (var i = 0; i < run.Nodes; i++)
        {
            // The first is who everybody is told of; he has a public address, like most who would be told of.
            var home = i == 0 || !homes || run.Swarm.Chance(0.4) ? Home.Public : Home.Behind(NatBehaviour.PortRestricted);
            home = home with { ClockOffset = TimeSpan.FromHours(run.Swarm.Next(-24, 24)), ClockDriftPpm = run.Swarm.Next(-500, 500) };
            var name = string.Create(CultureInfo.InvariantCulture, $"n{i}");
            world.At(run.Swarm.NextDuration(60.Seconds), () => world.AddNode(name, home, setUp: (node, host) =>
            {
                host.Join(context => new HelloCommunity(context));
                if (node.Name != "n0" && world.Nodes.FirstOrDefault(other => other.Name == "n0") is { } first) host.WalkTo(first.PublicEndpoint);
            }));
        }
        world.RunFor(1.Minutes + 1.Seconds);
        var storm = Storm.Begin(run, world, 15.Seconds, "n0");
        world.RunFor(TimeSpan.FromMinutes(run.Swarm.Next(2, 8)));
        storm.End();
        // Who came before the first was there knows nobody: tell them again, as a bootstrap list does.
        foreach (var node in world.Nodes)
            if (node.Name != "n0" && node.Host.Peers.Count == 0) node.WalkTo(world["n0"]);
        var enough = Math.Min(run.Nodes - 1, 8);
        var took = world.RunUntil(() => world.Nodes.All(node => Live(world, node) >= enough) && IsConnected(world), 3.Minutes,
            $"everybody knows {enough} living peers and all are connected");
        run.Say(string.Create(CultureInfo.InvariantCulture, $"{run.Nodes} nodes were one network again {took.TotalSeconds:0.0} s after the storm"));
    }

    private static int Live(World world, SimulatedNode node) =>
        node.Get<HelloCommunity>().Peers.Count(peer => world.Nodes.Any(other => other.IsRunning && other.Identity.Public == peer.Key));

    /// <summary>Whether everybody reaches everybody along "knows".</summary>
    internal static bool IsConnected(World world)
    {
        var byKey = world.Nodes.ToDictionary(node => node.Identity.Public);
        var seen = new HashSet<SimulatedNode> { world.Nodes[0] };
        var open = new Queue<SimulatedNode>(seen);
        while (open.TryDequeue(out var node))
            foreach (var peer in node.Get<HelloCommunity>().Peers)
                if (byKey.TryGetValue(peer.Key, out var other) && seen.Add(other)) open.Enqueue(other);
        return seen.Count == world.Nodes.Count;
    }
}
