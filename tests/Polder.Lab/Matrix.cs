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

    /// <summary>Public hosts: nodes of ours on five of them are the neighbourhood of every full cell.</summary>
    public const int PublicHosts = 5;

    internal static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly Laboratory _lab;
    private readonly string? _checkout;
    private readonly Dictionary<string, Task<LabProcess>> _agents = [];
    private readonly Lock _gate = new();
    private int _cells;

    private Matrix(Laboratory lab, string? checkout) => (_lab, _checkout) = (lab, checkout);

    public Laboratory Lab => _lab;

    /// <summary>How long a cell is waited for.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Who introduces in plain cells: py-ipv8's tracker, or a node of ours on the public side.</summary>
    public Maker Introducer { get; init; }

    /// <summary>Whether the nodes of full cells meet only whom they join, so that all the rest is the connector's work.</summary>
    public bool Still { get; init; } = true;

    /// <summary>Builds a laboratory with two hosts of every kind and some public ones.</summary>
    /// <param name="kinds">Kinds as natlab knows them, and "public".</param>
    /// <param name="link">What natlab puts on every host's link, as "delay=30ms loss=2%".</param>
    /// <param name="checkout">A checkout of py-ipv8; null where only our own nodes run.</param>
    /// <param name="patience">How long a cell is waited for.</param>
    /// <param name="introducer">Who introduces in plain cells.</param>
    /// <param name="still">Whether nodes of full cells walk not.</param>
    public static async Task<Matrix> BuildAsync(IEnumerable<string> kinds, string link = "", string? checkout = null,
        TimeSpan? patience = null, Maker introducer = Maker.Python, bool still = true)
    {
        var lab = await Laboratory.UpAsync(Spec(kinds, link)).ConfigureAwait(false);
        return new Matrix(lab, checkout) { Patience = patience ?? TimeSpan.FromSeconds(20), Introducer = introducer, Still = still };
    }

    /// <summary>Runs cells; <paramref name="done"/> hears each result as it comes.</summary>
    public async Task<IReadOnlyList<CellResult>> RunAsync(IEnumerable<Cell> cells, int runs, int together, Action<CellResult>? done = null)
    {
        var waiting = new LinkedList<(Cell Cell, int Run)>(Enumerable.Range(0, runs).SelectMany(run => cells.Select(cell => (cell, run))));
        var busy = new HashSet<string>();
        var slots = new Stack<FullCells>(Enumerable.Range(0, together).Select(slot => new FullCells(this, slot)));
        var running = new List<Task<(CellResult Result, string[] Hosts, FullCells Slot)>>();
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
                    var ((cell, run), slot) = (node.Value, slots.Pop());
                    waiting.Remove(node);
                    var isFull = cell is { MakerA: Maker.Ours, MakerB: Maker.Ours };
                    running.Add(Task.Run(async () =>
                        (isFull ? await slot.RunAsync(cell, run).ConfigureAwait(false) : await PlainCells.RunAsync(this, cell, run).ConfigureAwait(false), hosts, slot)));
                }
                node = next;
            }
            var ended = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(ended);
            var (result, freed, free) = await ended.ConfigureAwait(false);
            busy.ExceptWith(freed);
            slots.Push(free);
            results.Add(result);
            done?.Invoke(result);
        }
        return results;
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

    internal int NextCell() => Interlocked.Increment(ref _cells);

    internal static string NewCommunity() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));

    public static void Start(LabProcess agent, string node, string community, int port, IEnumerable<string> join, bool still = false) =>
        agent.Do("start", node, ("port", port), ("community", community), ("still", still),
            ("join", new JsonArray([.. join.Select(static address => (JsonNode)address)])));

    internal static string HostOf(string kind, char side) => $"{kind.Replace('+', '_')}.{side}h";

    private static string Spec(IEnumerable<string> kinds, string link)
    {
        var text = new StringBuilder();
        for (var i = 0; i < PublicHosts; i++) text.Append(CultureInfo.InvariantCulture, $"host pub{i}\n");
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
