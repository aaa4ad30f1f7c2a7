namespace Polder.Ledger.Reputation.Exact;

/// <summary>The decays of MeritRank (Nasrulin, Ishmaev, Pouwelse, 2022; reputation.md §3.3) on top of any walk score.</summary>
public static class MeritRank
{
    /// <summary>An exact share this little below the threshold counts as reaching it.</summary>
    internal const double Tolerance = 1e-9;

    /// <summary>As the paper says it: scores of peers whose neck reaches the threshold are multiplied by 1 − beta.</summary>
    /// <param name="scores">The walk score of each peer.</param>
    /// <param name="necks">The neck of each peer.</param>
    /// <param name="beta">How much is cut: 0 to 1. With 1 newcomers are shut out exactly as false identities are.</param>
    /// <param name="tau">The threshold: 1 for exact necks, 0.95 for sampled ones.</param>
    public static double[] Paper(IReadOnlyList<double> scores, IReadOnlyList<Neck> necks, double beta, double tau)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(necks);
        var result = new double[scores.Count];
        for (var j = 0; j < result.Length; j++) result[j] = Reaches(necks[j], tau) ? scores[j] * (1 - beta) : scores[j];
        return result;
    }

    /// <summary>
    /// As the published experiments do it: cut scores are multiplied by (1 − beta) · neck, and all others raised by 1 / (1 − what
    /// was cut in all). Only to reproduce their figures.
    /// </summary>
    /// <inheritdoc cref="Paper"/>
    public static double[] Code(IReadOnlyList<double> scores, IReadOnlyList<Neck> necks, double beta, double tau)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(necks);
        var result = new double[scores.Count];
        var cut = 0.0;
        for (var j = 0; j < result.Length; j++)
        {
            if (!Reaches(necks[j], tau)) continue;
            result[j] = scores[j] * (1 - beta) * necks[j].Share;
            cut += scores[j] - result[j];
        }
        for (var j = 0; j < result.Length; j++)
            if (!Reaches(necks[j], tau)) result[j] = cut < 1 ? scores[j] / (1 - cut) : scores[j];
        return result;
    }

    /// <summary>One epoch: (1 − gamma) · before + now. Off by default; §3.3 says why.</summary>
    public static double[] Epoch(IReadOnlyList<double> before, IReadOnlyList<double> now, double gamma)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(now);
        var result = new double[now.Count];
        for (var j = 0; j < result.Length; j++) result[j] = (j < before.Count ? (1 - gamma) * before[j] : 0) + now[j];
        return result;
    }

    internal static bool Reaches(Neck neck, double tau) => neck.Share > 0 && neck.Share >= tau - Tolerance;
}
