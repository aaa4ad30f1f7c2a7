using System.Text.Json.Nodes;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;

namespace Polder.Interop.Tests;

/// <summary>TrustChain with peers that others wrote: blocks countersigned both ways, chains crawled both ways.</summary>
public sealed class LedgerTests
{
    private const string TrustChainId = "5ad767b05ae592a02488272ca2a86b847d4562e1";

    public static TheoryData<string> Kinds => [LivingPeers.Python2020, LivingPeers.Kotlin];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_countersigns_our_blocks(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--trustchain", "--sign", "test");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);
        for (var i = 1; i <= 3; i++)
        {
            var proposal = await node.Node.InvokeAsync(() => node.Node.Ledger.Propose(peer.Key, "test"u8, Words(i)));
            var agreement = await proposal.Answer.WaitAsync(LivingPeer.Patience, TestContext.Current.CancellationToken);
            Assert.Equal(peer.KeyHex, Convert.ToHexStringLower(agreement.PublicKey));
            Assert.Equal((uint)i, agreement.LinkSequence);
            await peer.WaitAsync("block", item => item.GetProperty("block").Text("hash") == agreement.Hash.ToString());
        }
        Assert.Equal(3, await node.Node.InvokeAsync(() => node.Node.Ledger.Store.CountOf(peer.Key.Bytes)));
        await WellAsync(node, peer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task We_countersign_its_blocks_at_our_owners_word(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--trustchain");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);
        for (var i = 1; i <= 3; i++)
        {
            peer.Do("propose", ("to", node.Key.ToString()), ("type", "test"), ("transaction", new JsonObject { ["amount"] = i }));
            await node.UntilAsync(() => node.Node.Ledger.Waiting.Any(block => block.Sequence == i), "its proposal waits");
            var agreement = await node.Node.InvokeAsync(() => node.Node.Ledger.AgreeAsync(node.Node.Ledger.Waiting.First(block => block.Sequence == i)));
            var pair = await peer.WaitAsync("pair", item => item.GetProperty("proposal").Number("sequence") == i);
            Assert.Equal(agreement.Hash.ToString(), pair.GetProperty("agreement").Text("hash"));
        }
        await WellAsync(node, peer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Chains_are_crawled_both_ways(string kind)
    {
        await using var peer = await LivingPeers.StartAsync(kind, "--trustchain", "--sign", "test");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);
        for (var i = 1; i <= 6; i++)
        {
            var proposal = await node.Node.InvokeAsync(() => node.Node.Ledger.Propose(peer.Key, "test"u8, Words(i)));
            await proposal.Answer.WaitAsync(LivingPeer.Patience, TestContext.Current.CancellationToken);
        }

        // A newcomer of theirs takes our whole chain, and a range of it.
        await using var reader = await LivingPeers.StartAsync(kind, kind == LivingPeers.Kotlin ? ["--trustchain"] : ["--trustchain", "--no-crawl"]);
        reader.Walk(node.Address);
        await reader.KnowsAsync(node.Key, TrustChainId);
        reader.Do("crawl", ("key", node.Key.ToString()), ("id", "whole"), ("length", JsonValue.Create(6)));
        var whole = await reader.WaitAsync("crawled", item => item.Text("id") == "whole");
        Assert.Equal(6, whole.Number("known"));
        reader.Do("crawl", ("key", node.Key.ToString()), ("start", JsonValue.Create(2)), ("end", JsonValue.Create(4)), ("id", "range"));
        var range = await reader.WaitAsync("crawled", item => item.Text("id") == "range");
        Assert.Equal([2, 3, 4], range.GetProperty("blocks").EnumerateArray()
            .Where(block => block.Text("publicKey") == node.Key.ToString()).Select(block => block.Number("sequence")).Distinct().Order());
        reader.Do("chain", ("key", node.Key.ToString()), ("id", "ours"));
        var theirs = await reader.WaitAsync("chain", item => item.Text("id") == "ours");
        Assert.Equal(
            await node.Node.InvokeAsync(() => node.Node.Ledger.Store.Range(node.Key.Bytes, 1, 6, 10).Select(block => Convert.ToHexStringLower(block.Packed.Span)).ToList()),
            theirs.GetProperty("blocks").EnumerateArray().Select(block => block.Text("hex")));

        // A newcomer of ours takes its whole chain from it.
        await using var other = await OurNode.StartAsync();
        await other.WalkTo(peer);
        var met = await other.MeetAsync(peer.Key, static n => n.Ledger);
        var crawled = await other.Node.InvokeAsync(() => other.Node.Ledger.CrawlAsync(met));
        Assert.True(crawled.Answered && crawled.Complete, crawled.ToString());
        Assert.Equal(6, await other.Node.InvokeAsync(() => other.Node.Ledger.Store.CountOf(peer.Key.Bytes)));
        await other.AssertNoFaultsAsync();
        await WellAsync(node, peer, reader);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task Our_record_of_bandwidth_is_countersigned_by_python_of_2020(bool gave, bool byCopy)
    {
        // A plain listener agrees to any type by a copy; one of the bandwidth accounting by the mirror image.
        string[] plain = byCopy ? ["--plain"] : [];
        await using var peer = await LivingPeers.StartAsync(LivingPeers.Python2020, ["--trustchain", "--sign", "all", .. plain]);
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);
        var proposal = await node.Node.InvokeAsync(() => node.Node.Records.Propose(peer.Key, gave, 25L << 20, HelpClaim.Bytes, "storing a file"));
        // v1, because it does not list our extension.
        Assert.Equal((byte)'a', proposal.Block.Transaction[0]);
        var agreement = await proposal.Answer.WaitAsync(LivingPeer.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(peer.KeyHex, Convert.ToHexStringLower(agreement.PublicKey));
        var seen = await peer.WaitAsync("block", item => item.GetProperty("block").Text("type") == "tribler_bandwidth" && item.Text("how") == "received");
        Assert.Equal(25L << 20, seen.GetProperty("block").GetProperty("transaction").Number(gave ? "up" : "down"));
        await node.UntilAsync(() => node.Node.Records.Graphs.Find(HelpClaim.Bytes)?.RecordCount == 1, "the record counts");
        await WellAsync(node, peer);
    }

    [Fact]
    public async Task No_storm_of_crawl_requests_breaks_out()
    {
        // py-ipv8 of 2020 asks again at once, without end, when a crawl about its own proposal is answered with "empty".
        await using var peer = await LivingPeers.StartAsync(LivingPeers.Python2020, "--trustchain", "--sign", "all", "--trace");
        await using var node = await OurNode.StartAsync();
        await MeetAsync(node, peer);
        for (var i = 1; i <= 8; i++)
        {
            peer.Do("propose", ("to", node.Key.ToString()), ("type", "test"), ("transaction", new JsonObject { ["amount"] = i }));
            var proposal = await node.Node.InvokeAsync(() => node.Node.Ledger.Propose(peer.Key, "test"u8, Words(i)));
            await proposal.Answer.WaitAsync(LivingPeer.Patience, TestContext.Current.CancellationToken);
        }
        await node.UntilAsync(() => node.Node.Ledger.Waiting.Count == 8, "its proposals wait");
        var before = Packets();
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        Assert.InRange(Packets() - before, 0, 60);
        await WellAsync(node, peer);

        int Packets() => peer.All("packet").Count(item => item.Text("dir") == "out" && item.Text("overlay") == TrustChainId);
    }

    private static async Task MeetAsync(OurNode node, LivingPeer peer)
    {
        await node.WalkTo(peer);
        await node.MeetAsync(peer.Key, static n => n.Ledger);
        await peer.KnowsAsync(node.Key, TrustChainId);
    }

    private static byte[] Words(int amount) =>
        TransactionCodec.Encode(TransactionValue.Dictionary(("amount", TransactionValue.Integer(amount))));

    private static async Task WellAsync(OurNode node, params LivingPeer[] peers)
    {
        await node.AssertNoFaultsAsync();
        foreach (var peer in peers) Assert.Empty(peer.Complaints());
    }
}
