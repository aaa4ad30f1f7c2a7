using Polder.Apps.Graphs;
using Polder.Graph;
using Polder.Graph.Store;
using Polder.Graph.Sync;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Connecting;

namespace Polder.Simulation;

/// <summary>Adding nodes that keep a graph, on a disk that survives crashes.</summary>
public static class GraphNodes
{
    /// <summary>A node with a graph that keeps these topics with others.</summary>
    public static SimulatedNode AddGraphNode(this World world, string name, IReadOnlyList<string> topics, Home? home = null, GraphOptions? options = null) =>
        world.AddNode(name, home, new OverlayOptions { SourceSlots = 256 }, (node, host) =>
        {
            host.Offer<IStateStore>(node.Disk.Surface("state", () => new MemoryStateStore()));
            host.Connector.Add(new EverybodysAddress(world));
            var platter = node.Disk.Surface("graph", () => new MemoryGraphStore());
            var graph = new SharedGraph(new GraphEnvironment(host.Environment.Loop, host.Environment.Time, host.Environment.Random, host.Environment.Workers),
                new SimulatedGraphStore(platter, node.Disk.CommitAsync), options);
            host.Offer(graph);
            var share = new GraphShare(host, graph);
            host.Offer(share);
            foreach (var topic in topics) share.Follow(topic);
        });

    extension(SimulatedNode node)
    {
        /// <summary>The graph of the node's present life; null when it has none.</summary>
        public SharedGraph? Graph => node.Program is NodeHost host ? host.Find<SharedGraph>() : null;

        /// <summary>What it shares of it.</summary>
        public GraphShare? Share => node.Program is NodeHost host ? host.Find<GraphShare>() : null;
    }

    /// <summary>Stands for contact records in the DHT.</summary>
    private sealed class EverybodysAddress(World world) : IContactSource
    {
        public ValueTask<ContactHints?> FindAsync(Polder.Identity.PublicKey key)
        {
            foreach (var node in world.Nodes)
                if (node.Identity.Public == key) return ValueTask.FromResult<ContactHints?>(new ContactHints([node.PublicEndpoint], [], []));
            return ValueTask.FromResult<ContactHints?>(null);
        }
    }
}
