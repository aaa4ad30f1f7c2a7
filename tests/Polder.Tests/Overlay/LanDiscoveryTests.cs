using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Simulation;

namespace Polder.Tests.Overlay;

public sealed class LanDiscoveryTests
{
    [Fact]
    public void An_announcement_is_96_bytes_and_comes_back_as_it_went()
    {
        var announcement = new LanAnnouncement(new NetworkId(7), 0x1122334455667788, 8090, 42);
        var bytes = announcement.ToBytes();
        Assert.Equal(LanAnnouncement.Bytes, bytes.Length);
        Assert.True(LanAnnouncement.TryRead(bytes, out var read));
        Assert.Equal(announcement, read);
        Fuzz.RefusesEveryTruncation(bytes, part => LanAnnouncement.TryRead(part, out _));
        Assert.False(LanAnnouncement.TryRead([.. bytes, 0], out _));
        Assert.False(LanAnnouncement.TryRead((announcement with { Port = 0 }).ToBytes(), out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nodes_of_one_local_network_meet_within_a_second_and_those_of_another_do_not(bool otherNetwork)
    {
        var world = new World(1);
        var cable = new Cable(world);
        var nodes = new List<SimulatedNode>();
        foreach (var name in new[] { "alice", "bob", "carol" })
            nodes.Add(world.AddNode(name, null,
                OverlayTestNodes.Options with { Network = new NetworkId(otherNetwork && name == "carol" ? 1u : 0u) }, (node, host) =>
                {
                    host.Offer<ILanSocket>(cable.Plug(node));
                    host.Join(context => new TalkCommunity(context));
                }));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(nodes[0].Met(nodes[1]) && nodes[1].Met(nodes[0]));
        Assert.Equal(!otherNetwork, nodes[0].Met(nodes[2]));
        world.RunFor(TimeSpan.FromSeconds(59));
        Assert.Equal(4 * 3, cable.Announced);
        world.RunFor(TimeSpan.FromSeconds(3000));
        Assert.InRange(cable.Announced, 4 * 3 + 3 * 40, 4 * 3 + 3 * 65);
    }

    /// <summary>A multicast group: what one says the others hear, a moment later.</summary>
    private sealed class Cable(World world)
    {
        private readonly List<Socket> _sockets = [];

        public int Announced { get; private set; }

        public ILanSocket Plug(SimulatedNode node)
        {
            var socket = new Socket(this, node);
            _sockets.Add(socket);
            return socket;
        }

        private sealed class Socket(Cable cable, SimulatedNode node) : ILanSocket
        {
            public DatagramHandler? Received { get; set; }

            public void Announce(ReadOnlySpan<byte> datagram)
            {
                cable.Announced++;
                var (copy, from) = (datagram.ToArray(), node.PublicEndpoint.WithPort(50790));
                foreach (var other in cable._sockets.ToArray())
                    cable.Deliver(() => other.Hear(from, copy));
            }

            public void Hear(Endpoint from, byte[] datagram) => node.Run(() => Received?.Invoke(from, datagram));
        }

        private void Deliver(Action work) => world.At(world.Now + TimeSpan.FromMilliseconds(1), work);
    }
}
