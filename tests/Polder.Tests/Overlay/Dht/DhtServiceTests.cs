using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Connecting;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.IPv8;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Dht;

/// <summary>What a node does with both DHTs, in small worlds with losses.</summary>
public sealed class DhtServiceTests
{
    private static readonly LinkModel Bad = new()
    {
        Latency = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(20), Loss = 0.02, Duplication = 0.02, Reordering = 0.02,
    };

    private static World NewWorld(ulong seed, int nodes, bool sessions = true, Dictionary<string, MemoryStateStore>? states = null)
    {
        var world = new World(seed, Bad);
        var options = new OverlayOptions { SourceSlots = 256, Sessions = new Polder.Overlay.Sessions.SessionOptions { Enabled = sessions } }.ForLaboratory();
        for (var i = 0; i < nodes; i++)
            world.AddNode($"n{i}", options: options, setUp: (node, host) =>
            {
                if (states is not null)
                {
                    if (!states.TryGetValue(node.Name, out var state)) states[node.Name] = state = new MemoryStateStore();
                    host.Offer<IStateStore>(state);
                }
                host.Join(static context => new DhtCommunity(context));
                host.Join(static context => new IPv8DhtCommunity(context));
                if (node.Index > 0) host.WalkTo(world.Nodes[0].PublicEndpoint);
            });
        world.RunUntil(() => world.Nodes.All(static node => Of(node).Snapshot() is { HasJoined: true } shot && shot.TableSize >= 3), TimeSpan.FromMinutes(2), "all joined");
        world.RunFor(TimeSpan.FromSeconds(5));
        return world;
    }

    private static DhtService Of(SimulatedNode node) => node.HostOf().Find<DhtService>()!;

    private static T Do<T>(World world, SimulatedNode node, Func<Task<T>> work, int seconds = 40)
    {
        Task<T>? task = null;
        node.Run(() => task = work());
        world.RunUntil(() => task!.IsCompleted, TimeSpan.FromSeconds(seconds), "the work is done");
        return task!.Now();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_one_puts_another_gets(bool sessions)
    {
        var world = NewWorld(sessions ? 1ul : 2ul, 12, sessions);
        var (alice, bob) = (world["n3"], world["n9"]);
        var put = Do(world, alice, () => Of(alice).PutAsync("for ever"u8.ToArray()));
        Assert.True(put.Holders >= 8, $"{put}");
        var got = Do(world, bob, () => Of(bob).GetAsync(put.Key));
        Assert.Equal("for ever"u8.ToArray(), got.Record!.Value.ToArray());

        Do(world, alice, () => Of(alice).PutAsync("name", "first"u8.ToArray()));
        Do(world, alice, () => Of(alice).PutAsync("name", "second"u8.ToArray()));
        var text = $"{alice.Identity.Public}/name";
        Assert.Equal("second"u8.ToArray(), Do(world, bob, () => Of(bob).GetAsync(text)).Record!.Value.ToArray());

        foreach (var member in new[] { "n1", "n2", "n4" })
            Do(world, world[member], () => Of(world[member]).JoinAsync("gardening", System.Text.Encoding.UTF8.GetBytes(member)));
        var members = Do(world, bob, () => Of(bob).FindAsync("gardening")).Members;
        Assert.Equal(3, members.Count);
        Assert.Empty(Do(world, bob, () => Of(bob).GetAsync("nothing of mine")).Records);
        var again = Do(world, bob, () => Of(bob).GetAsync("nothing of mine"));
        Assert.Equal(0, again.Questions);
        Assert.Equal(0, Of(bob).Snapshot().BadRecords);
    }

    [Fact]
    public void A_node_is_found_by_its_contact_record()
    {
        var world = NewWorld(3, 10);
        world.RunFor(TimeSpan.FromSeconds(90));
        var (alice, bob) = (world["n3"], world["n8"]);
        var hints = Do(world, bob, () => ((IContactSource)Of(bob)).FindAsync(alice.Identity.Public).AsTask());
        Assert.NotNull(hints);
        Assert.Contains(alice.PublicEndpoint, hints.Addresses);
        Assert.NotNull(Do(world, bob, () => Of(bob).FindAsync(alice.Identity.Public.ToString())).Hints);
    }

    [Fact]
    public void Own_records_survive_a_restart_and_are_stored_again()
    {
        var states = new Dictionary<string, MemoryStateStore>();
        var world = NewWorld(4, 8, sessions: false, states);
        var alice = world["n2"];
        var put = Do(world, alice, () => Of(alice).PutAsync("name", "mine"u8.ToArray()));
        world.Crash("n2");
        world.Restart("n2");
        Assert.Equal(1, Of(alice).Snapshot().OwnRecords);
        foreach (var node in world.Nodes.Where(static node => node.Name != "n2").ToArray())
        {
            // All that held it forget it.
            world.Crash(node.Name);
            world.Restart(node.Name);
        }
        world.RunUntil(() => world.Nodes.All(static node => Of(node).Snapshot().TableSize >= 3), TimeSpan.FromMinutes(3), "all joined again");
        world.RunFor(TimeSpan.FromSeconds(60));
        Assert.Equal("mine"u8.ToArray(), Do(world, world["n6"], () => Of(world["n6"]).GetAsync(put.Key)).Record!.Value.ToArray());
        Assert.True(Of(alice).Forget(put.Key));
        Assert.Equal(0, Of(alice).Snapshot().OwnRecords);
    }

    [Fact]
    public void IPv8s_dht_works_among_ours()
    {
        var world = NewWorld(5, 12);
        var (alice, bob) = (world["n3"], world["n9"]);
        world.RunUntil(() => world.Nodes.All(static node => node.Get<IPv8DhtCommunity>().NodesKnown >= 3), TimeSpan.FromMinutes(2), "all know some");
        var key = new DhtId("an old key of twenty"u8);
        Assert.True(Do(world, alice, () => alice.Get<IPv8DhtCommunity>().PutAsync(key, "value"u8.ToArray(), sign: true)) >= 4);
        var values = Do(world, bob, () => bob.Get<IPv8DhtCommunity>().GetAsync(key));
        Assert.Equal(alice.Identity.Public, Assert.Single(values).Signer);
        world.RunUntil(() => alice.Get<IPv8DhtCommunity>().Storers >= 4, TimeSpan.FromMinutes(3), "others remember it");
        var found = Do(world, bob, () => bob.Get<IPv8DhtCommunity>().ConnectPeerAsync(alice.Identity.Public.Id));
        Assert.Contains((alice.Identity.Public, alice.PublicEndpoint), found);
        Assert.Throws<ArgumentException>(() => alice.Run(() => _ = alice.Get<IPv8DhtCommunity>().PutAsync(key, new byte[24], sign: true)));
    }
}
