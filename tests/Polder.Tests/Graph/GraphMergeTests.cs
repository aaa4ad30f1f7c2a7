using System.Text;
using Polder.Graph;
using Polder.Graph.Merge;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;
using Polder.Graph.Wire;
using Polder.Runtime;

namespace Polder.Tests.Graph;

/// <summary>The merge as algebra, replicas that converge, and decoders under fuzzing.</summary>
public sealed class GraphMergeTests
{
    private static readonly GraphValue[] Values =
        [GraphValue.Null, true, false, 0.0, 9.0, 10.0, -1.0, 1e21, "", "a", "b", "!", "\ud800", GraphValue.LinkTo("a"), GraphValue.LinkTo("é")];

    /// <summary>POLDER_GRAPH_HISTORIES makes it a million (docs/graph.md).</summary>
    [Fact]
    public void Merge_is_commutative_associative_and_idempotent()
    {
        var histories = int.TryParse(Environment.GetEnvironmentVariable("POLDER_GRAPH_HISTORIES"), out var given) ? given : 30_000;
        var random = new Prng(Fuzz.Seed);
        for (var i = 0; i < histories; i++)
        {
            var history = new GraphEntry[random.Next(1, 7)];
            foreach (ref var entry in history.AsSpan()) entry = new GraphEntry(random.Next(4), random.Pick(Values));
            var (forward, backward, shuffled) = (Fold(history), Fold([.. history.Reverse()]), history.ToArray());
            random.Shuffle<GraphEntry>(shuffled);
            var cut = random.Next(history.Length + 1);
            var (left, right) = (Fold(history.AsSpan(0, cut).ToArray()), Fold(history.AsSpan(cut).ToArray()));
            Assert.True(forward == backward && forward == Fold(shuffled), $"order matters, seed {Fuzz.Seed}");
            Assert.True(forward == Merge(left, right) && forward == Merge(right, left), $"grouping matters, seed {Fuzz.Seed}");
            Assert.True(forward == Fold([.. history, .. history]), $"repetition matters, seed {Fuzz.Seed}");
        }
    }

    [Theory]
    [InlineData(40)]
    public void Replicas_converge_after_partitions_skewed_clocks_and_crashes(int seeds)
    {
        // POLDER_GRAPH_SEEDS=500 for the long run.
        if (int.TryParse(Environment.GetEnvironmentVariable("POLDER_GRAPH_SEEDS"), out var given)) seeds = given;
        for (var seed = 1; seed <= seeds; seed++) Converge((ulong)seed);
    }

    private static void Converge(ulong seed)
    {
        var world = new GraphWorld(seed);
        var random = world.Random;
        var nodes = Enumerable.Range(0, 3).Select(_ => new Replica(world, TimeSpan.FromHours(random.Next(-24, 24)))).ToList();
        void Link(int one, int other) => world.On(() => Replica.Connect(world, nodes[one], nodes[other]));
        Link(0, 1);
        Link(1, 2);
        for (var step = 0; step < 60; step++)
        {
            var node = random.Pick(nodes);
            switch (random.Next(10))
            {
                case 0: world.On(() => node.CutAll()); break;
                case 1: world.On(() => Replica.Connect(world, node, nodes[(nodes.IndexOf(node) + 1) % 3])); break;
                case 2: world.On(node.Restart); break;
                default:
                    var (key, value) = ("k" + random.Next(5), random.Pick(Values));
                    world.On(() => _ = node.Graph["doc"].PutAsync(key, value));
                    break;
            }
            world.Run(TimeSpan.FromMilliseconds(random.Next(1, 40)));
        }
        // Heal, and let the slowest clock reach what the fastest wrote.
        world.On(() =>
        {
            foreach (var node in nodes) node.CutAll();
        });
        Link(0, 1);
        Link(1, 2);
        world.Run(TimeSpan.FromHours(50));
        world.On(() =>
        {
            foreach (var node in nodes) node.CutAll();
        });
        Link(0, 1);
        Link(1, 2);
        world.Run(TimeSpan.FromMinutes(1));
        var texts = nodes.ConvertAll(static node => string.Join('|', Enumerable.Range(0, 5).Select(i => node.Graph.Find("doc", "k" + i))));
        Assert.True(texts.TrueForAll(text => text == texts[0]), $"seed {seed}: {string.Join("\n", texts)}");
    }

    [Fact]
    public void Frames_survive() => Fuzz.Run("FrameReader", Corpus(), static bytes =>
        FrameReader.Read(Encoding.UTF8.GetString(bytes), new GraphOptions { FrameCharactersMax = 1 << 20 }, []), allocationFactor: 400);

    [Fact]
    public void Signed_values_and_ciphertexts_survive() => Fuzz.Run("SignedValue", [.. GunVectors.Read("sea-firewall").GetProperty("cases").EnumerateArray().Select(static row => Encoding.UTF8.GetBytes(GunVectors.Value(row.GetProperty("value")).AsText ?? ""))], static bytes =>
    {
        var text = Encoding.UTF8.GetString(bytes);
        var write = new GraphWrite("~" + GunVectorKeys.Alice, "k", 1, GraphValue.Of(text));
        if (Firewall.Check(write, 0, out _, out var claim) == FirewallVerdict.Claimed) claim!.Verify();
        SeaCipher.TryDecrypt(text, "key");
        SeaSignatures.TryVerify(text, GunVectorKeys.Alice, out _);
    }, allocationFactor: 2000);

    [Fact]
    public void A_hub_survives_any_frame()
    {
        var world = new GraphWorld(1);
        GraphHub? hub = null;
        world.On(() => hub = new GraphHub(world.Graph()));
        var (peer, other) = (new RawPeer(world, hub!), new RawPeer(world, hub!, "other"));
        other.Say("""{"#":"all","get":{"#":{"*":""},"%":100}}""");
        var random = Prng.Derive(Fuzz.Seed, "hub");
        var corpus = Corpus();
        for (var i = 0; i < 3000; i++)
        {
            peer.Say(Encoding.UTF8.GetString(Fuzz.Mutate(random, corpus)));
            if (i % 100 == 0) world.Run(TimeSpan.FromSeconds(1));
            peer.Frames.Clear();
        }
    }

    private static List<byte[]> Corpus()
    {
        var corpus = new List<byte[]>();
        foreach (var scenario in GunVectors.Read("wire-server").GetProperty("axe").EnumerateArray())
            foreach (var frame in scenario.GetProperty("frames").EnumerateArray())
                if (frame.TryGetProperty("raw", out var raw) && GunVectors.Raw(raw) is { Length: > 0 and < 4000 } text) corpus.Add(Encoding.UTF8.GetBytes(text));
        return corpus;
    }

    private static GraphEntry? Fold(ReadOnlySpan<GraphEntry> history)
    {
        GraphEntry? stored = null;
        foreach (var entry in history) stored = Merge(stored, entry);
        return stored;
    }

    private static GraphEntry? Merge(GraphEntry? stored, GraphEntry? incoming) => incoming is { } entry && Ham.Wins(stored, entry) ? entry : stored;

    private static class GunVectorKeys
    {
        public static readonly string Alice = GunVectors.Pair("alice").Pub;
    }

    /// <summary>A node that can be cut off and restarted on its store.</summary>
    private sealed class Replica(GraphWorld world, TimeSpan clock)
    {
        private readonly Polder.Graph.Store.MemoryGraphStore _store = new();
        private readonly List<Wire> _wires = [];

        public SharedGraph Graph { get; private set; } = null!;
        private GraphHub Hub { get; set; } = null!;

        public void Start()
        {
            Graph = world.Graph(store: _store, offset: clock, options: new GraphOptions { Horizon = TimeSpan.FromHours(72) });
            Hub = new GraphHub(Graph);
        }

        public void Restart()
        {
            CutAll();
            if (Graph is null) return;
            Hub.Dispose();
            Graph.Dispose();
            Start();
        }

        public void CutAll()
        {
            foreach (var wire in _wires.ToList()) wire.Cut();
        }

        /// <summary>Two hubs over one wire: either follows what the other has.</summary>
        public static void Connect(GraphWorld world, Replica one, Replica other)
        {
            if (one.Graph is null) one.Start();
            if (other.Graph is null) other.Start();
            if (one._wires.Exists(wire => wire.Has(other))) return;
            var wire = new Wire(world, one, other);
            one._wires.Add(wire);
            other._wires.Add(wire);
            wire.Open();
        }

        private sealed class Wire(GraphWorld world, Replica one, Replica other)
        {
            private End? _one, _other;

            public bool Has(Replica replica) => replica == one || replica == other;

            public void Open()
            {
                (_one, _other) = (new End(world, one.Hub), new End(world, other.Hub));
                (_one.Far, _other.Far) = (_other, _one);
                _one.Peer = one.Hub.Connect(_one);
                _other.Peer = other.Hub.Connect(_other);
                // Acting as clients of each other: to follow is to ask.
                one.Hub.Receive(_one.Peer, $$$"""{"#":"{{{RandomNames.Id(world.Random)}}}","get":{"#":"doc"}}""");
                other.Hub.Receive(_other.Peer, $$$"""{"#":"{{{RandomNames.Id(world.Random)}}}","get":{"#":"doc"}}""");
            }

            public void Cut()
            {
                one._wires.Remove(this);
                other._wires.Remove(this);
                _one!.Cut();
                _other!.Cut();
            }
        }

        private sealed class End(GraphWorld world, GraphHub hub) : IGraphLink
        {
            private bool _cut;
            public End? Far { get; set; }
            public GraphPeer? Peer { get; set; }
            public string Name => "wire";
            public bool IsLocal => true;

            public void Send(string frame) => world.Plan(TimeSpan.FromMilliseconds(world.Random.Next(1, 30)), () =>
            {
                if (!_cut && Far is { _cut: false, Peer: { } peer }) Far.Take(peer, frame);
            });

            public void Close() => Cut();

            public void Cut()
            {
                if (_cut) return;
                _cut = true;
                if (Peer is { } peer) hub.Disconnect(peer);
            }

            private void Take(GraphPeer peer, string frame) => hub.Receive(peer, frame);
        }
    }
}
