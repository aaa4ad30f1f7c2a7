using System.Globalization;
using Polder.Cryptography;
using Polder.Overlay;
using Polder.Overlay.Dht;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>What a world of DHT nodes is like. The defaults are the network of specification §10.3.</summary>
public sealed record DhtWorldOptions
{
    /// <summary>Nodes that live at a time. At least 4; default 250.</summary>
    public int Nodes { get; init => field = value >= 4 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 250;

    /// <summary>Joins in a virtual second while the world is built. Default 50.</summary>
    public int JoinsPerSecond { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 50;

    /// <summary>After so long half of the nodes are gone and others in their place; zero for no churn. Default 1 h.</summary>
    public TimeSpan HalfLife { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Share of nodes that answer every question with lies and keep nothing. 0 to 0.9; default 0.</summary>
    public double Hostile { get; init => field = value is >= 0 and <= 0.9 ? value : throw new ArgumentOutOfRangeException(nameof(value)); }

    /// <summary>Round trips of 5 to 400 ms with a median of about 80, 3 % loss.</summary>
    public LinkModel Link { get; init; } = new()
    {
        Latency = TimeSpan.FromMilliseconds(2.5), Spread = TimeSpan.FromMilliseconds(197.5), SpreadSkew = 2.4, Loss = 0.03,
    };

    /// <summary>How nodes are set. Default: small tables of strangers, no walking, the DHT for laboratories.</summary>
    public OverlayOptions Overlay { get; init; } = Quiet(new DhtOptions().ForLaboratory() with { PublishesContact = false });

    /// <summary>From so many nodes on a world takes <see cref="Large"/> by itself.</summary>
    internal const int LargeWorld = 5_000;

    /// <summary>The options of a world of 5,000 to 100,000 nodes: as <see cref="Quiet"/>, with the smallest tables that still work.</summary>
    public static OverlayOptions Large(int paths = 1)
    {
        var dht = new DhtOptions().ForLargeWorlds() with { Paths = paths };
        var options = Quiet(dht).ForLargeWorlds() with { PeersMax = 12, ConnectedMax = 8, Dht = dht };
        return options with { Book = options.Book with { BucketSize = 2 } };
    }

    /// <summary>Options of nodes that do nothing but run a DHT: for measuring it alone.</summary>
    public static OverlayOptions Quiet(DhtOptions dht) => new OverlayOptions
    {
        // All have public addresses.
        Nat = Polder.Overlay.Nat.NatOptions.Passive,
        SourceSlots = 32, WalkTarget = 0, WalksEdges = false, ReplayEntriesMax = 64, IdleInterval = TimeSpan.FromSeconds(30), StepInterval = TimeSpan.FromSeconds(2),
    }.ForLaboratory() with { Dht = dht, Sessions = new Polder.Overlay.Sessions.SessionOptions { Enabled = false }, Nat = new Polder.Overlay.Nat.NatOptions { ExploresSelf = false, HelpsOthers = false } };
}

/// <summary>What a round of searches came to.</summary>
/// <param name="Count">Searches.</param>
/// <param name="Found">Of these, such that found the newest value.</param>
/// <param name="P50">Median time.</param>
/// <param name="P95">95th percentile.</param>
/// <param name="P99">99th percentile.</param>
/// <param name="QuestionsMean">Questions asked for one search.</param>
public sealed record DhtRound(int Count, int Found, TimeSpan P50, TimeSpan P95, TimeSpan P99, double QuestionsMean)
{
    /// <summary>Share that found.</summary>
    public double Success => (double)Found / Count;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Found} of {Count} found ({Success:P2}), p50 {P50.TotalMilliseconds:0} ms, p95 {P95.TotalMilliseconds:0} ms, p99 {P99.TotalMilliseconds:0} ms, {QuestionsMean:0.0} questions each");
}

/// <summary>A world of nodes that run our DHT: it grows, its nodes come and go, and it measures its own searches. For scenarios, tests and benchmarks.</summary>
public sealed class DhtWorld
{
    private readonly DhtWorldOptions _options;
    private readonly List<SimulatedNode> _alive = [], _dead = [];
    private readonly Dictionary<SimulatedNode, int> _aliveIndex = [];
    private readonly Prng _random;
    private readonly List<(Hash256 Key, byte[] Value)> _stored = [];
    private int _made;
    private double _churnDebt;

    /// <summary>Takes over a world that has no nodes yet.</summary>
    public DhtWorld(World world, DhtWorldOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        (World, _options) = (world, options ?? new DhtWorldOptions());
        world.Link = _options.Link;
        _random = Prng.Derive(world.Seed, "dht world");
    }

    /// <summary>The world.</summary>
    public World World { get; }

    /// <summary>Honest nodes that run at present.</summary>
    public IReadOnlyList<SimulatedNode> Alive => _alive;

    /// <summary>The DHT of a node in its present life.</summary>
    public static DhtService Of(SimulatedNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Get<DhtCommunity>().Service;
    }

    /// <summary>Lets all nodes join, so many a second, each told of one that is there; then waits for their tables.</summary>
    public void Grow()
    {
        var hostile = Prng.Derive(World.Seed, "hostile");
        while (_made < _options.Nodes)
        {
            for (var i = 0; i < _options.JoinsPerSecond && _made < _options.Nodes; i++)
            {
                // The first ones are honest: somebody must be found by the others.
                var isHostile = _made > 8 && hostile.Chance(_options.Hostile);
                Add(isHostile);
            }
            World.RunFor(TimeSpan.FromSeconds(1));
        }
        World.RunFor(TimeSpan.FromSeconds(20));
    }

    /// <summary>Runs with churn for so much virtual time.</summary>
    public void Live(TimeSpan duration)
    {
        for (var end = World.Now + duration; World.Now < end;)
        {
            if (_options.HalfLife > TimeSpan.Zero)
            {
                _churnDebt += _alive.Count * (1 - Math.Pow(0.5, 1 / _options.HalfLife.TotalSeconds));
                for (; _churnDebt >= 1; _churnDebt--)
                {
                    Kill(_alive[_random.Next(_alive.Count)]);
                    Revive();
                }
            }
            var left = end - World.Now;
            World.RunFor(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>A share of the nodes dies at this moment, unseen: entries of tables become stale.</summary>
    public void KillShare(double share)
    {
        for (var count = (int)(_alive.Count * share); count > 0; count--) Kill(_alive[_random.Next(_alive.Count)]);
    }

    /// <summary>Random nodes store so many values that nobody can change; each counts that at least half of the wanted holders keep.</summary>
    public int Store(int count)
    {
        var before = _stored.Count;
        var tasks = new List<(Task<DhtStored> Task, byte[] Value)>();
        for (var i = 0; i < count; i++)
        {
            var value = new byte[32];
            _random.Fill(value);
            var node = _alive[_random.Next(_alive.Count)];
            Task<DhtStored>? task = null;
            node.Run(() => task = Of(node).PutAsync(value, keep: false));
            tasks.Add((task!, value));
            World.RunFor(TimeSpan.FromMilliseconds(100));
        }
        World.RunFor(TimeSpan.FromSeconds(20));
        foreach (var (task, value) in tasks)
            if (task.IsCompletedSuccessfully && task.Result.Holders >= Math.Min(_options.Overlay.Dht.BucketWidth / 2, _alive.Count / 2)) _stored.Add((task.Result.Key, value));
        return _stored.Count - before;
    }

    /// <summary>Random nodes look up random stored values, a few at a time, with churn going on.</summary>
    public DhtRound Measure(int count, TimeSpan? over = null)
    {
        var results = new List<(Task<DhtFindings> Task, byte[] Value, SimulatedNode Node, int Starts)>(count);
        var each = (over ?? TimeSpan.FromSeconds(60)) / count;
        for (var i = 0; i < count; i++)
        {
            var (key, value) = _stored[_random.Next(_stored.Count)];
            var node = _alive[_random.Next(_alive.Count)];
            Task<DhtFindings>? task = null;
            node.Run(() => task = Of(node).GetAsync(key));
            results.Add((task!, value, node, node.Starts));
            Live(each);
        }
        World.RunFor(TimeSpan.FromSeconds(12));
        var times = new List<TimeSpan>();
        var found = 0;
        double questions = 0;
        foreach (var (task, value, node, starts) in results)
        {
            // Whoever died meanwhile asks nobody.
            if (!task.IsCompletedSuccessfully)
            {
                if (node.IsRunning && node.Starts == starts) times.Add(TimeSpan.FromSeconds(12));
                continue;
            }
            var findings = task.Result;
            times.Add(findings.Took);
            questions += findings.Questions;
            if (findings.Record is { } record && record.Value.Span.SequenceEqual(value)) found++;
        }
        times.Sort();
        return new DhtRound(times.Count, found, At(times, 0.50), At(times, 0.95), At(times, 0.99), questions / times.Count);

        static TimeSpan At(List<TimeSpan> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
    }

    private void Add(bool hostile)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{(hostile ? "h" : "n")}{_made++}");
        var told = _alive.Count > 0 ? _alive[_random.Next(_alive.Count)].PublicEndpoint : Polder.Net.Endpoint.None;
        var node = World.AddNode(name, options: _options.Overlay, setUp: (self, host) =>
        {
            if (hostile) host.Join(context => new HostileDht(context));
            else host.Join(context => new DhtCommunity(context));
            if (self.Starts > 1 && _alive.Count > 0) host.WalkTo(_alive[_random.Next(_alive.Count)].PublicEndpoint);
            else if (told.IsSendable) host.WalkTo(told);
        });
        if (!hostile) Enter(node);
    }

    private void Revive()
    {
        if (_dead.Count > 100)
        {
            // The one that is dead longest comes again, with its key and nothing else.
            var node = _dead[0];
            _dead.RemoveAt(0);
            World.Restart(node.Name);
            Enter(node);
        }
        else Add(hostile: false);
    }

    private void Enter(SimulatedNode node)
    {
        _aliveIndex[node] = _alive.Count;
        _alive.Add(node);
    }

    private void Kill(SimulatedNode node)
    {
        World.Crash(node.Name);
        var (index, last) = (_aliveIndex[node], _alive[^1]);
        (_alive[index], _aliveIndex[last]) = (last, index);
        _alive.RemoveAt(_alive.Count - 1);
        _aliveIndex.Remove(node);
        _dead.Add(node);
    }
}
