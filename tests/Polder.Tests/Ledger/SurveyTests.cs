using Polder.Ledger;
using Polder.Ledger.Crawling;
using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Simulation;

namespace Polder.Tests.Ledger;

/// <summary>Crawler mode: everybody's chains, whole, politely, and never what is held.</summary>
public sealed class SurveyTests
{
    private const long MiB = 1 << 20;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static TrustChainOptions Quiet { get; } = new() { FanOut = 0, CrawlInterval = TimeSpan.FromHours(10), Dissemination = new() { Pushes = false, Pulls = false } };

    private static SimulatedNode[] Village(World world, int count, int records)
    {
        var nodes = Enumerable.Range(0, count).Select(i => world.AddLedgerNode($"n{i}", options: Quiet)).ToArray();
        world.Meet(nodes);
        for (var i = 0; i < records; i++)
        {
            nodes[i % count].Pay(nodes[(i + 1 + i / count % (count - 1)) % count], MiB + i);
            world.RunFor(TimeSpan.FromMilliseconds(100));
        }
        world.RunFor(Minute);
        return nodes;
    }

    private static SimulatedNode AddCrawler(World world, SurveyOptions options, params SimulatedNode[] told)
    {
        var crawler = world.AddLedgerNode("crawler", options: Quiet with { Survey = options }, setUp: (node, host) =>
        {
            foreach (var other in told) host.WalkTo(other.PublicEndpoint);
        }, beforeLedger: (node, host) => host.Offer<IStateStore>(node.Disk.Surface("state", () => new MemoryStateStore())));
        return crawler;
    }

    [Fact]
    public void Everybodys_chains_come_whole_and_nothing_is_asked_twice()
    {
        var world = new World(31);
        var nodes = Village(world, 6, 80);
        var crawler = AddCrawler(world, new SurveyOptions { IsOn = true, AgainAfter = TimeSpan.FromMinutes(30) }, nodes);
        world.RunUntil(() => nodes.All(node => crawler.Store().CountOf(node.Key().Bytes) == node.Ledger().Own.Length), 3 * Minute, "every chain is here",
            explain: () => crawler.Ledger().Survey.Progress.ToString());
        world.RunFor(Minute);
        var progress = crawler.Ledger().Survey.Progress;
        Assert.Equal((6, 6, 6, 0L), (progress.Chains, progress.Visited, progress.Whole, progress.Missing));
        Assert.Equal(160, progress.Blocks);
        // Ten blocks a request, one more a chain to learn that it ends; nothing after that until it is due again.
        Assert.InRange(progress.Requests, 16, 40);
        world.RunFor(5 * Minute);
        Assert.Equal(progress.Requests, crawler.Ledger().Survey.Requests);
        // What is new is fetched when a chain is looked at again, from behind the last that is held.
        var asked = crawler.Ledger().Survey.Requests;
        nodes[0].Pay(nodes[1], MiB);
        world.RunUntil(() => crawler.Store().Count == 162, 35 * Minute, "the new record comes");
        Assert.InRange(crawler.Ledger().Survey.Requests - asked, 2, 16);
    }

    [Fact]
    public void A_restart_goes_on_where_it_was_and_asks_nobody_again()
    {
        var world = new World(32);
        var nodes = Village(world, 5, 60);
        var crawler = AddCrawler(world, new SurveyOptions { IsOn = true, AgainAfter = TimeSpan.FromHours(2) }, nodes);
        world.RunUntil(() => crawler.Ledger().Survey.Progress is { Visited: 5, Missing: 0 }, 3 * Minute, "all was asked for");
        world.RunFor(Minute);
        var held = crawler.Store().Count;
        crawler.Ask(() => crawler.Store().FlushAsync());
        world.Crash("crawler");
        world.Restart("crawler");
        world.RunFor(5 * Minute);
        var progress = crawler.Ledger().Survey.Progress;
        Assert.Equal((5, 5, 5), (progress.Chains, progress.Visited, progress.Whole));
        Assert.Equal(held, progress.Blocks);
        Assert.Equal(0, progress.Requests);
    }

    [Fact]
    public void Nobody_is_asked_faster_than_is_polite()
    {
        var world = new World(33);
        var nodes = Village(world, 3, 60);
        var crawler = AddCrawler(world, new SurveyOptions { IsOn = true, RequestsPerSecond = 4, PeerInterval = TimeSpan.FromSeconds(2) }, nodes);
        var counts = nodes.Select(node => node.Ledger().Counters[LedgerCount.CrawlsAnswered]).ToArray();
        for (var second = 0; second < 30; second += 10)
        {
            world.RunFor(TimeSpan.FromSeconds(10));
            for (var i = 0; i < nodes.Length; i++)
            {
                var now = nodes[i].Ledger().Counters[LedgerCount.CrawlsAnswered];
                // Five of the survey, and one or two of the crawler that looks for its own chain.
                Assert.InRange(now - counts[i], 0, 8);
                counts[i] = now;
            }
        }
        Assert.True(crawler.Ledger().Survey.Requests > 5);
    }

    [Fact]
    public void A_chain_with_a_missing_middle_is_told_as_such_and_looked_for_again_until_somebody_has_it()
    {
        var world = new World(34);
        var (alice, bob) = (Chains.Key(61), Chains.Key(62));
        var chain = new HalfBlock[12];
        var crawler = AddCrawler(world, new SurveyOptions { IsOn = true, RestAfterNothing = TimeSpan.FromSeconds(20) });
        for (var i = 0; i < chain.Length; i++)
            chain[i] = HalfBlock.Create(world.Signatures, alice, new BlockFields
            {
                Sequence = (uint)i + 1, LinkKey = bob.Public.Bytes, LinkSequence = 0, PreviousHash = i == 0 ? HalfBlock.GenesisHash : chain[i - 1].Hash,
                Type = "test"u8, Transaction = "a0d"u8, Timestamp = 1_600_000_000_000,
            });
        var holder = world.AddLedgerNode("holder", options: Quiet);
        crawler.WalkTo(holder);
        world.Meet(crawler, holder);
        holder.Run(() =>
        {
            foreach (var block in chain) if (block.Sequence is < 5 or > 8) holder.Ledger().Import(block);
        });
        crawler.Run(() => crawler.Ledger().Import(chain[11]));
        world.RunFor(Minute);
        var progress = crawler.Ledger().Survey.Progress;
        Assert.Equal(8, crawler.Store().CountOf(alice.Public.Bytes));
        Assert.Equal(4, progress.Missing);
        Assert.Equal(0, progress.Whole);
        holder.Run(() =>
        {
            foreach (var block in chain) holder.Ledger().Import(block);
        });
        world.RunUntil(() => crawler.Ledger().Survey.Progress is { Missing: 0, Whole: 1 }, 5 * Minute, "the middle comes");
    }

    [Fact]
    public void It_gets_through_to_plain_peers_of_either_dialect()
    {
        foreach (var wide in (bool[])[true, false])
        {
            var world = new World(35);
            var key = Chains.Key(70);
            var plain = world.AddNode("plain", options: new OverlayOptions { Sessions = new() { Enabled = false } },
                setUp: (node, host) => host.Join(context => new PlainPeer(context, node, wide)));
            var crawler = AddCrawler(world, new SurveyOptions { IsOn = true }, plain);
            world.RunUntil(() => crawler.Store().CountOf(plain.Key().Bytes) == 25, 2 * Minute, $"the chain of a peer that speaks {(wide ? "Kotlin's" : "py's")} form is here");
            Assert.True(plain.Get<PlainPeer>().Asked <= 8, "asked too often");
            Assert.Equal(1, crawler.Ledger().Survey.Progress.Whole);
        }
    }

    /// <summary>Answers crawls in one of the two forms and throws at the other, as both families do.</summary>
    private sealed class PlainPeer : Community
    {
        private readonly HalfBlock[] _chain = new HalfBlock[25];

        public PlainPeer(CommunityContext context, SimulatedNode node, bool wide) : base(TrustChainCommunity.Id, context, MessageForm.GlobalTime)
        {
            for (var i = 0; i < _chain.Length; i++)
                _chain[i] = HalfBlock.Create(Environment.Signatures, node.Identity, new BlockFields
                {
                    Sequence = (uint)i + 1, LinkKey = node.Identity.Public.Bytes, LinkSequence = 0, PreviousHash = i == 0 ? HalfBlock.GenesisHash : _chain[i - 1].Hash,
                    Type = "test"u8, Transaction = "a0d"u8, Timestamp = 1,
                });
            On<CrawlRequest>((peer, request) =>
            {
                if (request.Wide != wide) return;
                if (request.Key.Span.SequenceEqual(node.Identity.Public.Bytes)) Asked++;
                var found = request.Key.Span.SequenceEqual(node.Identity.Public.Bytes)
                    ? _chain.Where(block => block.Sequence >= request.Start && block.Sequence <= request.End).Take(10).ToArray() : [];
                if (found.Length == 0) SendUnsigned(peer.Address, new EmptyCrawlResponse(request.CrawlId));
                for (var i = 0; i < found.Length; i++) SendUnsigned(peer.Address, new CrawlResponse(found[i], request.CrawlId, (uint)i + 1, (uint)found.Length));
            });
        }

        public int Asked { get; private set; }
    }
}
