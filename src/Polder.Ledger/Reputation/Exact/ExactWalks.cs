namespace Polder.Ledger.Reputation.Exact;

/// <summary>Through whom the walks to a peer run.</summary>
/// <param name="Share">The largest share of the walks to the peer that visit one other peer first: 0 to 1.</param>
/// <param name="Via">That other peer; −1 when the share is 0.</param>
public readonly record struct Neck(double Share, int Via);

/// <summary>
/// Exact scores by walks (reputation.md §3). A walk stops with probability a before every step, the first included, or where
/// there is nobody to go to; else it goes to a contributor in proportion to what that one gave. All follows from the expected
/// visits N = (I − (1−a) P)⁻¹, worked out once for all observers in O(n³): for graphs up to some thousand peers.
/// </summary>
public sealed class ExactWalks
{
    private const double Nothing = 1e-12;
    private readonly double[] _visits;

    /// <summary>Works out all expected visits.</summary>
    /// <param name="graph">The work.</param>
    /// <param name="stop">The probability a of stopping at each step: above 0, below 1.</param>
    public ExactWalks(DenseGraph graph, double stop)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (!(stop is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(stop), stop, "The probability of stopping is above 0 and below 1.");
        (Graph, Stop) = (graph, stop);
        _visits = Invert(graph, stop);
    }

    /// <summary>The work.</summary>
    public DenseGraph Graph { get; }

    /// <summary>The probability a.</summary>
    public double Stop { get; }

    /// <summary>How often a walk from one is expected to be at the other, its start included.</summary>
    public double Visits(int from, int to) => _visits[from * Graph.Count + to];

    /// <summary>The probability that a walk from one ever comes to the other; 1 for itself.</summary>
    public double Hit(int from, int to) => from == to ? 1 : Math.Min(1, Visits(from, to) / Visits(to, to));

    /// <summary>Personalised hitting time (Liu, Parkes, Seuken, 2016): the probability that one walk ever reaches each peer. The observer's own place is 0.</summary>
    public double[] HittingTime(int observer) => Of(observer, j => Hit(observer, j));

    /// <summary>Hitting times as shares of their sum.</summary>
    public double[] HittingTimeShare(int observer) => Shares(HittingTime(observer), 0);

    /// <summary>Walks that hit j of the hits of all peers; the observer's own place has its own share.</summary>
    public double[] MeritRankHits(int observer)
    {
        var hits = HittingTime(observer);
        hits[observer] = 1;
        return Shares(hits, 0);
    }

    /// <summary>Expected visits as shares of those of all but the observer.</summary>
    public double[] PageRankVisits(int observer) => Shares(Of(observer, j => Visits(observer, j)), 0);

    /// <summary>The share of time at each peer of a walk that starts again whenever it stops or finds nobody; the observer's own included.</summary>
    public double[] PageRankRestart(int observer) => EigenTrust([observer]);

    /// <summary>EigenTrust (Kamvar, Schlosser, Garcia-Molina, 2003) with these pre-trusted peers, all of equal weight.</summary>
    public double[] EigenTrust(IReadOnlyList<int> trusted)
    {
        ArgumentNullException.ThrowIfNull(trusted);
        var sums = new double[Graph.Count];
        foreach (var from in trusted)
            for (var j = 0; j < sums.Length; j++) sums[j] += Visits(from, j);
        return Shares(sums, 0);
    }

    /// <summary>The neck of a peer (§3.3): through whom most of the walks to it run.</summary>
    public Neck NeckOf(int observer, int peer)
    {
        var all = Hit(observer, peer);
        var best = new Neck(0, -1);
        if (all <= 0 || peer == observer) return best;
        for (var w = 0; w < Graph.Count; w++)
        {
            if (w == observer || w == peer) continue;
            // First at w, before the peer; then on to the peer.
            var (out1, back) = (Hit(w, peer), Hit(peer, w));
            var first = (Hit(observer, w) - all * back) / (1 - out1 * back);
            var share = Math.Clamp(first * out1 / all, 0, 1);
            if (share > best.Share + Nothing) best = new Neck(share, w);
        }
        return best;
    }

    /// <summary>The necks of all peers.</summary>
    public Neck[] Necks(int observer)
    {
        var necks = new Neck[Graph.Count];
        for (var j = 0; j < necks.Length; j++) necks[j] = NeckOf(observer, j);
        return necks;
    }

    private double[] Of(int observer, Func<int, double> value)
    {
        var values = new double[Graph.Count];
        for (var j = 0; j < values.Length; j++)
            if (j != observer) values[j] = value(j);
        return values;
    }

    internal static double[] Shares(double[] values, double rest)
    {
        var sum = rest;
        foreach (var value in values) sum += value;
        if (sum > 0)
            for (var j = 0; j < values.Length; j++) values[j] /= sum;
        return values;
    }

    /// <summary>Gauss and Jordan.</summary>
    private static double[] Invert(DenseGraph graph, double stop)
    {
        var n = graph.Count;
        var (left, right) = (new double[n * n], new double[n * n]);
        for (var i = 0; i < n; i++)
        {
            right[i * n + i] = left[i * n + i] = 1;
            var peers = graph.Contributors(i);
            var amounts = graph.ContributorAmounts(i);
            var sum = graph.Got(i);
            for (var k = 0; k < peers.Length; k++) left[i * n + peers[k]] -= (1 - stop) * amounts[k] / sum;
        }
        for (var column = 0; column < n; column++)
        {
            // Rows of I − (1−a)P are strictly dominant, and stay so: the diagonal itself is a good pivot.
            var pivot = left[column * n + column];
            Scale(left.AsSpan(column * n, n), 1 / pivot);
            Scale(right.AsSpan(column * n, n), 1 / pivot);
            for (var row = 0; row < n; row++)
            {
                var factor = left[row * n + column];
                if (row == column || factor == 0) continue;
                Subtract(left.AsSpan(row * n + column, n - column), left.AsSpan(column * n + column, n - column), factor);
                Subtract(right.AsSpan(row * n, n), right.AsSpan(column * n, n), factor);
            }
        }
        return right;
    }

    private static void Scale(Span<double> row, double factor)
    {
        for (var k = 0; k < row.Length; k++) row[k] *= factor;
    }

    private static void Subtract(Span<double> row, ReadOnlySpan<double> other, double factor)
    {
        var width = System.Numerics.Vector<double>.Count;
        var k = 0;
        for (; k + width <= row.Length; k += width)
            (new System.Numerics.Vector<double>(row[k..]) - new System.Numerics.Vector<double>(other[k..]) * factor).CopyTo(row[k..]);
        for (; k < row.Length; k++) row[k] -= other[k] * factor;
    }
}
