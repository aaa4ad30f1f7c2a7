using System.Text.Json.Nodes;
using Polder.Overlay;
using Polder.Overlay.Discovery;

namespace Polder.Interop.Tests;

/// <summary>Introductions, Discovery and messages, with peers that others wrote.</summary>
public sealed class MeetingTests
{
    public static TheoryData<string> Kinds => [LivingPeers.Python32, LivingPeers.Python214, LivingPeers.Python2020, LivingPeers.Kotlin];

    [Fact]
    public async Task Two_of_ours_do_what_is_asked_of_others_below()
    {
        await using var alice = await OurNode.StartAsync();
        await using var bob = await OurNode.StartAsync();
        await alice.Node.InvokeAsync(() => alice.Node.Host.WalkTo(bob.Address));
        var met = await alice.MeetAsync(bob.Key);
        await bob.MeetAsync(alice.Key);
        await alice.Node.InvokeAsync(() => alice.Demo.Say(met, [7], counted: true));
        await bob.UntilAsync(() => bob.Demo.Heard.Any(heard => heard is { Hex: "07", Counted: true }), "her words came");
        await WellAsync(alice);
        await WellAsync(bob);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task We_walk_to_it_and_both_know_each_other(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--walk", "0");
        await using var node = await OurNode.StartAsync();
        await node.WalkTo(peer);
        var met = await node.MeetAsync(peer.Key);
        Assert.Equal(peer.Address, met.Address);
        await peer.KnowsAsync(node.Key, DemoCommunity.IdHex);
        await WellAsync(node, peer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_walks_to_us_and_both_know_each_other(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--walk", "0");
        await using var node = await OurNode.StartAsync();
        peer.Walk(node.Address);
        await peer.KnowsAsync(node.Key, DemoCommunity.IdHex);
        await node.MeetAsync(peer.Key);
        await WellAsync(node, peer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Overlays_are_told_both_ways_and_pings_answered_both_ways(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind);
        await using var node = await OurNode.StartAsync();
        await node.WalkTo(peer);
        var met = await node.MeetAsync(peer.Key, static n => n.Host.Discovery);
        await node.UntilAsync(() => met.Communities.Contains(DiscoveryCommunity.Id) && met.Communities.Contains(CommunityId.FromHex(DemoCommunity.IdHex)),
            "its overlays are known here");
        // That we name our extension tells that the list came by a similarity message, not by introductions alone.
        await peer.KnowsAsync(node.Key, DiscoveryCommunity.Extension.ToString());

        await node.Node.InvokeAsync(() => node.Node.Host.Discovery.Ping(met));
        var before = met.RoundTripCount;
        await node.UntilAsync(() => met.RoundTripCount > before || met.RoundTripCount >= 2, "its pong came");
        if (kind != LivingPeers.Kotlin)
        {
            peer.Do("ping", ("to", node.Key.ToString()));
            var pong = await peer.WaitAsync("pong", item => item.Number("port") == node.Address.Port && item.GetProperty("ms").ValueKind != System.Text.Json.JsonValueKind.Null);
            Assert.True(pong.GetProperty("ms").GetDouble() >= 0);
        }
        await WellAsync(node, peer);
    }

    [Theory]
    [InlineData(LivingPeers.Python32)]
    [InlineData(LivingPeers.Python214)]
    [InlineData(LivingPeers.Python2020)]
    public async Task Signed_messages_go_both_ways_with_and_without_a_counter(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind);
        await using var node = await OurNode.StartAsync();
        await node.WalkTo(peer);
        var met = await node.MeetAsync(peer.Key);
        await peer.KnowsAsync(node.Key, DemoCommunity.IdHex);
        foreach (var counted in (bool[])[false, true])
        {
            var (there, back) = (counted ? "c0ffee01" : "c0ffee02", counted ? "7ea1" : "7ea2");
            await node.Node.InvokeAsync(() => node.Demo.Say(met, Convert.FromHexString(there), counted));
            await peer.WaitAsync("message", item => item.Text("hex") == there && item.Text("from") == node.Key.ToString());
            peer.Do("message", ("to", node.Key.ToString()), ("hex", back), ("dist", JsonValue.Create(counted)));
            await node.UntilAsync(() => node.Demo.Heard.Any(heard => heard.Hex == back && heard.Counted == counted && heard.From.Key == peer.Key), "its words came");
        }
        await WellAsync(node, peer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Two_of_ours_meet_through_it(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind);
        await using var alice = await OurNode.StartAsync();
        await using var bob = await OurNode.StartAsync();
        await alice.WalkTo(peer);
        await bob.WalkTo(peer);
        await alice.MeetAsync(bob.Key);
        await bob.MeetAsync(alice.Key);
        await WellAsync(alice, peer);
        await bob.AssertNoFaultsAsync();
    }

    [Theory]
    [InlineData(LivingPeers.Python32, LivingPeers.Python32)]
    [InlineData(LivingPeers.Python214, LivingPeers.Python32)]
    [InlineData(LivingPeers.Python2020, LivingPeers.Python214)]
    [InlineData(LivingPeers.Kotlin, LivingPeers.Python2020)]
    [InlineData(LivingPeers.Kotlin, LivingPeers.Python32)]
    public async Task Two_of_theirs_meet_through_us(string first, string second)
    {
        await using var left = await LivingPeers.StartAsync(first);
        await using var right = await LivingPeers.StartAsync(second);
        await using var node = await OurNode.StartAsync();
        left.Walk(node.Address);
        right.Walk(node.Address);
        await left.KnowsAsync(right.Key, DemoCommunity.IdHex);
        await right.KnowsAsync(left.Key, DemoCommunity.IdHex);
        await WellAsync(node, left, right);
    }

    [Fact]
    public async Task Nobody_forgets_anybody_within_seventy_seconds()
    {
        var peers = new List<LivingPeer>();
        await using var node = await OurNode.StartAsync();
        try
        {
            // Those that are here; none at all is a reason to skip.
            foreach (var kind in (string[])[LivingPeers.Python32, LivingPeers.Python214, LivingPeers.Python2020, LivingPeers.Kotlin])
                peers.Add(await LivingPeers.StartAsync(kind));
            foreach (var peer in peers) await node.WalkTo(peer);
            foreach (var peer in peers)
            {
                await node.MeetAsync(peer.Key);
                await peer.KnowsAsync(node.Key, DemoCommunity.IdHex);
            }
            await Task.Delay(TimeSpan.FromSeconds(70), TestContext.Current.CancellationToken);
            foreach (var peer in peers)
            {
                Assert.DoesNotContain(peer.All("lost"), item => item.Text("mid") == node.Key.Id.ToString());
                Assert.NotNull(await node.Node.InvokeAsync(() => node.Demo.Peers.FirstOrDefault(known => known.Key == peer.Key)));
            }
            await WellAsync(node, [.. peers]);
        }
        finally
        {
            foreach (var peer in peers) await peer.DisposeAsync();
        }
    }

    private static async Task WellAsync(OurNode node, params LivingPeer[] peers)
    {
        await node.AssertNoFaultsAsync();
        foreach (var peer in peers) Assert.Empty(peer.Complaints());
    }
}
