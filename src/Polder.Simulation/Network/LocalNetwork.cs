using Polder.Net;
using Polder.Overlay.Discovery;

namespace Polder.Simulation.Network;

/// <summary>A local network with a multicast group: what one announces the others hear, a millisecond later.</summary>
public sealed class LocalNetwork(World world)
{
    private readonly List<Socket> _sockets = [];

    /// <summary>Announcements so far.</summary>
    public int Announced { get; private set; }

    /// <summary>A node's socket in the group; offer it to its host.</summary>
    public ILanSocket Plug(SimulatedNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        _sockets.RemoveAll(socket => socket.Node == node);
        var socket = new Socket(this, node);
        _sockets.Add(socket);
        return socket;
    }

    private sealed class Socket(LocalNetwork network, SimulatedNode node) : ILanSocket
    {
        public SimulatedNode Node => node;

        public DatagramHandler? Received { get; set; }

        public void Announce(ReadOnlySpan<byte> datagram)
        {
            network.Announced++;
            var (copy, from) = (datagram.ToArray(), node.Socket.LocalEndpoint.WithPort(50790));
            foreach (var other in network._sockets)
                network.Deliver(() => other.Hear(from, copy));
        }

        public void Hear(Endpoint from, byte[] datagram)
        {
            if (node.IsRunning) node.Run(() => Received?.Invoke(from, datagram));
        }
    }

    private void Deliver(Action work) => world.At(world.Now + TimeSpan.FromMilliseconds(1), work);
}
