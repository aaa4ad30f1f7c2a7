using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Dissemination;
using Polder.Ledger.Fraud;
using Polder.Ledger.Messages;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Ledger;

/// <summary>News among full nodes: pushed at once, pulled by whoever was away, bounded in cost, and of no use to liars.</summary>
public sealed class SpreadingTests
{
    private const long MiB = 1 << 20;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Nobody broadcasts to plain peers, nobody crawls: what comes, spreading brought.</summary>
    private static TrustChainOptions Only(DisseminationOptions? spreading = null) => new()
    {
        FanOut = 0, CrawlInterval = TimeSpan.FromHours(10), Dissemination = spreading ?? new DisseminationOptions(),
    };

    private static SimulatedNode Add(World world, string name, TrustChainOptions options)
    {
        var node = world.AddLedgerNode(name, options: options);
        foreach (var other in world.Nodes)
            if (other != node) node.WalkTo(other);
        return node;
    }

    private static SimulatedNode[] Village(World world, int count, TrustChainOptions options)
    {
        for (var i = 0; i < count; i++) Add(world, $"n{i}", options);
        world.RunUntil(() => world.Nodes.All(node => node.Ledger().Peers.Count(peer => peer.IsPolder) == count - 1), 2 * Minute, "all know each other as full nodes");
        return [.. world.Nodes];
    }

    private static HalfBlock Signed(SimulatedNode node, KeyPair key, PublicKey to, long amount) => HalfBlock.Create(node.Environment.Signatures, key, new BlockFields
    {
        Sequence = 1, LinkKey = to.Bytes, LinkSequence = 0, PreviousHash = HalfBlock.GenesisHash, Type = HelpClaim.BandwidthType,
        Transaction = new BandwidthEntry(0, amount, 0, amount, "").Encode(json: false), Timestamp = 1,
    });

    private static FraudProof ProofBy(SimulatedNode node, KeyPair key) =>
        new(FraudKind.DoubleSign, Signed(node, key, node.Key(), 2 * MiB), Signed(node, key, node.Key(), 3 * MiB));

    [Fact]
    public void A_record_reaches_everybody_at_once_by_push()
    {
        var world = new World(21);
        var nodes = Village(world, 12, Only(new DisseminationOptions { Pulls = false }));
        var proposal = nodes[0].Pay(nodes[1], 5 * MiB);
        world.RunUntil(() => nodes.All(node => node.Store().Count == 2), TimeSpan.FromSeconds(5), "both halves are everywhere");
        Assert.True(proposal.Answer.IsCompleted);
        // Each halves' way through twelve nodes costs a bounded number of messages.
        Assert.True(nodes.Sum(node => node.Ledger().Counters[LedgerCount.SpreadBytes]) < 12 * 13 * 1_000);
    }

    [Fact]
    public void Pull_alone_brings_it_too_and_whoever_was_away_gets_blocks_and_proofs()
    {
        var world = new World(22);
        var options = Only(new DisseminationOptions { Pushes = false, PullInterval = TimeSpan.FromSeconds(1) });
        var nodes = Village(world, 5, options);
        world.Crash("n4");
        nodes[0].Pay(nodes[1], 5 * MiB);
        nodes[2].Run(() => Assert.Equal(FraudFault.None, nodes[2].Ledger().Import(ProofBy(nodes[2], Chains.Key(9)))));
        world.RunUntil(() => nodes[..4].All(node => node.Store().Count == 2 && node.Store().Frauds().Count == 1), Minute, "four know");
        world.Restart("n4");
        foreach (var other in nodes[..4]) nodes[4].WalkTo(other);
        world.RunUntil(() => nodes[4].Store().Count == 2 && nodes[4].Store().FraudOf(Chains.Key(9).Public.Bytes) is not null, 2 * Minute, "the fifth is told");
        Assert.True(nodes[4].Ledger().Counters[LedgerCount.NewsPulled] > 0);
        Assert.Equal(0, nodes[4].Ledger().Counters[LedgerCount.NewsPushed]);
    }

    [Fact]
    public void A_proof_reaches_everybody_at_once_and_the_forker_is_refused_for_good_also_after_a_restart()
    {
        var world = new World(23);
        var nodes = Village(world, 8, Only());
        var mallory = Add(world, "mallory", Only());
        world.RunUntil(() => nodes.All(node => node.Ledger().Peers.Any(peer => peer.Key == mallory.Key())), Minute, "all know mallory");
        var proof = ProofBy(nodes[0], mallory.Identity);
        nodes[0].Run(() => Assert.Equal(FraudFault.None, nodes[0].Ledger().Import(proof)));
        world.RunUntil(() => nodes.All(node => node.Store().FraudOf(mallory.Key().Bytes) is not null), TimeSpan.FromSeconds(3), "all know");
        Assert.All(nodes, node => Assert.True(node.Host.Peers.IsDiscouraged(mallory.Key())));
        Assert.Contains("provably cheated", Assert.Throws<SigningRefusedException>(() => nodes[3].Pay(mallory, MiB)).Message, StringComparison.Ordinal);

        nodes[5].Ask(() => nodes[5].Store().FlushAsync());
        world.Crash("n5");
        world.Restart("n5");
        foreach (var other in nodes) if (other != nodes[5]) nodes[5].WalkTo(other);
        nodes[5].WalkTo(mallory);
        world.RunFor(Minute);
        Assert.NotNull(nodes[5].Store().FraudOf(mallory.Key().Bytes));
        Assert.DoesNotContain(nodes[5].Ledger().Peers, peer => peer.Key == mallory.Key() && !nodes[5].Host.Peers.IsDiscouraged(peer.Key));
        // What it proposes is neither agreed to nor put before the owner.
        var asked = mallory.Pay(nodes[5], 2 * MiB);
        world.RunFor(Minute);
        Assert.False(asked.Answer.IsCompleted);
        Assert.Empty(nodes[5].Ledger().Waiting);
    }

    [Fact]
    public void Whoever_pushes_what_nobody_signed_or_proves_nothing_is_ignored()
    {
        var world = new World(24);
        var nodes = Village(world, 4, Only());
        var (liar, slanderer) = (AddLiar(world, "liar"), AddLiar(world, "slanderer"));
        world.RunUntil(() => nodes.All(node => node.Ledger().Peers.Count(peer => peer.IsPolder) == 5), 2 * Minute, "all know the two");
        var good = Signed(nodes[0], Chains.Key(5), nodes[0].Key(), 2 * MiB);
        var packed = good.Packed.ToArray();
        packed[^1] ^= 1;
        Assert.True(HalfBlock.TryUnpack(packed, out var forged));
        liar.Run(() => liar.Get<Liar>().Tell(new BlockPush(3, [forged!])));
        slanderer.Run(() => slanderer.Get<Liar>().Tell(new FraudPush(new FraudProof(FraudKind.DoubleSign, good, forged!))));
        world.RunFor(TimeSpan.FromSeconds(30));
        foreach (var node in nodes)
        {
            Assert.True(node.Host.Peers.IsDiscouraged(liar.Key()));
            Assert.True(node.Host.Peers.IsDiscouraged(slanderer.Key()));
            Assert.Empty(node.Store().Frauds());
            Assert.Equal(0, node.Store().Count);
        }
    }

    [Fact]
    public void A_flood_of_valid_foreign_blocks_and_frauds_stays_within_the_budget_and_news_still_spread()
    {
        var world = new World(25);
        var play = new ForkWorld(world, new ForkWorldOptions { Nodes = 14, Hostile = 0, Flooders = 2, Forks = 1, RecordsPerSecond = 1, Between = TimeSpan.FromSeconds(20) });
        var times = play.Play();
        TestContext.Current.TestOutputHelper?.WriteLine($"{times[0]} {play.SpreadKilobytesPerSecond:0.0} kB/s");
        var options = new DisseminationOptions();
        foreach (var node in play.Honest)
        {
            var counters = node.Ledger().Counters;
            Assert.True(counters[LedgerCount.NewsTooFast] > 0, $"{node.Name} was not flooded");
            // Budget, and what the buckets hold at once.
            var most = options.BytesPerSecond * 1.5 * (world.Now.TotalSeconds + 32);
            Assert.True(counters[LedgerCount.SpreadBytes] < most, $"{node.Name} spent {counters[LedgerCount.SpreadBytes]}, at most {most}");
            Assert.True(node.Ledger().Store.Count < 4 * options.BytesPerSecond * (world.Now.TotalSeconds + 32) / 300);
            Assert.True(node.Ledger().Store.Frauds().Count <= Polder.Ledger.Limits.FraudsMax + 16);
        }
        Assert.True(play.Records > 10);
    }

    private static SimulatedNode AddLiar(World world, string name)
    {
        var node = world.AddNode(name, setUp: (_, host) => host.Join(context => new Liar(context)));
        foreach (var other in world.Nodes)
            if (other != node) node.WalkTo(other);
        return node;
    }

    private sealed class Liar(CommunityContext context) : Community(TrustChainCommunity.Id, context, MessageForm.GlobalTime)
    {
        public void Tell<T>(T message) where T : struct, Polder.Wire.IMessage<T>
        {
            foreach (var peer in Peers) Send(peer, message);
        }
    }
}

/// <summary>Forks among hundreds, with hostile gossipers, loss and a cut network; and old backups.</summary>
public sealed class ForkScenarioTests
{
    public static TheoryData<string, ulong> Fork => Simulation.ScenarioRuns.Seeds("fork", fresh: 1);
    public static TheoryData<string, ulong> Restore => Simulation.ScenarioRuns.Seeds("restore", fresh: 3);

    [Theory, MemberData(nameof(Fork))]
    public void A_fork_is_proven_within_seconds(string scenario, ulong seed) => Simulation.ScenarioRuns.Try(scenario, seed);

    [Theory, MemberData(nameof(Restore))]
    public void Nobody_who_restores_a_backup_forks_or_is_convicted(string scenario, ulong seed) => Simulation.ScenarioRuns.Try(scenario, seed);
}
