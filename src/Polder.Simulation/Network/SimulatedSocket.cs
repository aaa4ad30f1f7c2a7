using Polder.Net;

namespace Polder.Simulation.Network;

/// <summary>A node's socket: its datagrams go through the links and NAT boxes of the world.</summary>
public sealed class SimulatedSocket : IDatagramSocket
{
    private readonly SimulatedNetwork _network;

    internal SimulatedSocket(SimulatedNetwork network, SimulatedNode node, SimulatedLoop loop, Realm realm, Endpoint local)
    {
        (_network, Node, Loop, Realm, LocalEndpoint) = (network, node, loop, realm, local);
        realm.Hosts[local] = this;
    }

    /// <summary>Whose socket this is.</summary>
    public SimulatedNode Node { get; }

    /// <summary>Its address and port in the network where the node stands: behind a NAT box this is a private one.</summary>
    public Endpoint LocalEndpoint { get; }

    /// <inheritdoc/>
    public DatagramHandler? Received { get; set; }

    internal SimulatedLoop Loop { get; }
    internal Realm Realm { get; }

    /// <inheritdoc/>
    public void Send(Endpoint to, ReadOnlySpan<byte> datagram) => _network.Send(this, to, datagram);

    internal void Close()
    {
        if (Realm.Hosts.TryGetValue(LocalEndpoint, out var socket) && socket == this) Realm.Hosts.Remove(LocalEndpoint);
    }
}
