namespace Polder.Simulation.Attacks;

/// <summary>Comparing what was computed with what was proved.</summary>
internal static class Theorem
{
    /// <summary>How much a group may take for what it gave (reputation.md §2.3).</summary>
    public const double Alpha = 2;

    /// <summary>At most, but for the rounding of floating point.</summary>
    public static bool AtMost(double value, double bound) => value <= bound * (1 + 1e-9) + 1e-9;

    /// <summary>Equal, but for rounding.</summary>
    public static bool Same(double value, double other) => AtMost(value, other) && AtMost(other, value);
}
