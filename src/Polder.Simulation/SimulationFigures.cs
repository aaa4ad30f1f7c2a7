using System.Globalization;
using Polder.Overlay;
using Polder.Examples;

namespace Polder.Simulation;

/// <summary>How fast a world of real overlay nodes runs.</summary>
/// <param name="Nodes">How many.</param>
/// <param name="Virtual">Virtual time that passed.</param>
/// <param name="Real">Real time that it took, by the clock that was given.</param>
/// <param name="Datagrams">Datagrams delivered.</param>
/// <param name="Steps">Events.</param>
/// <param name="BytesAllocated">Memory allocated on the way, most of it short-lived.</param>
/// <param name="PeersMean">Peers that a node had in the hello community at the end: the network did form.</param>
/// <param name="Greetings">Greetings answered.</param>
/// <param name="Trace">The trace hash.</param>
public sealed record SimulationFigures(
    int Nodes, TimeSpan Virtual, TimeSpan Real, long Datagrams, long Steps, long BytesAllocated, double PeersMean, long Greetings, string Trace)
{
    /// <summary>
    /// Nodes with Discovery and the hello community, each told of one earlier node, that walk, ping and greet on a calm network
    /// with jitter, signed by the stand-in. <paramref name="clock"/> is the real clock: the simulator itself knows none.
    /// </summary>
    public static SimulationFigures Measure(TimeProvider clock, int nodes = 500, TimeSpan? duration = null, ulong seed = 1, OverlayOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        // Everything by default but the table against floods, of which five hundred full ones would only take memory.
        options ??= new OverlayOptions { SourceSlots = 256 };
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = clock.GetTimestamp();
        var world = new World(seed, new LinkModel { Latency = 40.Milliseconds, Jitter = 20.Milliseconds }, new WorldOptions { Scenario = "figures" });
        for (var i = 0; i < nodes; i++)
        {
            var node = world.AddNode(string.Create(CultureInfo.InvariantCulture, $"n{i}"), options: options).Join(context => new HelloCommunity(context));
            if (i > 0) node.WalkTo(world.Nodes[world.Random.Next(i)]);
        }
        world.RunFor(duration ?? TimeSpan.FromMinutes(10));
        return new SimulationFigures(
            nodes, world.Now, clock.GetElapsedTime(began), world.Traffic.Delivered, world.Steps,
            GC.GetAllocatedBytesForCurrentThread() - allocated,
            world.Nodes.Average(node => node.Get<HelloCommunity>().Peers.Count),
            world.Nodes.Sum(node => (long)node.Get<HelloCommunity>().Answered), world.Trace.ToString());
    }
}
