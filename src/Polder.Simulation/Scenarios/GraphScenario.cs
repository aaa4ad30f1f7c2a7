using System.Globalization;
using Polder.Graph;
using Polder.Graph.Merge;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Shared;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Nodes whose clocks are up to 24 hours apart keep one topic of the graph together, in sessions: they write, link, delete, count, while the
/// network falls apart, disks fail and machines die. Nothing that was called durable is lost, a peer that is said to hold something holds it,
/// and in the end all hold the same. Then the split-brain run of the GUN paper: two that are cut off from each other write the same keys.
/// </summary>
internal static class GraphScenario
{
    private const string Topic = "doc";
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(4);

    public static Scenario Scenario { get; } = new(
        "graph", "Nodes with clocks ± 24 h keep a topic of the graph level through partitions, crashes and disk faults: nothing durable is lost, all converge; then the paper's split brain.",
        [1, 2, 3, 4], 5, run => new Play(run).Run());

    private sealed class Play(ScenarioRun run)
    {
        private static readonly GraphValue[] Values = [GraphValue.Null, true, 0.0, 9.0, 10.0, -1.0, "", "a", "b", "\ud800", GraphValue.LinkTo("elsewhere/1"), GraphValue.LinkTo("elsewhere/2"), GraphValue.LinkTo("doc/a")];

        // The slowest clock must take what the fastest wrote: 48 h apart, and a margin.
        private static readonly GraphOptions Options = new() { Horizon = TimeSpan.FromHours(72) };

        private readonly Prng _random = Prng.Derive(run.Seed, "graph");
        private readonly Dictionary<(string Soul, string Key), GraphEntry> _durable = [];
        private readonly Dictionary<string, double> _counted = [];
        private World _world = null!;
        private SeaPair[] _authors = [];
        private int _writes, _refused;

        public void Run()
        {
            _world = run.NewWorld(run.DrawLink(lossMax: 0.15));
            var nodes = Math.Clamp(run.Nodes, 2, 24);
            _authors = [.. Enumerable.Range(0, nodes).Select(_ => SeaPair.Create(_random))];
            for (var i = 0; i < nodes; i++)
            {
                var home = new Home { ClockOffset = TimeSpan.FromMinutes(run.Swarm.Chance(0.7) ? run.Swarm.Next(-24 * 60, 24 * 60) : 0), ClockDriftPpm = run.Swarm.Next(-50, 50) };
                var node = _world.AddGraphNode(Name(i), [Topic, "shared/count"], home, Options);
                if (run.Swarm.Chance(0.5)) node.Disk.Latency = run.Swarm.Next(1, 20).Milliseconds;
            }
            Greet();
            var storm = Storm.Begin(run, _world, 15.Seconds);
            PlanWrites(1.Seconds);
            _world.Every(10.Seconds, Greet);
            _world.RunFor(Length);
            storm.End();
            foreach (var node in _world.Nodes)
            {
                node.Disk.Clear();
                if (!node.IsRunning) _world.Restart(node.Name);
                if (node.Box is not null) _world.Roam(node.Name, node.Home with { Nat = null, Carrier = null, Box = null });
            }
            // What the fastest clock wrote is the future for the slowest, for up to two days: they hold it back, on their disks. All sleep meanwhile.
            _world.RunFor(1.Minutes);
            foreach (var node in _world.Nodes) _world.Crash(node.Name);
            _world.RunFor(TimeSpan.FromHours(49));
            foreach (var node in _world.Nodes) _world.Restart(node.Name);
            Converge(_world, () => Differing(_world, Name(0)), 30.Minutes);
            Judge();
            run.Say(string.Create(CultureInfo.InvariantCulture, $"{_writes} writes, {_durable.Count} keys durable somewhere, {_refused} refused by disks"));
            SplitBrain();
        }

        private static string Name(int i) => "n" + i.ToString(CultureInfo.InvariantCulture);

        private void Greet()
        {
            foreach (var node in _world.Nodes)
            {
                var other = _random.Pick(_world.Nodes);
                if (node != other && node.IsRunning && other.IsRunning && node.Host.Sessions.Find(other.Identity.Public) is null) node.Run(() => _ = node.Host.Connector.ConnectAsync(other.Identity.Public));
            }
        }

        private void PlanWrites(TimeSpan at)
        {
            if (at > Length) return;
            _world.At(at, () =>
            {
                var node = _random.Pick(_world.Nodes);
                if (_random.Chance(0.02)) node.Disk.FaultAt(node.Disk.Writes + _random.Next(1, 4), _random.Pick<DiskFault>([DiskFault.CrashBefore, DiskFault.CrashAfter, DiskFault.CrashTorn, DiskFault.Fail]));
                if (node.IsRunning) node.Run(() => _ = _random.Chance(0.2) ? CountAsync(node) : WriteAsync(node));
                PlanWrites(_world.Now + _random.NextDuration(2.Seconds));
            });
        }

        private async Task WriteAsync(SimulatedNode node)
        {
            var (soul, key, value) = (_random.Pick<string>(["doc", "doc/a", "doc/b", "elsewhere/1", "elsewhere/2"]), "k" + _random.Next(6).ToString(CultureInfo.InvariantCulture), _random.Pick(Values));
            _writes++;
            try
            {
                var graph = node.Graph!;
                var writing = graph[soul].PutAsync(key, value);
                var written = graph.Find(soul, key)!.Value;
                await writing;
                // Durable: from now on this or something later is there, whatever happens to this node.
                if (Ham.Wins(_durable.TryGetValue((soul, key), out var before) ? before : null, written)) _durable[(soul, key)] = written;
            }
            catch (IOException) { _refused++; }
        }

        private async Task CountAsync(SimulatedNode node)
        {
            _writes++;
            var author = _authors[node.Index];
            try
            {
                var counter = new SharedCounter(new SharedObject(node.Graph!, "count", author, Authors));
                var adding = counter.AddAsync();
                var mine = counter.Of(author.Pub);
                await adding;
                _counted[author.Pub] = Math.Max(_counted.GetValueOrDefault(author.Pub), mine);
            }
            catch (IOException) { _refused++; }
        }

        private IEnumerable<string> Authors() => _authors.Select(static author => author.Pub);

        private void Judge()
        {
            foreach (var node in _world.Nodes)
            {
                foreach (var ((soul, key), entry) in _durable)
                {
                    // What only a link has brought in belongs no more when the link is gone.
                    if (!soul.StartsWith(Topic, StringComparison.Ordinal)) continue;
                    if (node.Graph!.Find(soul, key) is not { } found) _world.Fail($"{node.Name} has nothing at {soul} {key}, which was durable");
                    else if (Ham.Wins(found, entry)) _world.Fail($"{node.Name} holds {found} at {soul} {key}; {entry} was durable");
                }
                foreach (var (author, count) in _counted)
                    if (new SharedCounter(new SharedObject(node.Graph!, "count", null, Authors)).Of(author) < count) _world.Fail($"{node.Name} lost steps of a counter");
                foreach (var other in _world.Nodes)
                    foreach (var (soul, key) in _durable.Keys)
                        if (node.Share!.HoldersOf(soul, key).Contains(other.Identity.Public) && node.Graph!.Find(soul, key) is { } here && (other.Graph!.Find(soul, key) is not { } there || Ham.Wins(there, here)))
                            _world.Fail($"{node.Name} believes that {other.Name} holds {soul} {key}");
            }
            _world.ThrowIfFailed();
        }

        /// <summary>Paper, split brain: cut off from each other, both write the same keys, at the same moment and one after the other; together again they agree on the greater state, and on the greater text where states are equal.</summary>
        private void SplitBrain()
        {
            var world = run.NewWorld(new LinkModel { Latency = 20.Milliseconds }, chapter: 1);
            var skew = TimeSpan.FromSeconds(run.Swarm.Next(-30, 30));
            var (alice, bob) = (world.AddGraphNode("alice", [Topic], options: Options), world.AddGraphNode("bob", [Topic], new Home { ClockOffset = skew }, Options));
            alice.Run(() => _ = alice.Graph!["doc"].PutAsync("title", "before"));
            Meet();
            world.RunUntil(() => Differing(world, "alice") is null, 2.Minutes, "both know the first word", 1.Seconds);
            world.Partition(["alice"], ["bob"]);
            world.RunFor(5.Seconds);
            var state = Math.Max(alice.Graph!.Clock.Milliseconds, bob.Graph!.Clock.Milliseconds) - 60_000;
            alice.Run(() =>
            {
                _ = alice.Graph!["doc"].PutAsync("title", "of alice");
                alice.Graph!.Merge([new GraphWrite("doc", "tie", state, "alice"), new GraphWrite("doc", "number", state, 10.0)], null, static _ => { });
            });
            world.RunFor(1.Seconds);
            bob.Run(() =>
            {
                _ = bob.Graph!["doc"].PutAsync("title", "of bob");
                bob.Graph!.Merge([new GraphWrite("doc", "tie", state, "bob"), new GraphWrite("doc", "number", state, 9.0)], null, static _ => { });
            });
            if (run.Swarm.Chance(0.5))
            {
                world.RunFor(1.Seconds);
                world.Crash("bob");
                world.Restart("bob");
            }
            var (ofAlice, ofBob) = (alice.Graph!.Find("doc", "title")!.Value, bob.Graph!.Find("doc", "title")!.Value);
            world.RunFor(30.Seconds);
            world.Heal();
            Meet();
            Converge(world, () => Differing(world, "alice"), TimeSpan.FromMinutes(10));
            var winner = Ham.Wins(ofAlice, ofBob) ? ofBob : ofAlice;
            if (alice.Graph!.Find("doc", "title") != winner) world.Fail($"not the later word won: {alice.Graph!.Find("doc", "title")} instead of {winner}");
            if (bob.Starts == 1 && (alice.Graph!.Find("doc", "tie")?.Value.AsText != "bob" || alice.Graph!.Find("doc", "number")?.Value.AsNumber != 9)) world.Fail("a tie was broken the wrong way");
            world.ThrowIfFailed();

            void Meet() => alice.Run(() => _ = alice.Host.Connector.ConnectAsync(bob.Identity.Public));
        }

        private void Converge(World world, Func<string?> differing, TimeSpan limit)
        {
            if (world == _world) world.Every(1.Minutes, Greet);
            world.RunUntil(() => differing() is null, limit, "all hold the same", 20.Seconds, () => differing() ?? "");
        }

        private static string? Differing(World world, string first)
        {
            var reference = Text(world[first]);
            foreach (var node in world.Nodes)
                if (Text(node) is var text && text != reference) return $"{first}: {reference}\n{node.Name}: {text}";
            return null;
        }

        private static string Text(SimulatedNode node)
        {
            if (node.Graph is not { } graph) return "(not running)";
            var text = new System.Text.StringBuilder();
            graph.Store.WalkSouls("", backwards: false, soul =>
            {
                if (!Polder.Graph.Exchange.TopicName.Has(Topic, soul) && !Polder.Graph.Exchange.TopicName.Has("shared/count", soul)) return true;
                graph.Store.Walk(soul, "", backwards: false, (key, entry) =>
                {
                    text.Append(CultureInfo.InvariantCulture, $"{(soul.Length > 12 ? soul[..12] : soul)} {key} = {(entry.Value.Weight > 40 ? "…" : entry.Value.ToJson())} @{entry.State}; ");
                    return true;
                });
                return true;
            });
            return text.ToString();
        }
    }
}
