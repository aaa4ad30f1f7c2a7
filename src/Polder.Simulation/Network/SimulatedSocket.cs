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
        if (node.Socket?.Loop == loop) node.FurtherSockets.Add(this);
    }

    /// <summary>Whose socket this is.</summary>
    public SimulatedNode Node { get; }

    /// <summary>Its address and port in the network where the node stands: behind a NAT box this is a private one.</summary>
    public Endpoint LocalEndpoint { get; private set; }

    /// <inheritdoc/>
    public DatagramHandler? Received { get; set; }

    internal SimulatedLoop Loop { get; }
    internal Realm Realm { get; private set; }

    /// <inheritdoc/>
    public void Send(Endpoint to, ReadOnlySpan<byte> datagram) => _network.Send(this, to, datagram);

    /// <summary>The machine stands elsewhere now; a socket that is bound to all addresses goes with it.</summary>
    internal void MoveTo(Realm realm, Endpoint address)
    {
        Leave();
        (Realm, LocalEndpoint) = (realm, address.WithPort(LocalEndpoint.Port));
        realm.Hosts[LocalEndpoint] = this;
    }

    internal void Close()
    {
        if (Node.Socket != this) Node.FurtherSockets.Remove(this);
        Leave();
    }

    private void Leave()
    {
        if (Realm.Hosts.TryGetValue(LocalEndpoint, out var socket) && socket == this) Realm.Hosts.Remove(LocalEndpoint);
    }
}
