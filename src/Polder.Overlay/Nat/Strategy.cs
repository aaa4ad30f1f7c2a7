namespace Polder.Overlay.Nat;

/// <summary>How two full nodes get at each other (Overlay §6.3).</summary>
internal enum Strategy
{
    /// <summary>The other can be written to first.</summary>
    Direct,
    /// <summary>We can be written to: the other dials, as soon as a helper tells it to.</summary>
    Reverse,
    /// <summary>Both write at the same moment.</summary>
    Simultaneous,
    /// <summary>The other's next ports are guessed from its last.</summary>
    Predict,
    /// <summary>Both guess. Tried once, with a relay begun beside it.</summary>
    PredictBoth,
    /// <summary>Many sockets on one side, many guesses on the other.</summary>
    Birthday,
    /// <summary>No direct way: through a peer.</summary>
    Relay,
}

/// <summary>The table of pairs.</summary>
internal static class Strategies
{
    /// <summary>What <paramref name="own"/> does to reach <paramref name="other"/>. An unknown class counts as <see cref="NatClass.Filtered"/>.</summary>
    public static Strategy Choose(NatClass own, NatClass other)
    {
        (own, other) = (Known(own), Known(other));
        if (own == NatClass.Blocked || other == NatClass.Blocked) return Strategy.Relay;
        if (other.IsReachable()) return Strategy.Direct;
        if (own.IsReachable()) return Strategy.Reverse;
        return (own, other) switch
        {
            (NatClass.Filtered, NatClass.Filtered) => Strategy.Simultaneous,
            (NatClass.Sequential, NatClass.Sequential) => Strategy.PredictBoth,
            (NatClass.Filtered, NatClass.Sequential) or (NatClass.Sequential, NatClass.Filtered) => Strategy.Predict,
            _ when own == NatClass.Filtered || other == NatClass.Filtered => Strategy.Birthday,
            _ => Strategy.Relay,
        };
    }

    private static NatClass Known(NatClass value) => value switch
    {
        NatClass.Unknown => NatClass.Filtered,
        NatClass.Pool => NatClass.Random,
        _ => value,
    };
}
