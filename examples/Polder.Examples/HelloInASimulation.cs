using Polder.Simulation;

namespace Polder.Examples;

/// <summary>The same community in a world of its own making: slow links that lose, one partition, one crash.</summary>
public static class HelloInASimulation
{
    /// <summary>Runs a seed to its end; gives how long Alice and Bob took to agree on the time after everything had healed.</summary>
    public static TimeSpan Run(ulong seed)
    {
        // docs: hello-simulation
        var world = new World(seed, new LinkModel { Latency = 40.Milliseconds, Jitter = 20.Milliseconds, Loss = 0.05 });
        var alice = world.AddNode("alice", Home.Behind(NatBehaviour.PortRestricted)).Join(context => new HelloCommunity(context));
        var bob = world.AddNode("bob").Join(context => new HelloCommunity(context));
        alice.WalkTo(bob);

        world.At(2.Minutes, () => world.Partition(["alice"], ["bob"]));
        world.At(3.Minutes, world.Heal);
        world.At(4.Minutes, () => world.Crash("bob"));
        world.At(5.Minutes, () => world.Restart("bob"));
        world.RunFor(6.Minutes);
        world.EndFaults();
        return world.RunUntil(
            () => alice.Get<HelloCommunity>().Peers.Count == 1 && bob.Get<HelloCommunity>().Clock > 0, limit: 2.Minutes);
        // docs: end
    }
}
