namespace Polder.Ledger.Reputation;

/// <summary>
/// Personalised PageRank over the whole graph by power iteration: exact to the tolerance, for a batch over millions of pairs.
/// The same numbers whatever the split.
/// </summary>
public static class PageRank
{
    /// <summary>
    /// The share of time at each peer of a walk that returns to the observer whenever it stops or finds nobody (PPR-restart, and
    /// EigenTrust with the observer as the one pre-trusted peer).
    /// </summary>
    /// <param name="graph">The records.</param>
    /// <param name="observer">From whose point of view.</param>
    /// <param name="stop">The probability a of stopping at each step.</param>
    /// <param name="split">How the work is spread; null: on this thread.</param>
    /// <param name="tolerance">Ends when a round changes less than this in all.</param>
    /// <returns>The score of each peer that is not 0, in the order of <see cref="WorkGraph.Peers"/>, the observer's own included.</returns>
    public static IReadOnlyList<(Identity.PublicKey Peer, double Score)> Restart(
        WorkGraph graph, Identity.PublicKey observer, double stop, WorkSplit? split = null, double tolerance = 1e-12)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (graph.Find(observer) is not { } start) return [];
        var shares = Shares(graph, start, stop, split ?? WorkSplit.None, tolerance, out _);
        var rows = new List<(Identity.PublicKey, double)>();
        for (var j = 0; j < shares.Length; j++)
            if (shares[j] > 0 && !graph.IsRemoved(j)) rows.Add((graph.KeyOf(j), shares[j]));
        return rows;
    }

    /// <summary>The same by number, and how many rounds it took.</summary>
    internal static double[] Shares(WorkGraph graph, int observer, double stop, WorkSplit split, double tolerance, out int rounds)
    {
        if (!(stop is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(stop), stop, "The probability of stopping is above 0 and below 1.");
        var n = graph.Count;
        var (now, next, leaving, bounds) = (new double[n], new double[n], new double[n], Bounds(graph, split.Parts));
        now[observer] = 1;
        for (rounds = 1; ; rounds++)
        {
            // What goes on along each unit of work of a row; what stops, or finds nobody, starts again.
            var back = 0.0;
            for (var c = 0; c < n; c++)
            {
                var got = graph.WorkOf(c).Got;
                leaving[c] = got > 0 ? (1 - stop) * now[c] / got : 0;
                back += got > 0 ? stop * now[c] : now[c];
            }
            split.Run(split.Parts, part =>
            {
                for (var j = bounds[part]; j < bounds[part + 1]; j++)
                {
                    var work = graph.WorkOf(j);
                    var consumers = work.Consumers;
                    var given = work.Given;
                    var sum = 0.0;
                    unchecked
                    {
                        for (var k = 0; k < consumers.Length; k++) sum += given[k] * leaving[consumers[k]];
                    }
                    next[j] = sum;
                }
            });
            next[observer] += back;
            var change = 0.0;
            for (var j = 0; j < n; j++) change += Math.Abs(next[j] - now[j]);
            (now, next) = (next, now);
            if (change <= tolerance || rounds >= 100_000) return now;
        }
    }

    /// <summary>Ranges of peers with about as many pairs in their columns.</summary>
    internal static int[] Bounds(WorkGraph graph, int parts)
    {
        var bounds = new int[parts + 1];
        var (sum, next) = (0L, 1);
        for (var j = 0; j < graph.Count && next < parts; j++)
        {
            sum += graph.WorkOf(j).Consumers.Length;
            while (next < parts && sum >= graph.PairCount * next / parts) bounds[next++] = j + 1;
        }
        for (; next <= parts; next++) bounds[next] = graph.Count;
        return bounds;
    }
}
