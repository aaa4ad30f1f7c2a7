namespace Polder.Benchmarks;

/// <summary>The catalogue behind <c>polder bench</c>.</summary>
public static class Figures
{
    /// <summary>Every measurement, in the order in which they run.</summary>
    public static IReadOnlyList<Measurement> All { get; } = [];
}
