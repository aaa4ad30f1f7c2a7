namespace Polder.Simulation.Checkers;

/// <summary>Every table of every node stays at or below its bound (I9), and no node plans work without end.</summary>
public sealed class TableCaps : Checker
{
    private const int PlannedPerNodeMax = 4096;

    /// <inheritdoc/>
    public override void Check(World world)
    {
        foreach (var node in world.Nodes)
        {
            if (!node.IsRunning || node.Program is not Polder.Overlay.NodeHost host) continue;
            if (host.Peers.Count > host.Options.PeersMax) world.Fail($"{node.Name} knows {host.Peers.Count} peers, {host.Options.PeersMax} are allowed");
        }
        if (world.Planned > PlannedPerNodeMax * (world.Nodes.Count + 1)) world.Fail($"{world.Planned} timers and datagrams are planned for {world.Nodes.Count} nodes");
    }
}
