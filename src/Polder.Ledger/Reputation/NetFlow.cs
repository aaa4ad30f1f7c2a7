using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>A score and what bounds it.</summary>
/// <param name="Value">Two-hop NetFlow.</param>
/// <param name="Cap">What the peer's own balance towards the observer allows at most.</param>
/// <param name="Direct">What the peer did for the observer itself.</param>
public readonly record struct Score(double Value, double Cap, double Direct);

/// <summary>Work that reached the observer through somebody.</summary>
/// <param name="Through">The intermediary.</param>
/// <param name="First">What the peer did for the intermediary.</param>
/// <param name="Second">What the intermediary did for the observer.</param>
/// <param name="Flow">What counts of it.</param>
public readonly record struct FlowPath(PublicKey Through, double First, double Second, double Flow);

/// <summary>Why a peer has its score.</summary>
/// <param name="Score">The score and its bounds.</param>
/// <param name="Paths">Through whom, most first.</param>
/// <param name="Records">Signed records in which the peer took part, newest first.</param>
public sealed record Explanation(Score Score, IReadOnlyList<FlowPath> Paths, IReadOnlyList<WorkRecord> Records);

/// <summary>
/// Two-hop NetFlow from one observer's point of view (reputation.md §2.3): nobody's score is above what it gave, less what it
/// took, within two steps of the observer; the observer's own work counts 1/alpha. Computed when asked for, after a change.
/// </summary>
/// <param name="graph">The records.</param>
/// <param name="observer">From whose point of view.</param>
/// <param name="alpha">At least 1, default 2: how much a group may take for what it gave.</param>
public sealed class NetFlow(WorkGraph graph, PublicKey observer, double alpha = 2)
{
    private readonly double _alpha = alpha >= 1 ? alpha : throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Alpha is at least 1.");
    private readonly Dictionary<int, double> _spent = [];
    private Score[] _scores = [];
    private long _version = -1;

    /// <summary>The records.</summary>
    public WorkGraph Graph => graph;

    /// <summary>The score of a peer; all zero for whoever has no record.</summary>
    public Score Of(PublicKey peer)
    {
        Refresh();
        return graph.Find(peer) is { } index && index < _scores.Length ? _scores[index] : default;
    }

    /// <summary>Everybody with a record but the observer, highest score first, then by what they gave, then by key.</summary>
    public IReadOnlyList<(PublicKey Peer, Score Score)> Ranking()
    {
        Refresh();
        var all = new List<(PublicKey Peer, Score Score)>();
        for (var i = 0; i < _scores.Length; i++)
            if (!graph.IsRemoved(i) && graph.KeyOf(i) != observer) all.Add((graph.KeyOf(i), _scores[i]));
        return [.. all.OrderByDescending(row => row.Score.Value).ThenByDescending(row => graph.SumsOf(row.Peer).Gave).ThenBy(row => row.Peer)];
    }

    /// <summary>The best paths and all records behind a score.</summary>
    public Explanation Explain(PublicKey peer, int pathsMax = 10, int recordsMax = 100)
    {
        var score = Of(peer);
        var paths = new List<FlowPath>();
        if (graph.Find(peer) is { } j && graph.Find(observer) is { } i)
        {
            foreach (var (k, second) in graph.From(i))
            {
                if (k == j || !graph.From(k).TryGetValue(j, out var first)) continue;
                paths.Add(new FlowPath(graph.KeyOf(k), first, second, Math.Min(Math.Min(first, second), _scores[k].Cap)));
            }
        }
        var records = graph.Records.Where(record => record.Contributor == peer || record.Consumer == peer).OrderByDescending(record => record.Timestamp);
        return new Explanation(score, [.. paths.OrderByDescending(path => path.Flow).ThenBy(path => path.Through).Take(pathsMax)], [.. records.Take(recordsMax)]);
    }

    /// <summary>
    /// What the peer may still be served: its direct and two-step work that others have not used up. Scores are bounds on
    /// groups, so service is charged against what is shared (reputation.md §2.3 b).
    /// </summary>
    public double Budget(PublicKey peer)
    {
        Refresh();
        if (graph.Find(peer) is not { } j || graph.Find(observer) is not { } i || i == j) return 0;
        var budget = Remaining(i, j);
        foreach (var (k, _) in graph.From(i))
            if (k != j && graph.From(k).TryGetValue(j, out var first)) budget += Math.Min(first, Remaining(i, k));
        return Math.Min(budget, _scores[j].Cap);
    }

    /// <summary>Charges service to a peer's budget, all of it or nothing. Direct work is used up first, then intermediaries with most left.</summary>
    public bool TrySpend(PublicKey peer, double amount)
    {
        if (amount <= 0 || Budget(peer) < amount || graph.Find(peer) is not { } j || graph.Find(observer) is not { } i) return false;
        Take(j, Remaining(i, j), ref amount);
        var through = new List<(int Peer, double First, double Left)>();
        foreach (var (k, _) in graph.From(i))
            if (k != j && graph.From(k).TryGetValue(j, out var first)) through.Add((k, first, Remaining(i, k)));
        foreach (var (k, first, left) in through.OrderByDescending(path => path.Left).ThenBy(path => path.Peer))
            Take(k, Math.Min(first, left), ref amount);
        return true;

        void Take(int k, double most, ref double amount)
        {
            var taken = Math.Min(most, amount);
            if (taken <= 0) return;
            _spent[k] = _spent.GetValueOrDefault(k) + taken;
            amount -= taken;
        }
    }

    private double Remaining(int i, int k) =>
        Math.Max(0, Math.Min(graph.From(i).GetValueOrDefault(k), _scores[k].Cap) - _spent.GetValueOrDefault(k));

    private void Refresh()
    {
        if (_version == graph.Version) return;
        _version = graph.Version;
        _scores = new Score[graph.Count];
        if (graph.Find(observer) is not { } i) return;

        // F2'(j, i): what reached the observer from each; F2'(i, j): what each got from the observer, divided by alpha.
        var (towards, away) = (new double[graph.Count], new double[graph.Count]);
        foreach (var (k, second) in graph.From(i))
        {
            towards[k] += second;
            foreach (var (j, first) in graph.From(k))
                if (j != i) towards[j] += Math.Min(first, second);
        }
        foreach (var (k, own) in graph.To(i))
        {
            var first = own / _alpha;
            away[k] += first;
            foreach (var (j, second) in graph.To(k))
                if (j != i) away[j] += Math.Min(first, second);
        }

        var cap = new double[graph.Count];
        for (var j = 0; j < cap.Length; j++) cap[j] = Math.Max(0, towards[j] - away[j]);
        var flow = new double[graph.Count];
        foreach (var (k, second) in graph.From(i))
        {
            flow[k] += second;
            foreach (var (j, first) in graph.From(k))
                if (j != i) flow[j] += Math.Min(Math.Min(first, second), cap[k]);
        }
        for (var j = 0; j < cap.Length; j++)
            if (j != i) _scores[j] = new Score(Math.Min(cap[j], flow[j]), cap[j], graph.From(i).GetValueOrDefault(j));
    }
}
