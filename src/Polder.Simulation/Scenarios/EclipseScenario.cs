using System.Globalization;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Somebody tries to surround a node (overlay.md §8.1). (a) One attacker with four /24 networks and as many keys as fit; (c) attackers in as many networks as
/// there are honest nodes, who own all of the victim's inbound connections and tell only of each other. The day is pressed into minutes: choices, replacements,
/// feelers and savings come forty times as often, so that as many decisions are made as in 24 hours. Then the victim restarts.
/// </summary>
internal static class EclipseScenario
{
    private const int Faster = 40;

    public static Scenario Scenario { get; } = new(
        "eclipse", "Attackers try to fill a node's neighbourhood, threats (a) and (c): what share they reach in a day and after a restart.", [1, 2], 12, Play);

    private static void Play(ScenarioRun run)
    {
        Play(run, inboundOnly: false, 1);
        Play(run, inboundOnly: true, 2);
    }

    private static void Play(ScenarioRun run, bool inboundOnly, int chapter)
    {
        var threat = inboundOnly ? "(c)" : "(a)";
        var world = run.NewWorld(new LinkModel { Latency = 20.Milliseconds, Spread = 80.Milliseconds, Jitter = 5.Milliseconds }, chapter);
        var options = Options;
        var (honest, hostile, enemies) = (new List<SimulatedNode>(), new List<SimulatedNode>(), new HashSet<Polder.Identity.PublicKey>());
        for (var i = 0; i < run.Nodes; i++)
        {
            var node = world.AddNode(Name("n", i), options: options);
            if (i > 0) node.WalkTo(honest[run.Swarm.Next(i)]);
            honest.Add(node);
        }
        var store = new MemoryStateStore();
        SimulatedNode? victim = null;
        world.RunFor(30.Seconds);
        victim = world.AddNode("victim", options: options, setUp: (node, host) =>
        {
            host.Offer<IStateStore>(store);
            // What it begins with: a list of five, two of them hostile in (c).
            if (node.Starts <= 1) host.Contact.Add(new BootstrapList([.. honest.Take(5).Select(static other => other.PublicEndpoint)], [], []));
        });
        if (inboundOnly) RefuseHonestInbound(world, victim, honest);
        for (var i = 0; i < run.Nodes; i++)
        {
            // (a) six in each of four /24; (c) each in a network of its own, near to the victim so that its round trip is short.
            var address = inboundOnly ? Endpoint.FromIPv4((uint)(150 + i) << 24 | 0x01010A, 0) : Endpoint.FromIPv4(0x97010000 + (uint)(i % 4) * 0x100 + 10 + (uint)i / 4, 0);
            var node = world.AddNode(Name("x", i), Home.Public with { Address = address, Link = new LinkModel { Latency = 2.Milliseconds } }, options,
                (_, host) => host.ShowsOnly = peer => enemies.Contains(peer.Key));
            enemies.Add(node.Identity.Public);
            hostile.Add(node);
            node.WalkTo(victim);
            if (i > 0) node.WalkTo(hostile[run.Swarm.Next(i)]);
            // Honest nodes hear of attackers as of anybody.
            node.WalkTo(honest[run.Swarm.Next(honest.Count)]);
        }
        // They knock again and again.
        world.Every(20.Seconds, () =>
        {
            foreach (var node in hostile) node.Run(() => node.Host.Discovery.Introductions.Request(victim.PublicEndpoint));
        });
        world.RunFor(TimeSpan.FromHours(24) / Faster);
        var before = Measure(run, victim, enemies, $"{threat} after a day");
        world.Crash("victim");
        world.RunFor(1.Seconds);
        world.Restart("victim");
        if (inboundOnly) RefuseHonestInbound(world, victim, honest);
        world.RunFor(3.Minutes);
        var after = Measure(run, victim, enemies, $"{threat} after a restart");
        foreach (var (share, neighbours) in new[] { before, after })
        {
            if (neighbours == 0) world.Fail($"{threat}: the victim has no neighbour of its own choosing");
            if (share >= 1) world.Fail($"{threat}: every neighbour of the victim's own choosing is hostile");
            // (a) cannot have more than two neighbours in each of its /24.
            if (!inboundOnly && share * neighbours > 4 * options.PerNarrowPrefixMax) world.Fail($"{threat}: {share * neighbours} neighbours in four /24");
        }
        world.ThrowIfFailed();
    }

    /// <summary>What honest nodes send first never reaches the victim: all its inbound connections are the attacker's.</summary>
    private static void RefuseHonestInbound(World world, SimulatedNode victim, List<SimulatedNode> honest)
    {
        var (addresses, written, received) = (honest.Select(static node => node.PublicEndpoint).ToHashSet(), new HashSet<Endpoint>(), victim.Socket.Received);
        world.Always(new Watcher(victim.Index, written));
        victim.Socket.Received = (from, datagram) =>
        {
            if (!addresses.Contains(from) || written.Contains(from)) received?.Invoke(from, datagram);
        };
    }

    private static (double Share, int Neighbours) Measure(ScenarioRun run, SimulatedNode victim, HashSet<Polder.Identity.PublicKey> enemies, string when)
    {
        var view = victim.Host.Neighbourhood.Look();
        var chosen = view.Neighbours.Where(static neighbour => neighbour.ChosenByUs).ToList();
        var bad = chosen.Count(neighbour => enemies.Contains(neighbour.Key));
        var anchors = victim.Host.Contact.Anchors.All;
        var share = chosen.Count == 0 ? 1 : (double)bad / chosen.Count;
        run.Say(string.Create(CultureInfo.InvariantCulture,
            $"{when}: {view.Neighbours.Count} neighbours, {view.Neighbours.Count(n => enemies.Contains(n.Key))} hostile; of our choosing {bad} of {chosen.Count} ({share:0.00}); anchors {anchors.Count(a => enemies.Contains(a.Key))} of {anchors.Count}; networks {view.WideNetworks}; all hostile by chance {Math.Pow(share, chosen.Count):0.0e0}"));
        return (share, chosen.Count);
    }

    private static OverlayOptions Options { get; } = new()
    {
        SourceSlots = 256, StepInterval = 2.Seconds, IdleInterval = 5.Seconds,
        FeelerInterval = TimeSpan.FromMinutes(2) / Faster, ReplaceInterval = TimeSpan.FromMinutes(10) / Faster, ChoiceInterval = 5.Seconds,
        Book = new AddressBookOptions { SaveInterval = TimeSpan.FromMinutes(15) / Faster },
        Sessions = new() { Enabled = false },
    };

    private static string Name(string kind, int number) => string.Create(CultureInfo.InvariantCulture, $"{kind}{number}");

    private sealed class Watcher(int node, HashSet<Endpoint> written) : Checkers.TrafficChecker
    {
        public override void Check(World world) { }

        public override void Sent(World world, SimulatedNode from, Endpoint to, ReadOnlySpan<byte> datagram)
        {
            if (from.Index == node) written.Add(to);
        }

        public override void Received(World world, SimulatedNode to, Endpoint from, ReadOnlySpan<byte> datagram) { }
    }
}
