using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Polder.Overlay.Dht.IPv8;

namespace Polder.Interop.Tests;

/// <summary>IPv8's DHT with living py-ipv8 nodes: they store and we find, we store and they find, and peers by their mid both ways.</summary>
public sealed class DhtTests
{
    // py-ipv8 of 2020 runs an older DHT under another id (it ends with 73cb).
    public static TheoryData<string> Kinds => [LivingPeers.Python32, LivingPeers.Python214];

    private static IPv8DhtCommunity Dht(OurNode node) => node.Node.Community<IPv8DhtCommunity>();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Values_stored_by_one_are_found_by_the_other(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--dht");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);

        foreach (var sign in (bool[])[false, true])
        {
            var (theirs, ours) = (KeyOf($"theirs {sign}"), KeyOf($"ours {sign}"));
            peer.Do("dhtPut", ("key", theirs), ("hex", "c0ffee"), ("sign", JsonValue.Create(sign)));
            var stored = await peer.WaitAsync("dhtStored", item => item.Text("key") == theirs);
            Assert.True(stored.Number("holders") >= 1);
            var found = await node.Node.Host.Environment.Loop.InvokeAsync(() => Dht(node).GetAsync(new DhtId(Convert.FromHexString(theirs))));
            var value = Assert.Single(found);
            Assert.Equal("c0ffee", Convert.ToHexStringLower(value.Data.Span));
            Assert.Equal(sign ? peer.Key : null, value.Signer);

            var kept = await node.Node.Host.Environment.Loop.InvokeAsync(() => Dht(node).PutAsync(new DhtId(Convert.FromHexString(ours)), new byte[] { 0x7e, 0xa1 }, sign));
            Assert.True(kept >= 1);
            peer.Do("dhtGet", ("key", ours));
            var read = (await peer.WaitAsync("dhtFound", item => item.Text("key") == ours)).GetProperty("values");
            Assert.Equal(1, read.GetArrayLength());
            Assert.Equal("7ea1", read[0].Text("hex"));
            Assert.Equal(sign ? node.Key.ToString() : "", read[0].Text("publicKey"));
        }
        await node.AssertNoFaultsAsync();
        Assert.Empty(peer.Complaints());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Peers_are_found_by_their_mid_both_ways(string kind)
    {
        await using var storer = await LivingPeers.StartAsync(kind, "--dht");
        await using var peer = await LivingPeers.StartAsync(kind, "--dht");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, storer);
        peer.Walk(storer.Address);
        await MeetAsync(node, peer);

        // We are remembered by both, and found by the one through the other (it forgets what it remembers itself only by silence).
        await node.UntilAsync(() => Dht(node).Storers >= 2, "both remember us");
        storer.Do("dhtConnect", ("mid", node.Key.Id.ToString()));
        var here = await storer.WaitAsync("dhtConnected", item => item.Text("mid") == node.Key.Id.ToString());
        Assert.Contains(here.GetProperty("nodes").EnumerateArray(), item => item.Text("publicKey") == node.Key.ToString() && item.Number("port") == node.Address.Port);

        // It is remembered by us and by the storer; the storer asks us, we ask the storer.
        await AsksUntilAsync(peer, "dhtStorePeer", "dhtPeerStored", "storers", 2);
        await node.UntilAsync(() => Dht(node).PeersHeld >= 1, "we remember it");
        storer.Do("dhtConnect", ("mid", peer.Key.Id.ToString()));
        var there = await storer.WaitAsync("dhtConnected", item => item.Text("mid") == peer.Key.Id.ToString());
        Assert.Contains(there.GetProperty("nodes").EnumerateArray(), item => item.Text("publicKey") == peer.KeyHex && item.Number("port") == peer.Address.Port);
        var found = await node.Node.Host.Environment.Loop.InvokeAsync(() => Dht(node).ConnectPeerAsync(peer.Key.Id));
        Assert.Contains((peer.Key, peer.Address), found);
        await node.AssertNoFaultsAsync();
        Assert.Empty(storer.Complaints());
        Assert.Empty(peer.Complaints());
    }

    [Fact]
    public async Task Two_of_ours_find_each_others_values_through_it()
    {
        await using var peer = await LivingPeers.StartAsync(LivingPeers.Python32, "--dht");
        await using var alice = await OurNode.StartAsync();
        await using var bob = await OurNode.StartAsync();
        await MeetAsync(alice, peer);
        await MeetAsync(bob, peer);
        var key = new DhtId(Convert.FromHexString(KeyOf("hello")));
        await alice.Node.Host.Environment.Loop.InvokeAsync(() => Dht(alice).PutAsync(key, "hello"u8.ToArray(), sign: true));
        var found = await bob.Node.Host.Environment.Loop.InvokeAsync(() => Dht(bob).GetAsync(key));
        Assert.Contains(found, value => value.Signer == alice.Key && value.Data.Span.SequenceEqual("hello"u8));
        var where = await bob.Node.Host.Environment.Loop.InvokeAsync(async () =>
        {
            for (var tries = 0; tries < 40; tries++)
            {
                if (await Dht(bob).ConnectPeerAsync(alice.Key.Id) is { Count: > 0 } nodes) return nodes;
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
            }
            return [];
        });
        Assert.Contains((alice.Key, alice.Address), where);
    }

    /// <summary>Until each has the other in its table.</summary>
    private static async Task MeetAsync(OurNode node, LivingPeer peer)
    {
        await node.WalkTo(peer);
        await node.MeetAsync(peer.Key, static one => one.Community<IPv8DhtCommunity>());
        await node.UntilAsync(() => Dht(node).NodesKnown >= 1, "it is in our table");
        await AsksUntilAsync(peer, "dhtNodes", "dhtNodes", "count", 1);
    }

    private static async Task AsksUntilAsync(LivingPeer peer, string what, string answer, string field, long atLeast)
    {
        for (var tries = 0; ; tries++)
        {
            var tag = Guid.NewGuid().ToString("n");
            peer.Do(what, ("id", tag));
            var item = await peer.WaitAsync(answer, item => item.Text("id") == tag);
            if (item.Number(field) >= atLeast) return;
            Assert.True(tries < 60, $"{what} gives {item}");
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }

    private static string KeyOf(string text) => Convert.ToHexStringLower(SHA1.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
