using Polder.Overlay;

namespace Polder.Simulation;

/// <summary>Adding nodes that run the overlay; the world itself knows only sockets.</summary>
public static class WorldNodes
{
    /// <summary>
    /// A node with the overlay on it. At every start a <see cref="NodeHost"/> is made from the node's environment, then what was
    /// joined by <see cref="SimulatedNode.Join"/>, <paramref name="setUp"/> is called, and the host is started.
    /// </summary>
    public static SimulatedNode AddNode(this World world, string name, Home? home = null, OverlayOptions? options = null, Action<SimulatedNode, NodeHost>? setUp = null) =>
        world.AddNode(name, home, node =>
        {
            var host = new NodeHost(node.Environment, node.Identity, options ?? new OverlayOptions(), new WorldLog(world, node));
            host.UnhandledFault += fault =>
            {
                if (node.IsRunning) world.Fail($"{node.Name}: {fault.Where}: {fault.Problem}", fault.Problem);
            };
            node.JoinAll(host);
            setUp?.Invoke(node, host);
            host.Start();
            return host;
        });
}
