using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Polder.Lab;

/// <summary>Runs many cells in one laboratory, several at a time, never two with one host.</summary>
public sealed class Matrix : IAsyncDisposable
{
    /// <summary>The kinds of the specification's table (§12), in its order.</summary>
    public static IReadOnlyList<string> AllKinds { get; } =
        ["public", "full", "addr", "port", "portrnd", "port+portrnd", "fw", "adm", "sym", "symseq", "port+sym"];

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60), SecondStart = TimeSpan.FromSeconds(2);

    private readonly Laboratory _lab;
    private readonly string? _checkout;
    private readonly Dictionary<string, Task<LabProcess>> _agents = [];
    private readonly Lock _gate = new();
    private int _cells;

    private Matrix(Laboratory lab, string? checkout) => (_lab, _checkout) = (lab, checkout);

    public Laboratory Lab => _lab;

    /// <summary>How long a cell is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Who introduces: py-ipv8's tracker, or a node of ours on the public side.</summary>
    public Maker Introducer { get; init; } = Maker.Python;

    /// <summary>Builds a laboratory with two hosts of every kind and some public ones.</summary>
    /// <param name="kinds">Kinds as natlab knows them, and "public".</param>
    /// <param name="link">What natlab puts on every host's link, as "delay=30ms loss=2%".</param>
    /// <param name="checkout">A checkout of py-ipv8; null where only our own nodes run.</param>
    public static async Task<Matrix> BuildAsync(IEnumerable<string> kinds, string link = "", string? checkout = null,
        TimeSpan? patience = null, Maker introducer = Maker.Python)
    {
        var lab = await Laboratory.UpAsync(Spec(kinds, link)).ConfigureAwait(false);
        return new Matrix(lab, checkout) { Patience = patience ?? TimeSpan.FromSeconds(20), Introducer = introducer };
    }

    /// <summary>Runs cells; <paramref name="done"/> hears each result as it comes.</summary>
    public async Task<IReadOnlyList<CellResult>> RunAsync(IEnumerable<Cell> cells, int runs, int together, Action<CellResult>? done = null)
    {
        var waiting = new LinkedList<(Cell Cell, int Run)>(Enumerable.Range(0, runs).SelectMany(run => cells.Select(cell => (cell, run))));
        var busy = new HashSet<string>();
        var running = new List<Task<(CellResult Result, string[] Hosts)>>();
        var results = new List<CellResult>();
        while (waiting.Count > 0 || running.Count > 0)
        {
            for (var node = waiting.First; node is not null && running.Count < together;)
            {
                var next = node.Next;
                string[] hosts = [HostOf(node.Value.Cell.KindA, 'a'), HostOf(node.Value.Cell.KindB, 'b')];
                if (!hosts.Any(busy.Contains))
                {
                    busy.UnionWith(hosts);
                    var (cell, run) = node.Value;
                    waiting.Remove(node);
                    running.Add(Task.Run(async () => (await RunAsync(cell, run).ConfigureAwait(false), hosts)));
                }
                node = next;
            }
            var ended = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(ended);
            var (result, freed) = await ended.ConfigureAwait(false);
            busy.ExceptWith(freed);
            results.Add(result);
            done?.Invoke(result);
        }
        return results;
    }

    /// <summary>One run of one cell.</summary>
    public async Task<CellResult> RunAsync(Cell cell, int run)
    {
        var number = Interlocked.Increment(ref _cells);
        var (port, name) = (7000 + number, string.Create(CultureInfo.InvariantCulture, $"{number}"));
        var community = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var meeting = await AgentAsync("pub", Introducer).ConfigureAwait(false);
        var a = await AgentAsync(HostOf(cell.KindA, 'a'), cell.MakerA).ConfigureAwait(false);
        var b = await AgentAsync(HostOf(cell.KindB, 'b'), cell.MakerB).ConfigureAwait(false);
        var (nodeT, nodeA, nodeB) = (name + "t", name + "a", name + "b");
        try
        {
            if (Introducer == Maker.Python) meeting.Do("tracker", nodeT, ("port", port));
            else Start(meeting, nodeT, port, null);
            await meeting.ExpectAsync(nodeT, "ready", StartPatience).ConfigureAwait(false);
            var join = $"{_lab.Places["pub"].Address}:{port}";
            Start(a, nodeA, 0, join);
            var readyA = await a.ExpectAsync(nodeA, "ready", StartPatience).ConfigureAwait(false);
            await Task.Delay(SecondStart).ConfigureAwait(false);
            Start(b, nodeB, 0, join);
            var readyB = await b.ExpectAsync(nodeB, "ready", StartPatience).ConfigureAwait(false);
            var pongA = a.WaitAsync(nodeA, "pong", Patience, item => item.Key == readyB.Key);
            var pongB = b.WaitAsync(nodeB, "pong", Patience, item => item.Key == readyA.Key);
            double? ofA = (await pongA.ConfigureAwait(false))?.At, ofB = (await pongB.ConfigureAwait(false))?.At;
            double? both = ofA is { } first && ofB is { } second ? Math.Max(first, second) - readyB.At : null;
            return new CellResult(cell, run, both, ofA - readyA.At, null, null, both is null ? "" : "plain");
        }
        finally
        {
            foreach (var (agent, node) in new[] { (a, nodeA), (b, nodeB), (meeting, nodeT) }) agent.Do("stop", node);
        }

        void Start(LabProcess agent, string node, int at, string? join)
        {
            var joins = new JsonArray();
            if (join is not null) joins.Add(join);
            agent.Do("start", node, ("port", at), ("community", community), ("join", joins));
        }
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    /// <summary>The agent of a maker in a host, started when first needed.</summary>
    public Task<LabProcess> AgentAsync(string host, Maker maker)
    {
        lock (_gate)
        {
            var key = $"{host}/{maker}";
            return _agents.TryGetValue(key, out var known) ? known : _agents[key] = StartAsync();
        }

        async Task<LabProcess> StartAsync()
        {
            var agent = maker == Maker.Ours ? _lab.StartAgent(host)
                : _lab.StartReference(host, _checkout ?? throw new InvalidOperationException("No checkout of py-ipv8 was given."));
            await agent.ExpectAsync("", "agent", StartPatience).ConfigureAwait(false);
            return agent;
        }
    }

    private static string HostOf(string kind, char side) => $"{kind.Replace('+', '_')}.{side}h";

    private static string Spec(IEnumerable<string> kinds, string link)
    {
        var text = new StringBuilder("host pub\nhost pub2\nhost pub3\n");
        foreach (var kind in kinds)
            foreach (var side in "ab")
            {
                var host = HostOf(kind, side);
                if (kind == "public") text.Append(CultureInfo.InvariantCulture, $"host {host} {link}\n");
                else text.Append(CultureInfo.InvariantCulture, $"nat {host[..^1]} {kind} {link}\nhost {host} via={host[..^1]}\n");
            }
        return text.ToString();
    }
}
