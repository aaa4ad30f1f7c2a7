namespace Polder.Benchmarks;

/// <summary>How large measurements are: small in every run, of the size that is promised with <c>polder bench --full</c>. Set once, before the first runs.</summary>
public static class BenchScale
{
    /// <summary>Whether whole sizes are asked for: minutes to hours, and tens of gigabytes of disk.</summary>
    public static bool IsFull { get; set; }

    /// <summary>The size of this run; POLDER_BENCH_<paramref name="name"/> says another one.</summary>
    public static long Of(string name, long small, long full) =>
        long.TryParse(Environment.GetEnvironmentVariable("POLDER_BENCH_" + name), out var given) && given > 0 ? given : IsFull ? full : small;
}
