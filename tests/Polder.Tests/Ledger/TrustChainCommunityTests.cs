using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Simulation;

namespace Polder.Tests.Ledger;

public sealed class TrustChainCommunityTests
{
    private const long MiB = 1 << 20;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_payment_is_agreed_to_by_itself_and_both_have_both_halves()
    {
        var world = new World(1);
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var proposal = alice.Pay(bob, 5 * MiB);
        world.RunUntil(() => proposal.Answer.IsCompleted, Minute, "bob agrees");
        var agreement = proposal.Answer.Got();
        Assert.True(agreement.LinksTo(proposal.Block));
        foreach (var node in (SimulatedNode[])[alice, bob])
        {
            Assert.Equal(2, node.Store().Count);
            Assert.Equal(5 * MiB, node.Records().Graphs.Find("bytes")!.Work(bob.Key(), alice.Key()));
        }
        Assert.Equal(5 * MiB, alice.Records().Graphs.Reputation("bytes")!.Score(bob.Key(), ScoreKind.NetFlow2));
        Assert.Equal(0, alice.Ledger().ProposalsOpen);
        // The second one carries totals on.
        var second = alice.Pay(bob, 2 * MiB);
        world.RunUntil(() => second.Answer.IsCompleted, Minute, "bob agrees again");
        Assert.Equal(new BandwidthEntry(2 * MiB, 0, 7 * MiB, 0, ""), BandwidthEntry.Read(second.Answer.Got()));
    }

    [Fact]
    public void What_nobody_vouches_for_waits_for_the_owners_word()
    {
        var world = new World(2);
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var gave = alice.Ask(() => alice.Records().Propose(bob.Key(), gave: true, 5 * MiB, "bytes", "storing a file"));
        var small = alice.Pay(bob, MiB - 1);
        var hours = alice.Ask(() => alice.Records().Propose(bob.Key(), gave: true, 2, "hours", "answering a question"));
        world.RunUntil(() => bob.Records().Inbox.Count == 3, Minute, "three proposals wait");
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal([gave.Block, small.Block, hours.Block], bob.Records().Inbox.Select(item => item.Proposal));
        Assert.Equal(new HelpClaim(2, 0, "hours", "answering a question"), bob.Records().Inbox[2].Claim);

        // Still there after a crash; a refusal is for good; the others can be agreed to.
        var refused = bob.Ask(() => bob.Ledger().RefuseAsync(small.Block));
        Assert.True(refused.IsCompletedSuccessfully);
        world.Crash("bob");
        world.Restart("bob");
        world.Meet(alice, bob);
        Assert.Equal([gave.Block, hours.Block], bob.Records().Inbox.Select(item => item.Proposal));
        bob.Run(() =>
        {
            foreach (var (proposal, _) in bob.Records().Inbox) _ = bob.Ledger().AgreeAsync(proposal);
        });
        world.RunUntil(() => gave.Answer.IsCompleted && hours.Answer.IsCompleted, Minute, "both are agreed");
        world.RunFor(Minute);
        Assert.Empty(bob.Records().Inbox);
        Assert.False(small.Answer.IsCompleted);
        Assert.Equal(hours.Block.Transaction.ToArray(), hours.Answer.Got().Transaction.ToArray());
        Assert.Equal(2, bob.Records().Graphs.Find("hours")!.Work(alice.Key(), bob.Key()));
        Assert.Equal(5 * MiB, bob.Records().Graphs.Find("bytes")!.Work(alice.Key(), bob.Key()));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Records_are_signed_under_loss_duplication_and_reordering(ulong seed)
    {
        var world = new World(seed, new LinkModel { Loss = 0.3, Duplication = 0.2, Reordering = 0.2, Jitter = TimeSpan.FromMilliseconds(100) });
        SimulatedNode[] nodes = [world.AddLedger("a"), world.AddLedger("b"), world.AddLedger("c")];
        world.Meet(nodes);
        var proposals = new List<Proposal>();
        for (var i = 0; i < 30; i++)
        {
            var payer = nodes[i % 3];
            proposals.Add(payer.Pay(nodes[(i + 1 + i / 3 % 2) % 3], MiB + i));
            world.RunFor(TimeSpan.FromMilliseconds(200));
        }
        world.RunUntil(() => proposals.TrueForAll(proposal => proposal.Answer.IsCompleted), TimeSpan.FromMinutes(10), "all are agreed");
        foreach (var node in nodes)
        {
            Assert.Empty(node.Store().Frauds());
            Assert.Null(node.Ledger().Own.Refused);
            var chain = node.Chain(node.Key());
            Assert.Equal(20, chain.Length);
            for (var i = 1; i < chain.Length; i++) Assert.Equal(chain[i - 1].Hash, chain[i].PreviousHash);
        }
    }

    [Fact]
    public void A_whole_chain_is_crawled_with_the_blocks_that_link_to_it()
    {
        var world = new World(3, new LinkModel { Loss = 0.1 });
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var proposals = Enumerable.Range(0, 57).Select(i => alice.Pay(bob, MiB + i)).ToList();
        world.RunUntil(() => proposals.TrueForAll(proposal => proposal.Answer.IsCompleted), TimeSpan.FromMinutes(5), "all are agreed");
        var carol = world.AddLedger("carol");
        world.Meet(alice, carol);
        var crawl = carol.Ask(() => carol.Ledger().CrawlAsync(carol.Ledger().Book.Find(alice.Key())!));
        world.RunUntil(() => crawl.IsCompleted, TimeSpan.FromMinutes(5), "the crawl ends");
        Assert.True(crawl.Got().Complete);
        Assert.Equal(alice.Chain(alice.Key()), carol.Chain(alice.Key()));
        // The links beyond each batch come with the next range, or with a second look; most are here at once.
        Assert.InRange(carol.Chain(bob.Key()).Length, 40, 57);
        Assert.Empty(carol.Store().Refused([]));
    }

    [Fact]
    public void After_a_crash_at_any_write_nothing_is_forked_and_everything_is_agreed()
    {
        for (var write = 1; write <= 14; write++)
            foreach (var fault in (DiskFault[])[DiskFault.CrashBefore, DiskFault.CrashAfter, DiskFault.CrashTorn])
                foreach (var victim in (string[])["alice", "bob"])
                {
                    var world = new World((ulong)(write * 10) + (ulong)fault);
                    var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
                    world[victim].Disk.FaultAt(write, fault);
                    world.Meet(alice, bob);
                    for (var i = 0; i < 5; i++)
                    {
                        if (alice.IsRunning) alice.Pay(bob, MiB + i);
                        if (bob.IsRunning) bob.Pay(alice, MiB + i);
                        world.RunFor(TimeSpan.FromMilliseconds(150));
                    }
                    world.RunFor(TimeSpan.FromSeconds(5));
                    foreach (var node in (SimulatedNode[])[alice, bob])
                        if (!node.IsRunning) world.Restart(node.Name);
                    world.Meet(alice, bob);
                    world.RunUntil(() => alice.Ledger().ProposalsOpen == 0 && bob.Ledger().ProposalsOpen == 0, TimeSpan.FromMinutes(5),
                        $"all is agreed after {fault} of {victim} at {write}");
                    Assert.Equal(alice.Chain(alice.Key()), bob.Chain(alice.Key()));
                    Assert.Equal(alice.Chain(bob.Key()), bob.Chain(bob.Key()));
                    foreach (var node in (SimulatedNode[])[alice, bob])
                    {
                        Assert.Empty(node.Store().Frauds());
                        Assert.Empty(node.Store().Refused([]));
                        Assert.Null(node.Ledger().Own.Refused);
                    }
                }
    }

    [Fact]
    public void A_full_disk_stops_signing_with_words_and_nothing_unsafe_is_sent()
    {
        var world = new World(5);
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        alice.Disk.IsFull = true;
        var proposal = alice.Pay(bob, MiB);
        world.RunFor(Minute);
        Assert.False(proposal.Sent.Got());
        Assert.Equal(0, bob.Store().Count);
        Assert.Contains("disk", alice.Ledger().Own.Refused, StringComparison.Ordinal);
        Assert.Throws<SigningRefusedException>(() => alice.Pay(bob, MiB));
    }

    [Fact]
    public void A_restored_backup_signs_nothing_before_peers_gave_the_rest_back()
    {
        var world = new World(6);
        var options = new TrustChainOptions { OwnChainUncertain = true };
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var proposals = Enumerable.Range(0, 25).Select(i => alice.Pay(bob, MiB + i)).ToList();
        world.RunUntil(() => proposals.TrueForAll(proposal => proposal.Answer.IsCompleted), Minute, "all are agreed");
        var chain = alice.Chain(alice.Key());
        world.Crash("alice");
        alice.Disk.Surface("blocks", () => new MemoryPlatter()).RollBack(7);
        world.Restart("alice");
        Assert.True(alice.Ledger().Own.Length < 25);
        world.Meet(alice, bob);
        world.RunUntil(() => alice.Ledger().Own.Length == 25 && alice.Ledger().Own.Refused is null, Minute, "the chain is back");
        Assert.Equal(chain, alice.Chain(alice.Key()));
        var next = alice.Pay(bob, MiB);
        world.RunUntil(() => next.Answer.IsCompleted, Minute, "signing goes on");
        Assert.Equal(26u, next.Block.Sequence);
        Assert.Empty(bob.Store().Frauds());

        // Told that it is uncertain, it does not sign at all before peers were asked.
        var carol = world.AddLedger("carol", options);
        Assert.Contains("Peers are being asked", carol.Ledger().Own.Refused, StringComparison.Ordinal);
        world.Meet(carol, bob);
        world.RunUntil(() => carol.Ledger().Own.Refused is null, Minute, "two peers were asked");
    }

    [Fact]
    public void One_peer_that_says_nothing_does_not_lift_the_doubt_about_the_own_chain()
    {
        var world = new World(61);
        var alice = world.AddLedger("alice", new TrustChainOptions { OwnChainUncertain = true });
        var bob = world.AddLedger("bob");
        world.Meet(alice, bob);
        world.RunFor(5 * Minute);
        Assert.Contains("Peers are being asked", alice.Ledger().Own.Refused, StringComparison.Ordinal);
        var carol = world.AddLedger("carol");
        world.Meet(alice, carol);
        world.RunUntil(() => alice.Ledger().Own.Refused is null, Minute, "a second one says the same");
    }

    [Fact]
    public void Strangers_blocks_give_way_to_newer_ones_and_ours_and_our_partners_never()
    {
        // Real signatures: the strangers' chains are made outside the world.
        var world = new World(62, options: new WorldOptions { RealSignatures = true });
        var options = new TrustChainOptions { BlocksMax = 1_000 };
        var (alice, bob) = (world.AddLedger("alice", options), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var paid = Enumerable.Range(0, 20).Select(i => alice.Pay(bob, MiB + i)).ToList();
        world.RunUntil(() => paid.TrueForAll(proposal => proposal.Answer.IsCompleted), Minute, "all are agreed");
        var (ours, partners) = (alice.Chain(alice.Key()), alice.Chain(bob.Key()));
        for (var stranger = 0ul; stranger < 30; stranger++)
        {
            var chain = Chains.Of(Chains.Key(1_000 + stranger), 100, Chains.Key(5_000));
            var import = alice.Ask(() => alice.Ledger().ImportAsync(chain));
            world.RunUntil(() => import.IsCompleted, Minute, "imported");
        }
        world.RunUntil(() => alice.Store().Count <= 1_000, Minute, "the oldest are gone");
        Assert.Equal(1_000, alice.Store().Count);
        Assert.Equal(ours, alice.Chain(alice.Key()));
        Assert.Equal(partners, alice.Chain(bob.Key()));
        Assert.Equal(0, alice.Store().CountOf(Chains.Key(1_000).Public.Bytes));
        Assert.Equal(100, alice.Store().CountOf(Chains.Key(1_029).Public.Bytes));
        Assert.True(alice.Ledger().Counters[LedgerCount.BlocksEvicted] >= 2_000);
        // New ones of strangers are still taken in.
        var more = Chains.Of(Chains.Key(2_000), 1, Chains.Key(5_000))[0];
        bob.Run(() => bob.Ledger().SendBlock(alice.PublicEndpoint, more));
        world.RunUntil(() => alice.Store().Get(more.Hash) is not null, Minute, "a new one came in");
    }

    [Fact]
    public void A_forked_chain_is_proven_spread_and_not_signed_with()
    {
        var world = new World(7);
        SimulatedNode[] nodes = [world.AddLedger("a"), world.AddLedger("b"), world.AddLedger("c"), world.AddLedger("d")];
        world.Meet(nodes);
        var mallory = nodes[3];
        var paid = mallory.Pay(nodes[0], 3 * MiB);
        world.RunUntil(() => paid.Answer.IsCompleted, Minute, "a record before the fraud");
        // A second version of block 1, to somebody else.
        var fork = HalfBlock.Create(world.Signatures, mallory.Identity, new BlockFields
        {
            Sequence = 1, LinkKey = nodes[1].Key().Bytes, LinkSequence = 0, PreviousHash = HalfBlock.GenesisHash, Type = HelpClaim.BandwidthType,
            Transaction = new BandwidthEntry(0, 3 * MiB, 0, 3 * MiB, "").Encode(json: false), Timestamp = paid.Block.Timestamp,
        });
        nodes[2].Run(() => nodes[2].Ledger().Import(fork));
        world.RunUntil(() => nodes.All(node => node.Store().FraudOf(mallory.Key().Bytes) is not null), Minute, "everybody holds the proof");
        var proof = nodes[1].Store().FraudOf(mallory.Key().Bytes)!;
        Assert.Equal(FraudKind.DoubleSign, proof.Kind);
        Assert.Equal(0, nodes[0].Records().Graphs.Find("bytes")!.SumsOf(mallory.Key()).Records);
        var before = nodes[0].Ledger().Own.Length;
        Assert.Contains("two places", mallory.Ledger().Own.Refused, StringComparison.Ordinal);
        // A further proposal of the forker is not answered.
        var more = HalfBlock.Create(world.Signatures, mallory.Identity, new BlockFields
        {
            Sequence = 2, LinkKey = nodes[0].Key().Bytes, LinkSequence = 0, PreviousHash = paid.Block.Hash, Type = HelpClaim.BandwidthType,
            Transaction = new BandwidthEntry(0, 3 * MiB, 0, 6 * MiB, "").Encode(json: false), Timestamp = paid.Block.Timestamp,
        });
        nodes[0].Run(() => nodes[0].Ledger().Import(more));
        mallory.Run(() => mallory.Ledger().SendBlock(nodes[0].PublicEndpoint, more));
        world.RunFor(Minute);
        Assert.Equal(before, nodes[0].Ledger().Own.Length);
        // Somebody who was away gets the proof with the chain.
        var late = world.AddLedger("late");
        world.Meet(late, nodes[0]);
        var crawl = late.Ask(() => late.Ledger().CrawlAsync(late.Ledger().Book.Find(nodes[0].Key())!, mallory.Key()));
        world.RunUntil(() => crawl.IsCompleted, TimeSpan.FromMinutes(3), "the crawl ends");
        Assert.NotNull(late.Store().FraudOf(mallory.Key().Bytes));
    }

    [Theory]
    [InlineData(25, 31)]
    [InlineData(0, 32)]
    public void Two_agreements_to_one_proposal_shown_to_different_nodes_are_found_out(int fanOut, ulong seed)
    {
        // With a fan-out the proposer spreads the agreement that it got; without, the other's holder tells the proposer.
        var world = new World(seed, new LinkModel { Loss = 0.1, Duplication = 0.1, Reordering = 0.1 });
        var options = new TrustChainOptions { FanOut = fanOut };
        var (alice, bob) = (world.AddLedger("alice", options), world.AddLedger("bob", options));
        var mallory = world.AddLedger("mallory", new TrustChainOptions { FanOut = 0 });
        world.Meet(alice, bob, mallory);
        var paid = alice.Pay(mallory, 3 * MiB);
        world.RunUntil(() => paid.Answer.IsCompleted, Minute, "the first agreement");
        Assert.Empty(alice.Store().Frauds());
        var first = paid.Answer.Got();
        var second = HalfBlock.Create(world.Signatures, mallory.Identity, new BlockFields
        {
            Sequence = 2, LinkKey = alice.Key().Bytes, LinkSequence = paid.Block.Sequence, PreviousHash = first.Hash, Type = HelpClaim.BandwidthType,
            Transaction = new BandwidthEntry(3 * MiB, 0, 6 * MiB, 0, "").Encode(json: false), Timestamp = first.Timestamp + 1,
        });
        // Shown to bob only, as often as it takes to get through.
        for (var i = 0; i < 5; i++) mallory.Run(() => mallory.Ledger().SendBlock(bob.PublicEndpoint, second));
        world.RunUntil(() => alice.Store().FraudOf(mallory.Key().Bytes) is not null, 2 * Minute, "alice holds the proof");
        Assert.Equal(FraudKind.DoubleCountersign, alice.Store().FraudOf(mallory.Key().Bytes)!.Kind);
        if (fanOut > 0) world.RunUntil(() => bob.Store().FraudOf(mallory.Key().Bytes) is not null, 2 * Minute, "bob holds the proof");
    }

    [Fact]
    public void Honest_agreements_are_told_to_nobody_who_spread_them_and_slowly_to_others()
    {
        var world = new World(33);
        var (alice, bob, carol) = (world.AddLedger("alice"), world.AddLedger("bob"), world.AddLedger("carol"));
        world.Meet(alice, bob, carol);
        var proposals = Enumerable.Range(0, 50).Select(i => alice.Pay(bob, MiB + i)).ToList();
        world.RunUntil(() => proposals.TrueForAll(proposal => proposal.Answer.IsCompleted), Minute, "all are agreed");
        world.RunFor(Minute);
        Assert.Equal(50, carol.Chain(bob.Key()).Length);
        Assert.Equal(0, carol.Ledger().Counters[LedgerCount.AgreementsTold]);
    }

    [Fact]
    public void A_flood_of_a_strangers_blocks_is_bounded()
    {
        var world = new World(8);
        var (alice, bob) = (world.AddLedger("alice", new TrustChainOptions { BlocksPerStrangerMax = 10 }), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var stranger = Chains.Key(77);
        var previous = HalfBlock.GenesisHash;
        for (var number = 1u; number <= 500; number++)
        {
            var block = HalfBlock.Create(world.Signatures, stranger, new BlockFields
            {
                Sequence = number, LinkKey = HalfBlock.AnyCounterparty, PreviousHash = previous, Type = "x"u8, Transaction = "a0d"u8, Timestamp = number,
            });
            previous = block.Hash;
            bob.Run(() => bob.Ledger().SendBlock(alice.PublicEndpoint, block));
        }
        world.RunFor(Minute);
        Assert.Equal(10, alice.Store().CountOf(stranger.Public.Bytes));
        Assert.InRange(alice.Ledger().Counters[LedgerCount.BlocksUnwanted], 1, 490);
    }

    [Fact]
    public void A_proposal_without_its_history_is_crawled_for_a_bounded_number_of_times()
    {
        var world = new World(9);
        var (alice, bob) = (world.AddLedger("alice"), world.AddLedger("bob"));
        world.Meet(alice, bob);
        var stranger = Chains.Key(78);
        var lonely = HalfBlock.Create(world.Signatures, stranger, new BlockFields
        {
            Sequence = 900, LinkKey = alice.Key().Bytes, PreviousHash = Polder.Cryptography.Hash256.Of([1]), Type = HelpClaim.BandwidthType,
            Transaction = new BandwidthEntry(0, 3 * MiB, 0, 3 * MiB, "").Encode(json: false), Timestamp = 1,
        });
        for (var i = 0; i < 20; i++)
        {
            bob.Run(() => bob.Ledger().SendBlock(alice.PublicEndpoint, lonely));
            world.RunFor(TimeSpan.FromSeconds(5));
        }
        Assert.Equal(0u, alice.Ledger().Own.Length);
        Assert.InRange(bob.Ledger().Counters[LedgerCount.CrawlsAnswered], 1, 12);
        Assert.Equal(lonely, Assert.Single(alice.Ledger().Waiting));
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        Assert.Equal(Run(), Run());

        static string Run()
        {
            var world = new World(21, new LinkModel { Loss = 0.2 });
            SimulatedNode[] nodes = [world.AddLedger("a"), world.AddLedger("b"), world.AddLedger("c")];
            world.Meet(nodes);
            for (var i = 0; i < 10; i++) nodes[i % 3].Pay(nodes[(i + 1) % 3], MiB);
            world.RunFor(Minute);
            return world.Trace.ToString();
        }
    }
}
