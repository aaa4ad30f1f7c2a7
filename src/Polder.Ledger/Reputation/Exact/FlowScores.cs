namespace Polder.Ledger.Reputation.Exact;

/// <summary>A NetFlow score of every peer, by number. The observer's own places are 0.</summary>
/// <param name="Scores">The scores.</param>
/// <param name="Caps">What each peer's own balance towards the observer allows at most.</param>
public sealed record NetFlowScores(double[] Scores, double[] Caps)
{
    /// <summary>The share of the others that have a score above 0 ("informativeness").</summary>
    public double Informativeness(int observer)
    {
        var positive = 0;
        for (var j = 0; j < Scores.Length; j++)
            if (j != observer && Scores[j] > 0) positive++;
        return Scores.Length < 2 ? 0 : (double)positive / (Scores.Length - 1);
    }
}

/// <summary>A BarterCast score: −1 to 1.</summary>
/// <param name="In">What flows from the peer to the observer.</param>
/// <param name="Out">What flows from the observer to the peer.</param>
/// <param name="Score">atan(In − Out) / (π/2).</param>
public readonly record struct BarterCastScore(double In, double Out, double Score);

/// <summary>
/// Scores by flow of work towards one observer, exact (reputation.md §2): BarterCast (Meulpolder et al., 2009) and NetFlow
/// (Otte, de Vos, Pouwelse, 2017/2020), over whole paths for a few hundred peers, and over two hops in closed form.
/// </summary>
public static class FlowScores
{
    /// <summary>Given minus got, of each peer.</summary>
    public static double[] NetContribution(DenseGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var net = new double[graph.Count];
        for (var j = 0; j < net.Length; j++) net[j] = graph.Gave(j) - graph.Got(j);
        return net;
    }

    /// <summary>What flows from one to the other over at most two edges: no two such paths share an edge, so it is a sum.</summary>
    public static double TwoHopFlow(DenseGraph graph, int source, int sink)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (source == sink) return 0;
        var peers = graph.Contributors(sink);
        var amounts = graph.ContributorAmounts(sink);
        var flow = 0.0;
        for (var k = 0; k < peers.Length; k++)
            flow += peers[k] == source ? amounts[k] : Math.Min(graph.Work(source, peers[k]), amounts[k]);
        return flow;
    }

    /// <summary>BarterCast of every peer. Amounts are divided by <paramref name="unit"/> inside the arctangent; the paper counts megabytes.</summary>
    public static BarterCastScore[] BarterCast(DenseGraph graph, int observer, bool twoHops = true, double unit = 1)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var network = twoHops ? null : Network(graph, observer, alpha: 1);
        var scores = new BarterCastScore[graph.Count];
        for (var j = 0; j < scores.Length; j++)
        {
            if (j == observer) continue;
            var towards = network?.Run(j, observer) ?? TwoHopFlow(graph, j, observer);
            var away = network?.Run(observer, j) ?? TwoHopFlow(graph, observer, j);
            scores[j] = new BarterCastScore(towards, away, BarterCastOf(towards - away, unit));
        }
        return scores;
    }

    /// <summary>NetFlow over whole paths: 2n maximum flows for the caps, n more for the scores. For a few hundred peers.</summary>
    /// <param name="graph">The work.</param>
    /// <param name="observer">From whose point of view.</param>
    /// <param name="alpha">At least 1: the observer's own work counts 1/alpha.</param>
    public static NetFlowScores NetFlow(DenseGraph graph, int observer, double alpha = 2)
    {
        var caps = Caps(graph, observer, alpha);
        var (split, scores) = (Split(graph, observer, alpha, caps, extra: 0), new double[graph.Count]);
        for (var j = 0; j < scores.Length; j++)
            if (j != observer && caps[j] > 0) scores[j] = split.Run(2 * j, 2 * observer + 1);
        return new NetFlowScores(scores, caps);
    }

    /// <summary>What a group can get together by NetFlow: the joint flow of all of its members. The bound of §2.3 is on this, not on the sum of their scores.</summary>
    public static double GroupFlow(DenseGraph graph, int observer, double alpha, IEnumerable<int> group)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(group);
        var split = Split(graph, observer, alpha, Caps(graph, observer, alpha), extra: 1);
        foreach (var member in group)
            if (member != observer) split.Add(2 * graph.Count, 2 * member, double.PositiveInfinity);
        return split.Run(2 * graph.Count, 2 * observer + 1);
    }

    /// <summary>NetFlow with paths of at most two edges, in closed form: one pass over the edges.</summary>
    /// <inheritdoc cref="NetFlow"/>
    public static NetFlowScores NetFlow2(DenseGraph graph, int observer, double alpha = 2)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Check(graph, observer, alpha);
        // F2'(j, i) and F2'(i, j): what reached the observer from each, what each got from the observer.
        var (towards, away, flow, caps) = (new double[graph.Count], new double[graph.Count], new double[graph.Count], new double[graph.Count]);
        Spread(graph.Contributors(observer), graph.ContributorAmounts(observer), 1, towards, graph.Contributors, graph.ContributorAmounts);
        Spread(graph.Consumers(observer), graph.ConsumerAmounts(observer), alpha, away, graph.Consumers, graph.ConsumerAmounts);
        for (var j = 0; j < caps.Length; j++) caps[j] = j == observer ? 0 : Math.Max(0, towards[j] - away[j]);
        var peers = graph.Contributors(observer);
        var amounts = graph.ContributorAmounts(observer);
        for (var p = 0; p < peers.Length; p++)
        {
            var (k, most) = (peers[p], Math.Min(amounts[p], caps[peers[p]]));
            flow[k] += amounts[p];
            var first = graph.Contributors(k);
            var given = graph.ContributorAmounts(k);
            for (var q = 0; q < first.Length; q++)
                if (first[q] != observer) flow[first[q]] += Math.Min(given[q], most);
        }
        for (var j = 0; j < flow.Length; j++) flow[j] = j == observer ? 0 : Math.Min(caps[j], flow[j]);
        return new NetFlowScores(flow, caps);

        void Spread(ReadOnlySpan<int> near, ReadOnlySpan<double> own, double divisor, double[] sums, Reader<int> next, Reader<double> given)
        {
            for (var p = 0; p < near.Length; p++)
            {
                var most = own[p] / divisor;
                sums[near[p]] += most;
                var far = next(near[p]);
                var amount = given(near[p]);
                for (var q = 0; q < far.Length; q++)
                    if (far[q] != observer) sums[far[q]] += Math.Min(amount[q], most);
            }
        }
    }

    internal static double BarterCastOf(double balance, double unit) => Math.Atan(balance / unit) / (Math.PI / 2);

    private delegate ReadOnlySpan<T> Reader<T>(int peer);

    private static double[] Caps(DenseGraph graph, int observer, double alpha)
    {
        Check(graph, observer, alpha);
        var (network, caps) = (Network(graph, observer, alpha), new double[graph.Count]);
        for (var j = 0; j < caps.Length; j++)
            if (j != observer) caps[j] = Math.Max(0, network.Run(j, observer) - network.Run(observer, j));
        return caps;
    }

    private static void Check(DenseGraph graph, int observer, double alpha)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)observer, (uint)graph.Count, nameof(observer));
        if (!(alpha >= 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Alpha is at least 1.");
    }

    private static MaximumFlow Network(DenseGraph graph, int observer, double alpha)
    {
        var network = new MaximumFlow(graph.Count);
        foreach (var (from, to, amount) in graph.Edges) network.Add(from, to, from == observer ? amount / alpha : amount);
        return network;
    }

    /// <summary>Each peer v is split into an entrance 2v and an exit 2v + 1, with its cap in between.</summary>
    private static MaximumFlow Split(DenseGraph graph, int observer, double alpha, double[] caps, int extra)
    {
        var split = new MaximumFlow(2 * graph.Count + extra);
        for (var v = 0; v < caps.Length; v++) split.Add(2 * v, 2 * v + 1, v == observer ? double.PositiveInfinity : caps[v]);
        foreach (var (from, to, amount) in graph.Edges) split.Add(2 * from + 1, 2 * to, from == observer ? amount / alpha : amount);
        return split;
    }
}
