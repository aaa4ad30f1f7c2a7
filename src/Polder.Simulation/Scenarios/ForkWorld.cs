using System.Globalization;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Dissemination;
using Polder.Ledger.Records;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Simulation.Checkers;

namespace Polder.Simulation.Scenarios;

/// <summary>What a world is like in which chains are forked.</summary>
public sealed record ForkWorldOptions
{
    /// <summary>Nodes, forkers not counted. At least 8; default 300.</summary>
    public int Nodes { get; init => field = value >= 8 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 300;

    /// <summary>Share of them that drop, delay or forge what they should pass on. 0 to 0.9; default 0.3.</summary>
    public double Hostile { get; init => field = value is >= 0 and <= 0.9 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 0.3;

    /// <summary>Nodes that flood with valid blocks and valid frauds of keys made for it. Default 0.</summary>
    public int Flooders { get; init; }

    /// <summary>Forks, one after the other, each by somebody else. Default 5.</summary>
    public int Forks { get; init; } = 5;

    /// <summary>Quiet time before and after each fork. Default 20 s.</summary>
    public TimeSpan Between { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How news spread.</summary>
    public DisseminationOptions Spreading { get; init; } = new();

    /// <summary>Honest records a second in the whole network meanwhile. Default 0.5; the published network had 2.9.</summary>
    public double RecordsPerSecond { get; init; } = 0.5;

    /// <summary>While each fork is shown, the network is cut into halves with a victim each, and heals after this time. Default: not at all.</summary>
    public TimeSpan CutFor { get; init; }

    /// <summary>How long a fork may go unnoticed by 95 of 100 before the run fails. Default 10 min.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What one fork came to.</summary>
/// <param name="Detected">From showing both halves (from the healing, where the network was cut) until somebody honest held the proof.</param>
/// <param name="Known">Until 95 of 100 of the honest did.</param>
public readonly record struct ForkTimes(TimeSpan Detected, TimeSpan Known);

/// <summary>
/// Full nodes with ledgers, some of them hostile; somebody shows two versions of one block to two of them. For the scenario, tests and
/// benchmarks.
/// </summary>
public sealed class ForkWorld
{
    private const long Amount = 2 << 20;
    private const double Enough = 0.95;
    private const int ConnectSecondsMax = 60;

    private readonly ForkWorldOptions _options;
    private readonly List<SimulatedNode> _honest = [], _all = [];
    private readonly NoHonestConvicted _convicted = new();
    private readonly Prng _chance;
    private readonly Dictionary<ulong, (TimeSpan First, TimeSpan Enough, int Knowing)> _known = [];
    private (TimeSpan At, long Bytes, long Spread) _base;

    /// <summary>Takes over a world that has no nodes yet.</summary>
    public ForkWorld(World world, ForkWorldOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        (World, _options) = (world, options ?? new ForkWorldOptions());
        _chance = Prng.Derive(world.Seed, "fork world");
        world.Always(_convicted);
    }

    /// <summary>The world.</summary>
    public World World { get; }

    /// <summary>Those who keep the rules.</summary>
    public IReadOnlyList<SimulatedNode> Honest => _honest;

    /// <summary>Records that honest nodes agreed on since <see cref="Grow"/>.</summary>
    public int Records { get; private set; }

    /// <summary>Kilobytes a second that an honest node sends, everything counted, since <see cref="Grow"/>.</summary>
    public double KilobytesPerSecond { get; private set; }

    /// <summary>Of these, what spreading blocks and proofs takes.</summary>
    public double SpreadKilobytesPerSecond { get; private set; }

    /// <summary>Options of nodes in a world of this size.</summary>
    public static OverlayOptions OverlayFor(int nodes) => nodes >= 200
        ? new OverlayOptions().ForLargeWorlds() with { WalkTarget = 10, PeersWanted = 12 }
        : new OverlayOptions { SourceSlots = 256 };

    /// <summary>All nodes come, each told of two that are there, and meet.</summary>
    public void Grow()
    {
        var overlay = OverlayFor(_options.Nodes);
        // Who compares with pulling alone wants no broadcasts to plain peers either.
        var ledger = new TrustChainOptions { Dissemination = _options.Spreading, FanOut = _options.Spreading.Pushes ? 25 : 0 };
        var atOnce = Math.Max(10, _options.Nodes / 40);
        for (var i = 0; i < _options.Nodes; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"n{i}");
            var floods = i >= _options.Nodes - _options.Flooders;
            // The first ones are honest: somebody must be found by the others.
            var isHostile = floods || (i > 8 && _chance.Chance(_options.Hostile));
            SimulatedNode node;
            if (isHostile)
            {
                var how = floods ? Hostility.Floods : (Hostility)_chance.Next(3);
                node = World.AddNode(name, options: overlay, setUp: (self, host) => host.Join(context => new HostileGossiper(self, context, how)));
                // Keys that it makes up belong to nobody here; its own key it keeps clean.
            }
            else
            {
                node = World.AddLedgerNode(name, options: ledger, overlay: overlay, setUp: (self, host) => Watch(host.Find<TrustChainCommunity>()!));
                _honest.Add(node);
            }
            for (var j = 0; j < 2 && _all.Count > 0; j++) node.WalkTo(_chance.Pick(_all));
            _all.Add(node);
            if (i % atOnce == atOnce - 1) World.RunFor(TimeSpan.FromSeconds(1));
        }
        // Here and there one is left whose few neighbours are full, or hostile; it asks for more for ever, and counts like the others.
        for (var waited = 0; waited < ConnectSecondsMax && _honest.Count(IsConnected) < 0.97 * _honest.Count; waited += 5) World.RunFor(TimeSpan.FromSeconds(5));
        World.RunFor(TimeSpan.FromSeconds(20));
        _base = (World.Now, BytesOut(), SpreadBytes());
        Work();
    }

    /// <summary>Somebody forks: runs until 95 of 100 of the honest know, and gives the times.</summary>
    public ForkTimes Fork(int number)
    {
        var (alice, bob) = (_chance.Pick(_honest), _chance.Pick(_honest));
        while (bob == alice) bob = _chance.Pick(_honest);
        var mallory = World.AddNode(string.Create(CultureInfo.InvariantCulture, $"mallory{number}"), options: OverlayFor(_options.Nodes),
            setUp: (node, host) => host.Join(context => new Cheater(node, context)));
        _convicted.Except(mallory);
        mallory.WalkTo(alice);
        mallory.WalkTo(bob);
        World.RunUntil(() => mallory.Host.Peers.Find(alice.Identity.Public) is { IsValidated: true } && mallory.Host.Peers.Find(bob.Identity.Public) is { IsValidated: true },
            TimeSpan.FromMinutes(2), "mallory meets both victims");
        if (_options.CutFor > TimeSpan.Zero) Cut(alice, bob, mallory);
        var cheater = mallory.Get<Cheater>();
        mallory.Run(() =>
        {
            var (one, other) = (cheater.Sign(1, alice.Identity.Public, 0, null, new BandwidthEntry(0, Amount, 0, Amount, "")),
                cheater.Sign(1, bob.Identity.Public, 0, null, new BandwidthEntry(0, Amount + 1, 0, Amount + 1, "")));
            cheater.Show(alice, one);
            cheater.Show(bob, other);
            // Said again until it came: on a lossy line it would else be no fork at all.
            for (var i = 1; i <= 5; i++)
                World.At(World.Now + TimeSpan.FromMilliseconds(200 * i), () => mallory.Run(() =>
                {
                    if (!HasSeen(alice, one)) cheater.Throw(alice, one);
                    if (!HasSeen(bob, other)) cheater.Throw(bob, other);
                }));
        });
        var shown = World.Now;
        if (_options.CutFor > TimeSpan.Zero)
        {
            World.RunFor(_options.CutFor);
            World.Heal();
            shown = World.Now;
        }
        var head = HeadOf(mallory.Identity.Public.Bytes);
        World.RunUntil(() => Knowing(head) >= Enough * _honest.Count, _options.Limit, "95 of 100 know of the fork", TimeSpan.FromMilliseconds(100),
            () => $"{Knowing(head)} of {_honest.Count} do; the victims: {Standing(alice, mallory)}; {Standing(bob, mallory)}");
        var times = _known[head];
        return new ForkTimes(Max(times.First - shown), Max(times.Enough - shown));

        // Not just any block of that number: the other victim's may have come first, by way of friends.
        static bool HasSeen(SimulatedNode victim, HalfBlock block)
        {
            var store = victim.Ledger!.Store;
            return store.Get(block.Hash) is not null || store.FraudOf(block.PublicKey) is not null;
        }

        static TimeSpan Max(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
    }

    /// <summary>All forks of the options, and the sums of the run.</summary>
    public IReadOnlyList<ForkTimes> Play()
    {
        Grow();
        var all = new List<ForkTimes>();
        for (var i = 0; i < _options.Forks; i++)
        {
            World.RunFor(_options.Between);
            all.Add(Fork(i));
        }
        World.RunFor(_options.Between);
        Measure();
        World.CheckAll();
        return all;
    }

    /// <summary>Works out what a node sent since <see cref="Grow"/>.</summary>
    public void Measure()
    {
        var seconds = Math.Max(1, (World.Now - _base.At).TotalSeconds);
        KilobytesPerSecond = (BytesOut() - _base.Bytes) / seconds / _honest.Count / 1000;
        SpreadKilobytesPerSecond = (SpreadBytes() - _base.Spread) / seconds / _honest.Count / 1000;
    }

    /// <summary>The middle one of these times.</summary>
    public static TimeSpan Median(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return sorted.Count == 0 ? TimeSpan.Zero : sorted[sorted.Count / 2];
    }

    private void Watch(TrustChainCommunity ledger) => ledger.FraudFound += proof =>
    {
        var head = HeadOf(proof.Culprit);
        ref var known = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_known, head, out var exists);
        if (!exists) known.First = World.Now;
        known.Knowing++;
        if (known.Knowing <= Enough * _honest.Count || known.Enough == default) known.Enough = World.Now;
    };

    private bool IsConnected(SimulatedNode node) => node.Ledger!.Peers.Count(peer => peer.IsPolder) >= Math.Min(4, _honest.Count - 1);

    /// <summary>Whether a victim holds what it was shown, and among whom it stands.</summary>
    private string Standing(SimulatedNode victim, SimulatedNode mallory)
    {
        var ledger = victim.Ledger!;
        var full = ledger.Peers.Where(static peer => peer.IsPolder).ToList();
        return string.Create(CultureInfo.InvariantCulture,
            $"{victim.Name} holds {ledger.Store.CountOf(mallory.Identity.Public.Bytes)} of its blocks, has {full.Count} full neighbours, {full.Count(peer => _honest.Exists(node => peer.Key == node.Identity.Public))} of them honest");
    }

    private int Knowing(ulong head) => _known.TryGetValue(head, out var known) ? known.Knowing : 0;

    private static ulong HeadOf(ReadOnlySpan<byte> key) => Polder.Cryptography.Hash256.Of(key).Head;

    private long BytesOut() => _honest.Sum(node => node.BytesOut);

    private long SpreadBytes() => _honest.Sum(node => node.Ledger!.Counters[LedgerCount.SpreadBytes]);

    /// <summary>Halves with a victim each; the forker reaches both.</summary>
    private void Cut(SimulatedNode alice, SimulatedNode bob, SimulatedNode mallory)
    {
        List<string> left = [alice.Name], right = [bob.Name];
        foreach (var node in World.Nodes)
            if (node != alice && node != bob && node != mallory) (_chance.Chance(0.5) ? left : right).Add(node.Name);
        World.Partition(left, right);
    }

    /// <summary>Honest records of chance among neighbours, which spread as any.</summary>
    private void Work()
    {
        if (_options.RecordsPerSecond <= 0) return;
        Next();
        void Next() => World.At(World.Now + TimeSpan.FromSeconds(1 / _options.RecordsPerSecond) * (0.2 + 1.6 * _chance.NextDouble()), () =>
        {
            var node = _chance.Pick(_honest);
            node.Run(() =>
            {
                if (node.Ledger is not { Own.Refused: null } ledger || ledger.PickPeer() is not { } peer) return;
                if (_honest.Find(other => other.Identity.Public == peer.Key) is null) return;
                try { node.Records!.Propose(peer.Key, gave: false, Amount, HelpClaim.Bytes, ""); }
                catch (SigningRefusedException) { return; }
                Records++;
            });
            Next();
        });
    }
}
