namespace Polder.Benchmarks;

/// <summary>One short round: what the path did, and what the raw cost allowed at the same moment.</summary>
/// <param name="Path">A second, on the path.</param>
/// <param name="Raw">A second, by the raw cost, measured just before.</param>
internal readonly record struct Round(double Path, double Raw)
{
    public double Share => Path / Raw;
}

/// <summary>
/// A machine is never quiet: others work on it, clocks change their speed. So the limit and the path are measured by turns in
/// short rounds, and the round with the median share speaks for all.
/// </summary>
internal static class Rounds
{
    public static Round Median(List<Round> rounds)
    {
        rounds.Sort(static (a, b) => a.Share.CompareTo(b.Share));
        return rounds[rounds.Count / 2];
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>How often a second <paramref name="work"/> runs on this thread, tried for so long.</summary>
    public static double PerSecond(TimeSpan duration, Action<int> work)
    {
        var began = TimeProvider.System.GetTimestamp();
        TimeSpan passed;
        var count = 0;
        do
        {
            for (var i = 0; i < 64; i++) work(count++);
            passed = TimeProvider.System.GetElapsedTime(began);
        }
        while (passed < duration);
        return count / passed.TotalSeconds;
    }
}
