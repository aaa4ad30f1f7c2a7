using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Tags;
using Polder.Runtime;
using Polder.Simulation;
using Polder.Simulation.Checkers;

namespace Polder.Tests.Overlay.Tags;

public sealed class TagTests
{
    private static SimulatedNode Add(World world, string name, MemoryStateStore? store = null) => world.AddNode(name, null, OverlayTestNodes.Options, (_, host) =>
    {
        if (store is not null) host.Offer<IStateStore>(store);
        host.Offer(new TagService(host));
    });

    private static TagService Tags(SimulatedNode node) => node.Host.Find<TagService>()!;

    private static TagView View(SimulatedNode node, string name) => Tags(node).Look().First(tag => tag.Name == name);

    [Fact]
    public void The_overlay_id_is_the_one_that_plain_peers_compute() =>
        Assert.Equal(new CommunityId(System.Security.Cryptography.SHA1.HashData("tag:jazz"u8.ToArray())), TagName.IdOf("jazz"));

    [Fact]
    public void Bad_names_and_budgets_are_refused_in_words()
    {
        var world = new World(1);
        var node = Add(world, "node");
        node.Run(() =>
        {
            var tags = Tags(node);
            var cases = new (string Name, TagBudget Budget, TagRefusal Refusal)[]
            {
                ("", TagBudget.Default, TagRefusal.NoName), ("  ", TagBudget.Default, TagRefusal.NoName), (new string('x', 65), TagBudget.Default, TagRefusal.NameTooLong),
                (" jazz", TagBudget.Default, TagRefusal.BadCharacters), ("ja\u0007zz", TagBudget.Default, TagRefusal.BadCharacters), ("ja\u202Ezz", TagBudget.Default, TagRefusal.BadCharacters),
                ("jazz", new TagBudget(0, 8), TagRefusal.BudgetTooSmall), ("jazz", new TagBudget(-1, 8), TagRefusal.BudgetTooSmall), ("jazz", new TagBudget(double.NaN, 8), TagRefusal.BudgetTooSmall),
                ("jazz", new TagBudget(1e9, 8), TagRefusal.BudgetTooLarge), ("jazz", new TagBudget(4, 0), TagRefusal.BadNeighbours), ("jazz", new TagBudget(4, 65), TagRefusal.BadNeighbours),
            };
            foreach (var (name, budget, refusal) in cases) Assert.Equal(refusal, tags.Join(name, budget));
            Assert.Equal(TagRefusal.None, tags.Join("jazz"));
            Assert.Equal(TagRefusal.Joined, tags.Join("jazz"));
            Assert.Equal(TagRefusal.NotJoined, tags.Leave("rock"));
            Assert.Equal(TagRefusal.BudgetTooSmall, tags.Change("jazz", new TagBudget(0, 8)));
            Assert.Equal(TagRefusal.NotJoined, tags.Change("rock", TagBudget.Default));
            for (var i = 1; i < TagService.TagsMax; i++) Assert.Equal(TagRefusal.None, tags.Join($"tag {i}"));
            Assert.Equal(TagRefusal.TooMany, tags.Join("one more"));
        });
        Assert.Equal(Enum.GetValues<TagRefusal>().Length, Enum.GetValues<TagRefusal>().Select(TagRefusals.Explain).Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Members_find_each_other_and_leaving_ends_it(ulong seed)
    {
        var world = new World(seed, new LinkModel { Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.1, Duplication = 0.05, Reordering = 0.05 });
        world.Always(new NoAmplification());
        var store = new MemoryStateStore();
        var nodes = Enumerable.Range(0, 24).Select(i => Add(world, $"n{i}", i == 0 ? store : null)).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[i / 3]);
        world.RunFor(TimeSpan.FromSeconds(20));
        var jazz = nodes.Where((_, i) => i % 3 == 0).ToList();
        foreach (var node in jazz) node.Run(() => Tags(node).Join("jazz", new TagBudget(4, 4)));
        world.RunUntil(() => jazz.All(node => View(node, "jazz").Members >= 4), TimeSpan.FromMinutes(5), "members know members");
        world.RunUntil(() => jazz.All(node => View(node, "jazz").Neighbours.Count == 4), TimeSpan.FromMinutes(5), "the plan has its neighbours");
        foreach (var node in jazz)
        {
            var members = jazz.Select(other => other.Identity.Public).ToHashSet();
            Assert.All(View(node, "jazz").Neighbours, key => Assert.Contains(key, members));
            Assert.True(View(node, "jazz").RowsFilled >= 2);
        }
        // The set outlives a restart, and what is left is silent.
        world.Restart("n0");
        Assert.Equal(new TagBudget(4, 4), View(nodes[0], "jazz").Budget);
        nodes[0].Run(() => Assert.Equal(TagRefusal.None, Tags(nodes[0]).Leave("jazz")));
        var listener = new Meter(TagName.IdOf("jazz"), nodes[0].Index);
        world.Always(listener);
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(0, listener.OutBytes);
        world.Restart("n0");
        Assert.Empty(Tags(nodes[0]).Look());
    }

    [Theory]
    [InlineData(4.0, 8)]
    [InlineData(0.5, 3)]
    [InlineData(0.1, 1)]
    public void A_budget_is_kept_even_when_everybody_asks(double kilobytes, int neighbours)
    {
        var world = new World(5);
        var nodes = Enumerable.Range(0, 30).Select(i => Add(world, $"n{i}")).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[0]);
        world.RunFor(TimeSpan.FromSeconds(10));
        foreach (var node in nodes)
            node.Run(() => Tags(node).Join("jazz", node == nodes[0] ? new TagBudget(kilobytes, neighbours) : new TagBudget(100, 16)));
        var meter = new Meter(TagName.IdOf("jazz"), 0);
        world.Always(meter);
        // Everybody asks the one with the small budget, ten times a second each.
        world.Every(TimeSpan.FromMilliseconds(100), () =>
        {
            foreach (var node in nodes.Skip(1))
                node.Run(() => node.Host.Communities.OfType<TagCommunity>().First().Introductions.Request(nodes[0].PublicEndpoint));
        });
        world.RunFor(TimeSpan.FromMinutes(3));
        var limit = kilobytes * 1_000;
        TestContext.Current.TestOutputHelper?.WriteLine($"worst second {meter.WorstSecondOut} out, mean {meter.OutBytes / 180.0:0} out, {meter.InBytes / 180.0:0} in, budget {limit} B/s");
        // What comes in is others' doing; what goes out is ours: never above the budget over any ten seconds, but for the burst of two.
        Assert.True(meter.WorstTenSecondsOut <= 10 * limit + Math.Max(1_000, 2 * limit), $"{meter.WorstTenSecondsOut} bytes in ten seconds");
        Assert.True(meter.OutBytes <= 180 * limit + Math.Max(1_000, 2 * limit));
        Assert.True(View(nodes[0], "jazz").Neighbours.Count <= neighbours);
        // Others do without it, and the flood over, it comes back to life.
        Assert.True(View(nodes[0], "jazz").BytesRefused > 0);
    }

    [Fact]
    public void In_peace_both_directions_together_stay_within_the_budget_and_the_neighbours_are_found()
    {
        var world = new World(6);
        var nodes = Enumerable.Range(0, 20).Select(i => Add(world, $"n{i}")).ToList();
        for (var i = 1; i < nodes.Count; i++) nodes[i].WalkTo(nodes[i / 4]);
        foreach (var node in nodes) node.Run(() => Tags(node).Join("jazz", new TagBudget(1, 4)));
        var meters = nodes.Select(node => new Meter(TagName.IdOf("jazz"), node.Index)).ToList();
        foreach (var meter in meters) world.Always(meter);
        world.RunFor(TimeSpan.FromMinutes(5));
        var most = meters.Max(meter => (meter.InBytes + meter.OutBytes) / 300.0);
        TestContext.Current.TestOutputHelper?.WriteLine($"mean over all {meters.Average(meter => (meter.InBytes + meter.OutBytes) / 300.0):0} B/s, most {most:0} B/s of 1000");
        Assert.True(most <= 1_000, $"{most:0} B/s");
        Assert.All(nodes, node => Assert.Equal(4, View(node, "jazz").Neighbours.Count));
    }

    [Fact]
    public void A_plan_fills_rows_first_changes_two_at_a_time_and_keeps_a_quarter_blind()
    {
        var random = new Prng(3);
        TagCandidate Candidate(int row, double nearness, ulong? lot = null) => new(
            new Peer(Key(random), Endpoint.FromIPv4((uint)random.Next(int.MaxValue), 1)), 1ul << (63 - row), 1, 0.5, nearness, TimeSpan.FromSeconds(random.Next(1000)), lot ?? ulong.MaxValue / 2);
        var candidates = new List<TagCandidate>();
        for (var row = 0; row < 4; row++)
            for (var i = 0; i < 5; i++) candidates.Add(Candidate(row, i / 5.0));
        var blind = Enumerable.Range(0, 3).Select(_ => Candidate(0, 0, lot: 5)).ToList();
        candidates.AddRange(blind);
        var kept = new List<TagCandidate>();
        for (var round = 0; round < 10; round++)
        {
            var changes = TagPlanner.Plan(0, [new TagNeed(8, kept)], candidates);
            Assert.True(changes.Count <= TagPlanner.ChangesMax);
            foreach (var change in changes)
            {
                if (change.Keep) kept.Add(change.Candidate);
                else kept.Remove(change.Candidate);
            }
        }
        Assert.Equal(8, kept.Count);
        Assert.Equal(4, kept.Select(candidate => System.Numerics.BitOperations.LeadingZeroCount(candidate.Head)).Distinct().Count());
        Assert.True(kept.Count(blind.Contains) >= 2);
        // A smaller budget takes them away, two a round.
        var fewer = TagPlanner.Plan(0, [new TagNeed(3, kept)], candidates);
        Assert.Equal((2, true), (fewer.Count, fewer.All(change => !change.Keep)));
    }

    private static Polder.Identity.PublicKey Key(Prng random)
    {
        var bytes = new byte[64];
        random.Fill(bytes);
        using var pair = Polder.Identity.KeyPair.FromEntropy(bytes);
        return pair.Public;
    }

    /// <summary>Bytes of one overlay at one node, as the network sees them.</summary>
    private sealed class Meter(CommunityId id, int node) : TrafficChecker
    {
        private readonly Dictionary<long, long> _seconds = [];

        public long OutBytes { get; private set; }
        public long InBytes { get; private set; }
        public long WorstSecondOut => _seconds.Count == 0 ? 0 : _seconds.Values.Max();
        public long WorstTenSecondsOut => _seconds.Count == 0 ? 0
            : _seconds.Keys.Max(from => Enumerable.Range(0, 10).Sum(i => _seconds.GetValueOrDefault(from + i)));

        public override void Check(World world) { }

        public override void Sent(World world, SimulatedNode from, Endpoint to, ReadOnlySpan<byte> datagram)
        {
            if (from.Index != node || !IsOurs(datagram)) return;
            OutBytes += datagram.Length;
            var second = (long)world.Now.TotalSeconds;
            _seconds[second] = _seconds.GetValueOrDefault(second) + datagram.Length;
        }

        public override void Received(World world, SimulatedNode to, Endpoint from, ReadOnlySpan<byte> datagram)
        {
            if (to.Index == node && IsOurs(datagram)) InBytes += datagram.Length;
        }

        private bool IsOurs(ReadOnlySpan<byte> datagram) => Packet.HasHeader(datagram) && Packet.CommunityOf(datagram) == id;
    }
}
