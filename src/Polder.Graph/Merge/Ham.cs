using Polder.Graph.Model;

namespace Polder.Graph.Merge;

/// <summary>What becomes of one incoming key.</summary>
public enum HamDecision : byte
{
    /// <summary>The stored value stays, the incoming one is forgotten.</summary>
    Keep,
    /// <summary>Value and state are replaced.</summary>
    Apply,
    /// <summary>It comes from the future: decide again when its time has come.</summary>
    Defer,
}

/// <summary>
/// The Hypothetical Amnesia Machine: which of two writes of a key wins. One rule for writes, answers and disk alike, so that all
/// who see the same writes hold the same value, in whatever order they came (gun.md §3).
/// </summary>
public static class Ham
{
    /// <summary>Longest wait before a deferred write is looked at again: the timer limit of gun.js, 2^31 − 1 ms.</summary>
    public const double WaitMillisecondsMax = int.MaxValue;

    /// <summary>Decides one key.</summary>
    /// <param name="present">The deciding machine's clock, in milliseconds since 1970.</param>
    /// <param name="stored">What is stored, if anything.</param>
    /// <param name="incoming">What comes in.</param>
    public static HamDecision Decide(double present, GraphEntry? stored, in GraphEntry incoming)
    {
        // The future comes first, also when something newer is stored.
        if (incoming.State > present) return HamDecision.Defer;
        return Wins(stored, incoming) ? HamDecision.Apply : HamDecision.Keep;
    }

    /// <summary>Whether the incoming write replaces the stored one, the clock left aside. A total order, hence a merge.</summary>
    public static bool Wins(GraphEntry? stored, in GraphEntry incoming)
    {
        if (stored is not { } old || incoming.State > old.State) return true;
        return incoming.State == old.State && GraphValue.CompareTie(incoming.Value, old.Value) > 0;
    }

    /// <summary>How long a deferred write waits, in milliseconds.</summary>
    public static double WaitMilliseconds(double present, double state) => Math.Min(state - present, WaitMillisecondsMax);
}
