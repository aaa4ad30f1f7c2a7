using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Runtime;
using Polder.Simulation.Checkers;
using Polder.Simulation.Network;

namespace Polder.Simulation;

/// <summary>
/// A whole network in one thread: one queue of (virtual time, order, work) and one seed. The same seed gives the same run,
/// datagram for datagram. A world belongs to the thread that made it.
/// </summary>
public sealed class World
{
    private const int StaleTimersMax = 4096;
    private const int StepsAtOneMomentMax = 200_000;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly EventQueue _queue = new();
    private readonly Queue<Posted> _posts = new();
    private readonly List<SimulatedNode> _nodes = [];
    private readonly Dictionary<string, SimulatedNode> _byName = new(StringComparer.Ordinal);
    private readonly List<Checker> _checkers = [];
    private readonly List<TrafficChecker> _trafficCheckers = [];
    private TraceHash _trace = TraceHash.New();
    private long _order, _nextCheck;
    private int _staleTimers, _stepsAtThisMoment;
    private string? _failure;
    private Exception? _failureCause;
    private volatile string? _foreignPost;

    /// <summary>A world of this seed. <paramref name="link"/> is what all ways do where nothing else is said; default a calm 20 ms.</summary>
    public World(ulong seed, LinkModel? link = null, WorldOptions? options = null)
    {
        Seed = seed;
        Link = link ?? LinkModel.Calm;
        Options = options ?? new WorldOptions();
        Random = Prng.Derive(seed, "world");
        Signatures = Options.RealSignatures ? Ed25519Signatures.Instance : new SimulatedSignatures(seed);
        Ciphers = Options.RealSignatures ? SodiumSessionCrypto.Instance : new SimulatedSessionCrypto(seed);
        Events = new RecentEvents(Options.EventsKept);
        Network = new SimulatedNetwork(this);
    }

    /// <summary>What the run is made from.</summary>
    public ulong Seed { get; }

    /// <summary>How the world is run.</summary>
    public WorldOptions Options { get; }

    /// <summary>What all ways do where nothing else is said. May be changed while the world runs.</summary>
    public LinkModel Link { get; set; }

    /// <summary>A stream of the scenario's own, apart from those of nodes and links.</summary>
    public Prng Random { get; }

    /// <summary>How nodes of this world sign.</summary>
    public ISignatures Signatures { get; }

    /// <summary>What sessions compute with in this world. May be replaced before the first node is added, by one that watches.</summary>
    public ISessionCrypto Ciphers { get; set; }

    /// <summary>Virtual time since the world began.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(NowTicks);

    /// <summary>Virtual time as a right clock shows it.</summary>
    public DateTimeOffset UtcNow => SimulatedClock.Epoch + Now;

    /// <summary>Every node, in order of adding.</summary>
    public IReadOnlyList<SimulatedNode> Nodes => _nodes;

    /// <summary>The node of this name.</summary>
    public SimulatedNode this[string name] => _byName[name];

    /// <summary>Events that happened so far.</summary>
    public long Steps { get; private set; }

    /// <summary>What the network did so far.</summary>
    public NetworkFigures Traffic => Network.Figures;

    /// <summary>Over every datagram delivered so far, and its time.</summary>
    public TraceHash Trace => _trace;

    /// <summary>Entries of the queue: datagrams in flight, timers, work.</summary>
    public int Planned => _queue.Count + _posts.Count;

    internal long NowTicks { get; private set; }
    internal SimulatedNetwork Network { get; }

    /// <summary>The keys of all nodes: everybody who knows one shares it.</summary>
    internal PublicKeyPool Keys { get; } = new();
    internal RecentEvents Events { get; }
    internal bool IsForeignThread => Environment.CurrentManagedThreadId != _thread;

    // ---- Nodes ----

    /// <summary>
    /// Adds a node and starts it. <paramref name="start"/> is run on the node's loop at every start, the first and those after a
    /// crash, and makes the node's program from its environment and its disk.
    /// </summary>
    public SimulatedNode AddNode(string name, Home? home, Func<SimulatedNode, object?> start)
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        Prng.Derive(Seed, "identity/" + name).Fill(entropy);
        var node = new SimulatedNode(this, name, _nodes.Count, home ?? Home.Public, KeyPair.FromEntropy(entropy), start);
        Keys.Add(node.Identity.Public);
        _byName.Add(name, node);
        _nodes.Add(node);
        node.Start();
        ThrowIfFailed();
        return node;
    }

    /// <summary>A NAT box; with <paramref name="behind"/>, one that stands behind another, as at a carrier.</summary>
    public NatBox AddNat(NatBehaviour behaviour, NatBox? behind = null) => new(this, behaviour, behind);

    /// <summary>A second socket of a running node, for raw senders and listeners; it dies with the node.</summary>
    public SimulatedSocket AddSocket(SimulatedNode node, ushort port, DatagramHandler? received = null) =>
        new(Network, node, node.Loop, node.Socket.Realm, node.Socket.LocalEndpoint.WithPort(port)) { Received = received };

    /// <summary>The node dies at this moment: nothing that it planned happens, what its disk had not flushed is lost.</summary>
    public void Crash(string name)
    {
        var node = this[name];
        if (!node.IsRunning) return;
        Note($"{name} crashes");
        node.Kill();
    }

    /// <summary>Starts a crashed node again, on its disk; with <paramref name="home"/>, in another place of the network.</summary>
    public void Restart(string name, Home? home = null)
    {
        var node = this[name];
        if (node.IsRunning) Crash(name);
        Note($"{name} starts again");
        if (home is not null) node.Move(home);
        node.Start();
    }

    /// <summary>
    /// The node goes to another place of the network while it runs, as a phone from Wi-Fi to mobile: its socket stays open at another address.
    /// With <paramref name="notice"/>, the default, it is told, as the system tells a real one.
    /// </summary>
    public void Roam(string name, Home home, bool notice = true)
    {
        var node = this[name];
        if (!node.IsRunning) return;
        Note($"{name} goes elsewhere");
        node.Roam(home);
        if (notice && node.Program is Polder.Overlay.NodeHost host) node.Run(() => host.NetworkChanged(node.Socket.LocalEndpoint));
    }

    // ---- Faults ----

    /// <summary>From now on the two groups do not hear each other; with <paramref name="oneWay"/>, only <paramref name="to"/> does not hear <paramref name="from"/>.</summary>
    public void Partition(IEnumerable<string> from, IEnumerable<string> to, bool oneWay = false) => Cut(from, to, oneWay, 0);

    /// <summary>What the two groups send to each other is held back for so long and then arrives all at once.</summary>
    public void Clog(IEnumerable<string> from, IEnumerable<string> to, TimeSpan duration) => Cut(from, to, false, NowTicks + duration.Ticks);

    /// <summary>
    /// Swizzle-clog (FoundationDB): one after the other the nodes of a random subset are cut from everybody, and come back in another random
    /// order; what was sent to them meanwhile arrives then, all at once. Finds what hangs on an order of events that is almost never another.
    /// </summary>
    public void SwizzleClog(Prng random, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(random);
        var names = _nodes.Select(static node => node.Name).ToList();
        foreach (var node in _nodes.ToArray())
        {
            if (!random.Chance(0.4)) continue;
            var (from, to) = (random.NextDuration(duration / 2), duration / 2 + random.NextDuration(duration / 2));
            var name = node.Name;
            At(Now + from, () =>
            {
                if (Network.FaultsOn) Clog([name], names.Where(other => other != name), to - from);
            });
        }
    }

    /// <summary>Takes back every partition.</summary>
    public void Heal()
    {
        Note("the network heals");
        Network.Heal();
    }

    /// <summary>Takes back every partition, and links lose, double, hold back and damage nothing from now on.</summary>
    public void EndFaults()
    {
        Heal();
        Network.FaultsOn = false;
    }

    /// <summary>A link model for one direction between two nodes; null takes it back.</summary>
    public void SetLink(string from, string to, LinkModel? model) => Network.SetLink(this[from], this[to], model);

    private void Cut(IEnumerable<string> from, IEnumerable<string> to, bool oneWay, long holdUntil)
    {
        var (a, b) = (from.Select(name => this[name].Index).ToHashSet(), to.Select(name => this[name].Index).ToHashSet());
        Note($"{(holdUntil > 0 ? "clog" : "cut")} between {a.Count} and {b.Count} nodes{(oneWay ? ", one way" : "")}");
        Network.Add(new Cut(a, b, oneWay, holdUntil));
    }

    // ---- Plan ----

    /// <summary>Something that the scenario does at a moment of virtual time (not before now), outside every node.</summary>
    public void At(TimeSpan time, Action work) => PlanAt(Math.Max(time.Ticks, NowTicks), work, 0);

    /// <summary>Something that the scenario does again and again, first after one interval.</summary>
    public void Every(TimeSpan interval, Action work)
    {
        At(Now + interval, Again);
        void Again()
        {
            work();
            At(Now + interval, Again);
        }
    }

    /// <summary>Something that must hold from now on: looked at after every step that touched a node, and every virtual second.</summary>
    public void Always(Checker checker)
    {
        _checkers.Add(checker);
        if (checker is TrafficChecker traffic) _trafficCheckers.Add(traffic);
    }

    /// <summary>A line in the report of a failure.</summary>
    public void Note(string what) => Events.Add(new RecentEvent(NowTicks, what, -1, -1, Endpoint.None, 0, 0));

    // ---- Run ----

    /// <summary>Runs for so much virtual time.</summary>
    public void RunFor(TimeSpan duration)
    {
        RunTo(NowTicks + duration.Ticks);
        CheckAll();
    }

    /// <summary>
    /// Runs until the condition holds, which is looked at every <paramref name="every"/> (default 100 ms) of virtual time. Fails when
    /// it does not within <paramref name="limit"/>; <paramref name="explain"/> then says what is missing. Gives the virtual time that it took.
    /// </summary>
    public TimeSpan RunUntil(Func<bool> condition, TimeSpan limit, string? what = null, TimeSpan? every = null, Func<string>? explain = null)
    {
        var (began, end) = (NowTicks, NowTicks + limit.Ticks);
        var interval = (every ?? TimeSpan.FromMilliseconds(100)).Ticks;
        while (!condition())
        {
            if (NowTicks >= end)
            {
                Fail($"{what ?? "What was waited for"} did not happen within {limit} of virtual time{(explain is null ? "" : ": " + explain())}");
                ThrowIfFailed();
            }
            RunTo(Math.Min(end, NowTicks + interval));
        }
        CheckAll();
        return TimeSpan.FromTicks(NowTicks - began);
    }

    /// <summary>Ends the run from outside, by <see cref="OperationCanceledException"/>: for people who have seen enough.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Looks at everything that must hold, now.</summary>
    public void CheckAll()
    {
        foreach (var checker in _checkers) checker.Check(this);
        ThrowIfFailed();
    }

    /// <summary>A rule is broken: the run ends with a report after this step. The first failure counts.</summary>
    public void Fail(string what, Exception? cause = null)
    {
        if (_failure is null) (_failure, _failureCause) = (what, cause);
    }

    /// <summary>Throws the report when a rule is broken.</summary>
    public void ThrowIfFailed()
    {
        if (_foreignPost is { } stack) Fail("Code left the loop: work came from another thread, at\n" + stack);
        if (_failure is not null) throw new SimulationFailedException(Report(), _failureCause);
    }

    private void RunTo(long end)
    {
        if (IsForeignThread) throw new InvalidOperationException("A world is run by the thread that made it.");
        var touching = _checkers.Count > 0;
        while (true)
        {
            if ((Steps & 0xFF) == 0) Cancellation.ThrowIfCancellationRequested();
            if (_posts.Count > 0 && !(_queue.Count > 0 && _queue.First.Time <= NowTicks && _queue.First.Order < _posts.Peek().Order))
            {
                var post = _posts.Dequeue();
                if (StandsStill()) break;
                if (post.Loop.IsAlive) Step(post.Work, post.Loop, 0, touching);
                continue;
            }
            if (_queue.Count == 0 || _queue.First.Time > end) break;
            var next = _queue.Take();
            if (next.Time > NowTicks) Advance(next.Time);
            else if (StandsStill()) break;
            Step(next.Target, null, next.Tag, touching);
        }
        if (NowTicks < end) Advance(end);
        ThrowIfFailed();
    }

    /// <summary>Whether work keeps coming for one moment: then the run ends, since it would never.</summary>
    private bool StandsStill()
    {
        if (++_stepsAtThisMoment <= StepsAtOneMomentMax) return false;
        Fail("Time stands still: work keeps coming for the same moment");
        return true;
    }

    private void Advance(long time)
    {
        _stepsAtThisMoment = 0;
        if (_checkers.Count > 0 && time >= _nextCheck)
        {
            CheckAll();
            _nextCheck = NowTicks + TimeSpan.TicksPerSecond;
        }
        NowTicks = time;
    }

    private void Step(object target, SimulatedLoop? loop, int tag, bool touching)
    {
        Steps++;
        var node = loop?.Node;
        try
        {
            switch (target)
            {
                case InFlight flight:
                    node = Network.Arrive(flight);
                    break;
                case SimulatedClock.Timer timer:
                    if (timer.IsStale(tag))
                    {
                        if (_staleTimers > 0) _staleTimers--;
                        return;
                    }
                    node = timer.Node;
                    timer.Fire();
                    break;
                case LoopWork work:
                    node = work.Loop.Node;
                    work.Loop.RunNow(work.Work);
                    break;
                case Action action when loop is not null:
                    loop.RunNow(action);
                    break;
                case Action action:
                    action();
                    break;
            }
        }
        catch (SimulationFailedException) { throw; }
        catch (Exception problem)
        {
            Fail($"{problem.GetType().Name} on the loop of {node?.Name ?? "the scenario"}: {problem.Message}", problem);
        }
        if (touching && node is not null)
            foreach (var checker in _checkers) checker.Touched(this, node);
        if (_failure is not null || _foreignPost is not null) ThrowIfFailed();
    }

    private string Report()
    {
        var commit = CommitOf(typeof(World));
        return string.Create(CultureInfo.InvariantCulture, $"""
            {_failure}
            scenario {Options.Scenario}, seed {Seed}, commit {commit}, at {Now} after {Steps} steps, trace {_trace}
            repeat it: ./x sim {Options.Scenario} --seed {Options.RepeatSeed ?? Seed}{(Options.RepeatArguments.Length > 0 ? " " + Options.RepeatArguments : "")}
            last events:
            {Events.Print(_nodes)}
            """);
    }

    private static string CommitOf(Type type)
    {
        var version = System.Reflection.CustomAttributeExtensions
            .GetCustomAttribute<System.Reflection.AssemblyInformationalVersionAttribute>(type.Assembly)?.InformationalVersion ?? "";
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "unknown" : version[(plus + 1)..];
    }

    // ---- For the parts of the world ----

    internal void PlanAt(long time, object target, int tag) => _queue.Add(time, _order++, target, tag);

    internal void Plan(long delay, object target, int tag) => PlanAt(NowTicks + delay, target, tag);

    internal void PlanOn(SimulatedLoop loop, TimeSpan delay, Action work) => Plan(delay.Ticks, new LoopWork(loop, work), 0);

    internal void PostNow(SimulatedLoop loop, Action work) => _posts.Enqueue(new Posted(_order++, loop, work));

    internal void CountStaleTimer()
    {
        if (++_staleTimers < StaleTimersMax || _staleTimers < _queue.Count / 2) return;
        _queue.RemoveWhere(static (target, tag) => target is SimulatedClock.Timer timer && timer.IsStale(tag));
        _staleTimers = 0;
    }

    internal void RememberForeignPost(SimulatedNode node) => _foreignPost ??= $"{node.Name}:\n{Environment.StackTrace}";

    internal void Observe(SimulatedNode sender, Endpoint to, ReadOnlySpan<byte> datagram)
    {
        foreach (var checker in _trafficCheckers) checker.Sent(this, sender, to, datagram);
    }

    internal void NoteDelivery(SimulatedNode sender, SimulatedNode receiver, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        _trace.Add(NowTicks, from, receiver.Index, datagram);
        // Byte 22 is the message number of an IPv8 packet; of anything else it is a harmless byte.
        Events.Add(new RecentEvent(NowTicks, "arrives", sender.Index, receiver.Index, from, datagram.Length, datagram.Length > 22 ? datagram[22] : 0));
        foreach (var checker in _trafficCheckers) checker.Received(this, receiver, from, datagram);
    }

    private readonly record struct Posted(long Order, SimulatedLoop Loop, Action Work);

    private sealed record LoopWork(SimulatedLoop Loop, Action Work);
}
