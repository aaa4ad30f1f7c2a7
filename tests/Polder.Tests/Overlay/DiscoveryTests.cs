using Polder.Overlay;
using Polder.Overlay.Discovery;
using Polder.Simulation;

namespace Polder.Tests.Overlay;

public sealed class DiscoveryTests
{
    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(2, 0.1)]
    [InlineData(3, 0.3)]
    public void A_chain_of_introductions_grows_into_a_network(ulong seed, double loss)
    {
        var world = new World(seed, new LinkModel { Loss = loss, Jitter = TimeSpan.FromMilliseconds(20) });
        var nodes = Enumerable.Range(0, 12).Select(i => world.AddTalker($"n{i}")).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[i - 1]);
        world.RunUntil(() => nodes.All(node => node.Talk().Peers.Count == nodes.Count - 1), TimeSpan.FromSeconds(60), "everybody knows everybody");
    }

    [Fact]
    public void The_silent_are_forgotten_and_found_again()
    {
        var world = new World(4);
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(5));
        world.RunFor(TimeSpan.FromMinutes(5));
        Assert.True(alice.Met(bob) && bob.Met(alice));
        world.Partition(["alice"], ["bob"]);
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.False(alice.Met(bob) || bob.Met(alice));
        world.Heal();
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(35), "the return");
    }

    [Fact]
    public void A_network_cut_in_two_is_one_again_within_thirty_seconds()
    {
        var world = new World(5);
        var nodes = Enumerable.Range(0, 10).Select(i => world.AddTalker($"n{i}")).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[i / 2]);
        bool Whole() => nodes.All(node => node.Talk().Peers.Count == nodes.Count - 1);
        world.RunUntil(Whole, TimeSpan.FromSeconds(60));
        world.Partition(nodes.Take(5).Select(node => node.Name), nodes.Skip(5).Select(node => node.Name));
        world.RunFor(TimeSpan.FromSeconds(120));
        Assert.All(nodes, node => Assert.Equal(4, node.Talk().Peers.Count));
        world.Heal();
        world.RunUntil(Whole, TimeSpan.FromSeconds(33), "the healing");
    }

    [Fact]
    public void A_crowded_network_comes_to_rest()
    {
        // Found by polder bench, 500 nodes, seed 2: whoever a full book let go was tried again, introduced others, and in the
        // end everybody knew everybody.
        var world = new World(2, new LinkModel { Jitter = TimeSpan.FromMilliseconds(20) });
        var options = new OverlayOptions { WalkTarget = 4, PeersWanted = 6, ConnectedMax = 8, NeighboursWanted = 6, NearestMax = 2 };
        var nodes = Enumerable.Range(0, 60).Select(i => world.AddTalker($"n{i}", options: options)).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[i / 8]);
        world.RunFor(TimeSpan.FromMinutes(3));
        var before = world.Traffic.Delivered;
        world.RunFor(TimeSpan.FromMinutes(1));
        var eachSecond = (world.Traffic.Delivered - before) / 60.0 / nodes.Count;
        Assert.True(eachSecond < 4, $"{eachSecond:0.0} datagrams a second at each node");
    }

    [Fact]
    public void Peers_are_asked_for_their_overlays_and_know_ours()
    {
        var world = new World(6);
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunFor(TimeSpan.FromSeconds(5));
        foreach (var peer in new[] { alice.Knows(bob)!, bob.Knows(alice)! })
        {
            Assert.Contains(DiscoveryCommunity.Id, peer.Communities);
            Assert.Contains(TalkCommunity.Id, peer.Communities);
            Assert.True(peer.IsPolder);
        }
    }

    [Fact]
    public void A_node_introduces_strangers_of_a_community_that_it_does_not_run()
    {
        var world = new World(7);
        var hub = world.AddNode("hub", null, OverlayTestNodes.Options);
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        // Without Discovery, which would introduce them in its own right.
        foreach (var node in new[] { alice, bob }) node.Run(() => node.HostOf().Leave(node.HostOf().Discovery));
        alice.WalkTo(hub);
        bob.WalkTo(hub);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(60), "the introduction");
    }

    [Fact]
    public void A_peer_cache_brings_a_node_back_without_being_told_anything()
    {
        var world = new World(8);
        var cache = new MemoryPeerCache();
        var bob = world.AddTalker("bob");
        var alice = world.AddNode("alice", null, OverlayTestNodes.Options, (_, host) =>
        {
            host.Offer<IPeerCache>(cache);
            host.Join(context => new TalkCommunity(context));
        });
        alice.WalkTo(bob);
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.NotEmpty(cache.Load());
        world.Crash("alice");
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.False(bob.Met(alice));
        world.Restart("alice");
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(2), "the return");
    }

    [Fact]
    public void A_restarted_node_is_answered_at_once_though_it_counts_from_the_beginning()
    {
        var world = new World(9);
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(5));
        world.Crash("alice");
        world.Restart("alice");
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Two_behind_port_restricted_NATs_meet_through_a_third()
    {
        var world = new World(10);
        var options = OverlayTestNodes.Options;
        var hub = world.AddTalker("hub", options: options);
        var home = Home.Behind(NatBehaviour.PortRestricted);
        var (alice, bob) = (world.AddTalker("alice", home, options), world.AddTalker("bob", home, options));
        alice.WalkTo(hub);
        bob.WalkTo(hub);
        var took = world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(60), "the puncture");
        TestContext.Current.TestOutputHelper?.WriteLine($"met after {took}");
    }

    [Fact]
    public void Two_behind_one_NAT_without_hairpin_meet_through_their_own_network()
    {
        var world = new World(11);
        var hub = world.AddTalker("hub");
        var box = world.AddNat(NatBehaviour.PortRestricted);
        var (alice, bob) = (world.AddTalker("alice", Home.In(box)), world.AddTalker("bob", Home.In(box)));
        alice.WalkTo(hub);
        bob.WalkTo(hub);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(60));
        Assert.True(alice.Knows(bob)!.Address.IsPrivate);
    }

    [Fact]
    public void The_outer_address_is_what_the_others_say()
    {
        var world = new World(12);
        var (hub, alice) = (world.AddTalker("hub"), world.AddTalker("alice", Home.Behind(NatBehaviour.FullCone)));
        alice.WalkTo(hub);
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(alice.PublicEndpoint, alice.HostOf().WanAddress);
        Assert.Equal(alice.Socket.LocalEndpoint, alice.HostOf().LanAddress);
    }

    /// <summary>Fails to save, as on a full disk.</summary>
    private sealed class FullCache : IPeerCache
    {
        public IReadOnlyList<CachedPeer> Load() => [];
        public void Save(IReadOnlyList<CachedPeer> peers) => throw new IOException("No space left on device");
    }

    [Fact]
    public void A_node_whose_cache_cannot_be_saved_goes_on_and_says_so()
    {
        var world = new World(4);
        var faults = 0;
        NodeHost Make(SimulatedNode node)
        {
            var host = new NodeHost(node.Environment, node.Identity, OverlayTestNodes.Options);
            host.Offer<IPeerCache>(new FullCache());
            host.UnhandledFault += _ => faults++;
            host.Join(context => new TalkCommunity(context));
            host.Start();
            return host;
        }
        var (alice, bob) = (world.AddNode("alice", null, Make), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunFor(TimeSpan.FromMinutes(5));
        Assert.InRange(faults, 3, 6);
        // Its heart still beats: who went silent is forgotten, and found again.
        world.Partition(["alice"], ["bob"]);
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.False(alice.Met(bob));
        world.Heal();
        world.RunUntil(() => alice.Met(bob), TimeSpan.FromSeconds(35), "the return");
    }
}
