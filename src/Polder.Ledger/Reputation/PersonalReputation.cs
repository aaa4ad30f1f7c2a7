using Polder.Identity;
using Polder.Ledger.Reputation.Exact;

namespace Polder.Ledger.Reputation;

/// <summary>
/// <see cref="IReputation"/> over a <see cref="WorkGraph"/>. What a kind of score needs is made when it is first asked for, and
/// then kept up record by record: two-hop NetFlow exactly, all scores by walks from the stored walks.
/// </summary>
public sealed class PersonalReputation : IReputation
{
    /// <summary>Intermediaries that <see cref="Explain"/> names.</summary>
    public const int PathsMax = 50;

    private readonly WorkSplit _split;
    private readonly Dictionary<int, double> _spent = [], _unsettled = [];
    private TwoHopNetFlow? _flow;
    private StoredWalks? _walks;
    private double[] _former = [];
    private (long Version, NetFlowScores Scores)? _whole;
    private long _seen;

    /// <summary>What the observer thinks of everybody in the graph.</summary>
    /// <param name="graph">The records. Who else adds to it makes everything be worked out anew.</param>
    /// <param name="observer">From whose point of view.</param>
    /// <param name="options">How scores are worked out; null: as recommended.</param>
    /// <param name="split">How heavy work is spread; null: on this thread.</param>
    public PersonalReputation(WorkGraph graph, PublicKey observer, ReputationOptions? options = null, WorkSplit? split = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(observer);
        (Graph, Observer, Options, _split, _seen) = (graph, observer, options ?? new ReputationOptions(), split ?? WorkSplit.None, graph.Version);
    }

    /// <summary>The records.</summary>
    public WorkGraph Graph { get; }

    /// <summary>From whose point of view.</summary>
    public PublicKey Observer { get; }

    /// <summary>How scores are worked out.</summary>
    public ReputationOptions Options { get; }

    /// <inheritdoc/>
    public bool Add(in WorkRecord record)
    {
        CatchUp();
        if (!Graph.TryAdd(record, out var change)) return false;
        _seen = Graph.Version;
        _flow?.Added(change);
        _walks?.Added(change);
        // Service that was charged is now signed for: the record itself counts against the peer from here on.
        if (record.Contributor == Observer && _unsettled.TryGetValue(change.Consumer, out var owed))
        {
            if (owed > change.Added) _unsettled[change.Consumer] = owed - change.Added;
            else _unsettled.Remove(change.Consumer);
        }
        return true;
    }

    /// <summary>A proposal that nobody confirmed counts only against its signer: <see cref="WorkGraph.AddUnconfirmed"/>.</summary>
    public void AddUnconfirmed(PublicKey signer, PublicKey helper, long amount)
    {
        CatchUp();
        double Claimed() => Graph.Find(helper) is { } h && Graph.Find(signer) is { } s ? Graph.Unconfirmed.Of(h, s) : 0;
        var before = Claimed();
        Graph.AddUnconfirmed(signer, helper, amount);
        if (_seen == Graph.Version) return;
        _seen = Graph.Version;
        _flow?.Claimed(Graph.Number(helper), Graph.Number(signer), before, Claimed());
    }

    /// <inheritdoc/>
    public void Remove(PublicKey culprit)
    {
        ArgumentNullException.ThrowIfNull(culprit);
        CatchUp();
        Graph.Remove(culprit);
        _seen = Graph.Version;
        _flow = null;
        _walks?.Removed(Graph.Number(culprit));
    }

    /// <inheritdoc/>
    public double Score(PublicKey peer, ScoreKind kind)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (peer == Observer || Graph.Find(peer) is not { } j || Graph.IsRemoved(j)) return 0;
        return kind switch
        {
            ScoreKind.NetFlow2 => Flow.Score(j),
            ScoreKind.NetFlow => Whole().Scores[j],
            ScoreKind.BarterCast2 => BarterCast(j),
            ScoreKind.MeritRank => Merit(j, out _),
            _ => WalkScore(j, kind),
        };
    }

    /// <inheritdoc/>
    public double Budget(PublicKey peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (peer == Observer || Graph.Find(peer) is not { } j || Graph.IsRemoved(j)) return 0;
        var budget = Remaining(j);
        foreach (var (k, first) in ThroughOf(j)) budget += Math.Min(first, Remaining(k));
        return Math.Max(0, Math.Min(budget, Flow.Cap(j) - _unsettled.GetValueOrDefault(j)));
    }

    /// <inheritdoc/>
    public bool TrySpend(PublicKey peer, long amount)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (amount <= 0 || Budget(peer) < amount || Graph.Find(peer) is not { } j) return false;
        double left = amount;
        // Its own direct work first, then through those with most left (reputation.md §2.3 b).
        Take(j, Remaining(j));
        foreach (var (k, first, remaining) in ThroughOf(j).Select(path => (path.Peer, path.First, Remaining: Remaining(path.Peer)))
            .OrderByDescending(path => path.Remaining).ThenBy(path => Graph.KeyOf(path.Peer)))
            Take(k, Math.Min(first, remaining));
        _unsettled[j] = _unsettled.GetValueOrDefault(j) + amount;
        return true;

        void Take(int k, double most)
        {
            var taken = Math.Min(most, left);
            if (taken <= 0) return;
            _spent[k] = _spent.GetValueOrDefault(k) + taken;
            left -= taken;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<(PublicKey Peer, double Score)> Top(int count, ScoreKind kind)
    {
        var scores = ScoresOf(kind);
        var rows = new List<(int Peer, double Score)>(scores.Length);
        for (var j = 0; j < scores.Length; j++)
            if (!Graph.IsRemoved(j) && Graph.KeyOf(j) != Observer && Graph.SumsOf(j) is { Records: > 0 } or { Unconfirmed: > 0 }) rows.Add((j, scores[j]));
        rows.Sort((a, b) => b.Score.CompareTo(a.Score) is var byScore and not 0 ? byScore
            : Graph.GaveOf(b.Peer).CompareTo(Graph.GaveOf(a.Peer)) is var byGift and not 0 ? byGift
            : Graph.KeyOf(a.Peer).CompareTo(Graph.KeyOf(b.Peer)));
        return [.. rows.Take(Math.Max(0, count)).Select(row => (Graph.KeyOf(row.Peer), row.Score))];
    }

    /// <inheritdoc/>
    public Explanation Explain(PublicKey peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (Graph.Find(peer) is not { } j || peer == Observer || Graph.IsRemoved(j))
            return new Explanation(default, Graph.SumsOf(peer), Graph.IsRemoved(peer), 0, 0, [], 0, 0, 0, 0, 0, null, false);
        var paths = new List<FlowPath>();
        var observer = Graph.Find(Observer);
        foreach (var (k, first) in ThroughOf(j))
        {
            paths.Add(new FlowPath(Graph.KeyOf(k), first, Flow.Own(k), Math.Min(first, Flow.Passes(k)),
                Graph.WorkOf(k).RecordsFrom(j), observer is { } i ? Graph.WorkOf(i).RecordsFrom(k) : 0));
        }
        var merit = Merit(j, out var neck);
        return new Explanation(
            new NetFlowScore(Flow.Score(j), Flow.Cap(j), Flow.Own(j), Flow.Towards(j), Flow.Away(j)), Graph.SumsOf(j), false, Budget(peer),
            observer is { } me ? Graph.WorkOf(me).RecordsFrom(j) : 0,
            [.. paths.OrderByDescending(path => path.Flow).ThenByDescending(path => path.Second).ThenBy(path => path.Through).Take(PathsMax)],
            paths.Count, paths.Sum(path => path.Flow), WalkScore(j, ScoreKind.HittingTime), merit,
            neck.Share, neck.Via < 0 ? null : Graph.KeyOf(neck.Via), IsCut(neck));
    }

    /// <summary>How much the peer did for the observer itself.</summary>
    public long DirectOf(PublicKey peer) => Graph.Work(peer, Observer);

    /// <summary>Ends an epoch: what MeritRank says now goes into the memory that <see cref="ReputationOptions.Gamma"/> lets fade. Does nothing with gamma 0.</summary>
    public void EndEpoch()
    {
        if (Options.Gamma == 0) return;
        var now = ScoresOf(ScoreKind.MeritRank);
        _former = now;
    }

    /// <summary>NetFlow as it is now, for those that read it by number.</summary>
    internal TwoHopNetFlow Flow
    {
        get
        {
            CatchUp();
            return _flow ??= new TwoHopNetFlow(Graph, Observer, Options.Alpha, _split);
        }
    }

    /// <summary>The stored walks as they are now.</summary>
    internal StoredWalks Walks
    {
        get
        {
            CatchUp();
            return _walks ??= new StoredWalks(Graph, Observer, Options.Stop, Options.Walks, Options.Seed, _split);
        }
    }

    /// <summary>Somebody else changed the graph: what was made of it no longer holds.</summary>
    private void CatchUp()
    {
        if (_seen == Graph.Version) return;
        _seen = Graph.Version;
        _flow = null;
        _walks?.Rebuild();
    }

    private double[] ScoresOf(ScoreKind kind)
    {
        var scores = new double[Graph.Count];
        switch (kind)
        {
            case ScoreKind.NetFlow2: return Flow.Scores();
            case ScoreKind.NetFlow: return (double[])Whole().Scores.Clone();
            case ScoreKind.BarterCast2:
                for (var j = 0; j < scores.Length; j++) scores[j] = BarterCast(j);
                return scores;
            case ScoreKind.MeritRank:
                for (var j = 0; j < _former.Length && Options.Gamma > 0; j++) scores[j] = Merit(j, out _);
                foreach (var j in Walks.Hit) scores[j] = Merit(j, out _);
                return scores;
            default:
                foreach (var j in Walks.Hit) scores[j] = WalkScore(j, kind);
                return scores;
        }
    }

    private double WalkScore(int j, ScoreKind kind) => kind switch
    {
        ScoreKind.HittingTime => (double)Walks.HitsOf(j) / Walks.Count,
        ScoreKind.HittingTimeShare => Share(Walks.HitsOf(j), Walks.OtherHits),
        ScoreKind.PageRankVisits => Share(Walks.VisitsOf(j), Walks.Visits - Walks.OwnVisits),
        // Time at a peer is visits to it: a walk that starts again is one walk after the other.
        ScoreKind.PageRankRestart or ScoreKind.EigenTrust => Share(Walks.VisitsOf(j), Walks.Visits),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of score."),
    };

    private double Merit(int j, out Neck neck)
    {
        neck = Walks.NeckOf(j);
        var hits = Share(Walks.HitsOf(j), Walks.OtherHits + Walks.Count);
        var merit = IsCut(neck) ? hits * (1 - Options.Beta) : hits;
        return j < _former.Length ? merit + (1 - Options.Gamma) * _former[j] : merit;
    }

    private bool IsCut(Neck neck) => MeritRank.Reaches(neck, Options.Tau);

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private double BarterCast(int j)
    {
        if (Graph.Find(Observer) is not { } i || i == j) return 0;
        // Alpha is NetFlow's: here the observer's own work counts in full.
        var away = 0.0;
        foreach (var (k, amount) in new TwoHopNetFlow.RowOf(Graph.WorkOf(j)))
            away += k == i ? amount : Math.Min(amount, Graph.WorkOf(k).From(i));
        return FlowScores.BarterCastOf(Flow.Towards(j) - away, Options.BarterCastUnit);
    }

    private NetFlowScores Whole()
    {
        CatchUp();
        if (Graph.Count > Options.NetFlowPeersMax)
            throw new InvalidOperationException($"NetFlow over whole paths is worked out for at most {Options.NetFlowPeersMax} peers, and there are {Graph.Count}. Two-hop NetFlow has no such limit.");
        if (_whole is { } known && known.Version == Graph.Version) return known.Scores;
        var graph = Dense(Graph);
        var scores = Graph.Find(Observer) is { } i ? FlowScores.NetFlow(graph, i, Options.Alpha) : new NetFlowScores(new double[Graph.Count], new double[Graph.Count]);
        _whole = (Graph.Version, scores);
        return scores;
    }

    /// <summary>The same graph for the exact algorithms; peers keep their numbers.</summary>
    internal static DenseGraph Dense(WorkGraph graph)
    {
        var edges = new List<WorkEdge>();
        for (var s = 0; s < graph.Count; s++)
            foreach (var (d, amount) in new TwoHopNetFlow.RowOf(graph.WorkOf(s))) edges.Add(new WorkEdge(d, s, amount));
        return DenseGraph.Of(graph.Count, edges);
    }

    /// <summary>For whom the peer worked who worked for the observer.</summary>
    private List<(int Peer, double First)> ThroughOf(int j)
    {
        var paths = new List<(int, double)>();
        var work = Graph.WorkOf(j);
        for (var p = 0; p < work.Consumers.Length; p++)
            if (Flow.Own(work.Consumers[p]) > 0) paths.Add((work.Consumers[p], work.Given[p]));
        return paths;
    }

    private double Remaining(int k) => Math.Max(0, Flow.Passes(k) - _spent.GetValueOrDefault(k));
}
