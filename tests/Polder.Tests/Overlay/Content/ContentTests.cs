#pragma warning disable xUnit1051 // virtual time: nothing is waited for
using Polder.Cryptography;
using Polder.Overlay.Content;
using Polder.Simulation;
using Polder.Tests.Contracts;
using Polder.Tests.Overlay.Streams;

namespace Polder.Tests.Overlay.Content;

/// <summary>Content by name between nodes of a world.</summary>
public sealed class ContentTests
{
    private static readonly LinkModel Line = new() { Latency = TimeSpan.FromMilliseconds(20), BandwidthBytesPerSecond = 2e6, Loss = 0.005 };
    private static readonly TimeSpan Minutes = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(1), InlineData(16384), InlineData(16385), InlineData(3_000_000)]
    public void Content_is_fetched_from_three_providers_at_once(int size)
    {
        var (world, fetcher, providers) = Nodes(3);
        var bytes = StreamTests.Bytes(size, world.Seed);
        var ids = providers.Select(provider => Add(world, provider, bytes)).ToArray();
        Assert.Single(ids.Distinct());
        var outcome = Fetch(world, fetcher, ids[0], providers);
        Check(outcome, bytes);
        Assert.Empty(outcome.Liars);
        if (size > 1_000_000) Assert.True(outcome.LeavesFrom.Values.All(leaves => leaves > 5), string.Join(' ', outcome.LeavesFrom.Values));
        // Who fetched it can serve it.
        var late = world.AddTalker("late");
        Check(Fetch(world, late, ids[0], [fetcher]), bytes);
    }

    [Fact]
    public void A_provider_that_crashes_and_one_that_knows_nothing_do_not_matter()
    {
        var (world, fetcher, providers) = Nodes(3);
        var bytes = StreamTests.Bytes(2_000_000, world.Seed);
        var id = Add(world, providers[0], bytes);
        Add(world, providers[1], bytes);
        world.At(world.Now + TimeSpan.FromMilliseconds(600), () => world.Crash(providers[1].Name));
        Check(Fetch(world, fetcher, id, [providers[2], providers[1], providers[0]]), bytes);
    }

    [Fact]
    public void Parts_of_several_providers_make_the_whole()
    {
        var (world, fetcher, providers) = Nodes(2);
        var bytes = StreamTests.Bytes(40 * LeafTree.LeafBytes, world.Seed);
        var whole = ContentStoreContract.Whole(bytes);
        for (var i = 0; i < 2; i++)
        {
            var (node, part) = (providers[i], i);
            node.Run(() => _ = AddPartAsync());
            async Task AddPartAsync()
            {
                var content = (await node.Host.Content.Store.CreateAsync(whole.Summary))!;
                for (var leaf = part * 15; leaf < part * 15 + 25; leaf++) await ContentStoreContract.WriteAsync(content, whole, bytes, leaf);
            }
        }
        Check(Fetch(world, fetcher, whole.Summary.Id, providers), bytes);
    }

    [Fact]
    public void A_fetch_that_was_cut_off_goes_on_where_it_was()
    {
        var (world, fetcher, providers) = Nodes(1);
        var bytes = StreamTests.Bytes(4_000_000, world.Seed);
        var id = Add(world, providers[0], bytes);
        using var cancel = new CancellationTokenSource();
        world.At(world.Now + TimeSpan.FromSeconds(1.2), cancel.Cancel);
        var first = Fetch(world, fetcher, id, providers, cancel.Token);
        Assert.Null(first.Content);
        Assert.InRange(first.LeavesFetched, 10, 220);
        var second = Fetch(world, fetcher, id, providers);
        Check(second, bytes);
        Assert.InRange(second.LeavesFetched, 1, 245 - first.LeavesFetched);
    }

    [Fact]
    public void A_liar_is_dropped_and_the_content_is_right()
    {
        var (world, fetcher, providers) = Nodes(2);
        var bytes = StreamTests.Bytes(2_000_000, world.Seed);
        var id = Add(world, providers[0], bytes);
        var lies = 0;
        // The liar knows name, size and root, and sends other bytes.
        providers[1].Run(() => providers[1].Host.Streams.Accept(ContentWire.ProtocolName, async stream =>
        {
            await stream.ReadExactlyAsync(new byte[32]);
            var whole = ContentStoreContract.Whole(bytes);
            var beginning = new byte[1 + ContentWire.SummaryBytes];
            beginning[0] = (byte)Holding.All;
            ContentWire.WriteSummary(beginning.AsSpan(1), whole.Summary);
            await stream.WriteAsync(beginning);
            var ask = new byte[ContentWire.AskBytes];
            while (await stream.ReadExactlyAsync(ask))
            {
                Assert.True(ContentWire.TryReadAsk(ask, whole.Summary.LeafCount, out var first, out var count));
                for (var leaf = first; leaf < first + count; leaf++)
                {
                    var answer = new byte[ContentWire.LeafHeaderBytes + whole.PathLength(leaf) * 32 + whole.Summary.LengthOf(leaf)];
                    ContentWire.WriteLeafHeader(answer, leaf, whole.Summary.LengthOf(leaf), whole.PathLength(leaf));
                    await stream.WriteAsync(answer);
                    lies++;
                }
            }
        }));
        var outcome = Fetch(world, fetcher, id, [providers[1], providers[0]]);
        Check(outcome, bytes);
        Assert.Equal(providers[1].Identity.Public, Assert.Single(outcome.Liars));
        Assert.True(lies > 0);
        Assert.Equal(outcome.LeavesFetched, outcome.LeavesFrom[providers[0].Identity.Public]);
    }

    [Fact]
    public void A_size_or_root_that_is_not_the_name_s_is_a_lie()
    {
        var summary = ContentStoreContract.Whole(StreamTests.Bytes(50_000)).Summary;
        var bytes = new byte[ContentWire.SummaryBytes];
        ContentWire.WriteSummary(bytes, summary);
        Assert.Equal(summary, ContentWire.ReadSummary(bytes, summary.Id, 1 << 30));
        Assert.Null(ContentWire.ReadSummary(bytes, summary.Id, 49_999));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.Null(ContentWire.ReadSummary(bytes, summary.Id, 1 << 30));
            bytes[i] ^= 1;
        }
    }

    [Fact]
    public void Nobody_to_ask_ends_at_once_and_requests_of_one_peer_are_bounded()
    {
        var (world, fetcher, providers) = Nodes(1);
        var bytes = StreamTests.Bytes(500_000, world.Seed);
        var id = Add(world, providers[0], bytes);
        var nothing = Fetch(world, fetcher, id, []);
        Assert.Equal((null, null, 0), (nothing.Content, nothing.LeavesMissing, nothing.LeavesFetched));
        var answers = new List<Holding>();
        fetcher.Run(() => _ = AskAsync());
        world.RunUntil(() => answers.Count == 10, Minutes);
        Assert.Equal((4, 6), (answers.Count(answer => answer == Holding.All), answers.Count(answer => answer == Holding.Busy)));

        async Task AskAsync()
        {
            var session = await StreamWorldTests.OpenAsync(fetcher, providers[0]);
            var name = new byte[32];
            id.Hash.CopyTo(name);
            for (var i = 0; i < 10; i++)
            {
                var stream = (await fetcher.Host.Streams.OpenAsync(session, ContentWire.ProtocolName))!;
                await stream.WriteAsync(name);
                var first = new byte[1];
                Assert.True(await stream.ReadExactlyAsync(first));
                answers.Add((Holding)first[0]);
            }
        }
    }

    [Fact]
    public void Every_leaf_of_trees_of_every_small_size_leads_to_the_root_and_no_other_does()
    {
        for (var leaves = 1; leaves <= 33; leaves++)
        {
            var hashes = Enumerable.Range(0, leaves).Select(i => Hash256.Of([(byte)i])).ToArray();
            var whole = LeafTree.Of((long)leaves * LeafTree.LeafBytes, hashes);
            var path = new Hash256[LeafTree.PathMax];
            for (var leaf = 0; leaf < leaves; leaf++)
            {
                var length = whole.WritePath(leaf, path);
                Assert.Equal(whole.PathLength(leaf), length);
                Assert.False(new LeafTree(whole.Summary).TryAdd(leaf, Hash256.Of([99, 99]), path.AsSpan(0, length)));
                Assert.True(new LeafTree(whole.Summary).TryAdd(leaf, hashes[leaf], path.AsSpan(0, length)));
                Assert.False(new LeafTree(whole.Summary).TryAdd(leaf, hashes[leaf], path.AsSpan(0, length + 1)));
                if (length > 0) Assert.False(new LeafTree(whole.Summary).TryAdd(leaf, hashes[leaf], path.AsSpan(0, length - 1)));
            }
        }
    }

    private static (World World, SimulatedNode Fetcher, SimulatedNode[] Providers) Nodes(int providers)
    {
        var seed = StreamTests.FreshSeed();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var world = new World(seed, Line);
        var fetcher = world.AddTalker("fetcher");
        return (world, fetcher, [.. Enumerable.Range(0, providers).Select(i => world.AddTalker($"provider {i}"))]);
    }

    private static ContentId Add(World world, SimulatedNode node, byte[] bytes)
    {
        Task<IStoredContent?>? added = null;
        node.Run(() => added = node.Host.Content.AddAsync(bytes));
        world.RunUntil(() => added!.IsCompleted, Minutes);
        return added!.Result!.Tree.Summary.Id;
    }

    private static FetchOutcome Fetch(World world, SimulatedNode node, ContentId id, IReadOnlyList<SimulatedNode> providers, CancellationToken cancel = default)
    {
        Task<FetchOutcome>? fetch = null;
        node.Run(() => _ = MeetAllAsync());
        world.RunUntil(() => fetch is { IsCompleted: true }, Minutes);
        return fetch!.Result;

        async Task MeetAllAsync()
        {
            foreach (var provider in providers.Where(provider => provider.IsRunning)) await StreamWorldTests.OpenAsync(node, provider);
            fetch = node.Host.Content.FetchAsync(id, [.. providers.Select(provider => provider.Identity.Public)], cancel: cancel);
        }
    }

    private static void Check(FetchOutcome outcome, byte[] bytes)
    {
        Assert.NotNull(outcome.Content);
        Assert.Equal(0, outcome.LeavesMissing);
        var got = new byte[bytes.Length];
        for (var leaf = 0; leaf < outcome.Content.Tree.Summary.LeafCount; leaf++)
            Assert.True(outcome.Content.ReadAsync(leaf, got.AsMemory(leaf * LeafTree.LeafBytes, outcome.Content.Tree.Summary.LengthOf(leaf))).AsTask().Result);
        Assert.True(bytes.AsSpan().SequenceEqual(got));
    }
}
