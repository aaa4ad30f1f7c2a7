using Polder.Ledger.Reputation;
using Polder.Ledger.Reputation.Exact;

namespace Polder.Simulation.Attacks;

/// <summary>The exact scores of everybody in a society, each kind worked out when it is first asked for.</summary>
internal sealed class Scores(Society society, double stop, double beta = 0.5)
{
    /// <summary>Name of the series of plain balances: gave less took, of all that is known.</summary>
    public const string Balance = "plain balance";

    private readonly Dictionary<ScoreKind, double[]> _scores = [];
    private DenseGraph? _graph;
    private ExactWalks? _walks;

    /// <summary>The kinds that attacks are measured by, in order of showing.</summary>
    public static IReadOnlyList<ScoreKind> Shown { get; } =
        [ScoreKind.HittingTime, ScoreKind.PageRankVisits, ScoreKind.MeritRank, ScoreKind.NetFlow2, ScoreKind.BarterCast2];

    /// <summary>The society.</summary>
    public Society Society => society;

    /// <summary>Its work.</summary>
    public DenseGraph Graph => _graph ??= DenseGraph.Of(society.Count, society.Records().Select(static record => new WorkEdge(record.Contributor, record.Consumer, record.Amount)));

    /// <summary>Its walks.</summary>
    public ExactWalks Walks => _walks ??= new ExactWalks(Graph, stop);

    /// <summary>A kind in words.</summary>
    public static string NameOf(ScoreKind kind) => kind switch
    {
        ScoreKind.HittingTime => "hitting time",
        ScoreKind.HittingTimeShare => "hitting time, as share",
        ScoreKind.PageRankVisits => "PageRank (visits)",
        ScoreKind.PageRankRestart => "PageRank (restart)",
        ScoreKind.MeritRank => "MeritRank, β = 0.5",
        ScoreKind.NetFlow2 => "NetFlow, two hops",
        ScoreKind.NetFlow => "NetFlow, whole paths",
        ScoreKind.BarterCast2 => "BarterCast, two hops",
        _ => "EigenTrust",
    };

    /// <summary>Everybody's score.</summary>
    public double[] All(ScoreKind kind)
    {
        if (_scores.TryGetValue(kind, out var known)) return known;
        return _scores[kind] = kind switch
        {
            ScoreKind.NetFlow2 => FlowScores.NetFlow2(Graph, society.Observer, Theorem.Alpha).Scores,
            ScoreKind.NetFlow => FlowScores.NetFlow(Graph, society.Observer, Theorem.Alpha).Scores,
            ScoreKind.BarterCast2 => [.. FlowScores.BarterCast(Graph, society.Observer, unit: 100).Select(static score => score.Score)],
            ScoreKind.HittingTime => Walks.HittingTime(society.Observer),
            ScoreKind.HittingTimeShare => Walks.HittingTimeShare(society.Observer),
            // Decays on top of the hitting time itself, so that gains compare with its own; Liu's shares would hide the lift of others.
            ScoreKind.MeritRank => MeritRank.Paper(Walks.HittingTime(society.Observer), Walks.Necks(society.Observer), beta, 1),
            ScoreKind.PageRankVisits => Walks.PageRankVisits(society.Observer),
            ScoreKind.PageRankRestart or ScoreKind.EigenTrust => Walks.PageRankRestart(society.Observer),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such score."),
        };
    }

    /// <summary>One's score; what is below zero gives nothing, so it counts as zero.</summary>
    public double Of(ScoreKind kind, int peer) => Math.Max(0, All(kind)[peer]);

    /// <summary>One's score as it is.</summary>
    public double Signed(ScoreKind kind, int peer) => All(kind)[peer];

    /// <summary>The scores of some together.</summary>
    public double Sum(ScoreKind kind, IEnumerable<int> peers) => peers.Sum(peer => Of(kind, peer));

    /// <summary>What all of these could get at once, by maximum flow.</summary>
    public double GroupFlow(IEnumerable<int> group) => FlowScores.GroupFlow(Graph, society.Observer, Theorem.Alpha, group);

    /// <summary>Gave less took.</summary>
    public double BalanceOf(int peer) => Graph.Gave(peer) - Graph.Got(peer);
}
