namespace Polder.Ledger.Reputation;

/// <summary>What scores are worked out with; the defaults are those that reputation.md §8 recommends.</summary>
public sealed record ReputationOptions
{
    /// <summary>How much a group may take for what it gave, by NetFlow. At least 1; default 2.</summary>
    public double Alpha
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Alpha is at least 1.");
    } = 2;

    /// <summary>The probability that a walk stops before each step (a). Above 0, below 1; default 0.4. All that false identities can get is (1 − a) / a of the attacker's own.</summary>
    public double Stop
    {
        get;
        init => field = value is > 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The probability of stopping is above 0 and below 1.");
    } = 0.4;

    /// <summary>How much MeritRank cuts from whoever hangs behind one other peer. 0 to 1; default 0.5.</summary>
    public double Beta
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Beta is from 0 to 1.");
    } = 0.5;

    /// <summary>From which share of the walks on it is cut. Above 0, at most 1; default 0.95, for sampled walks.</summary>
    public double Tau
    {
        get;
        init => field = value is > 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Tau is above 0 and at most 1.");
    } = 0.95;

    /// <summary>How much of the score of former epochs goes with each new one. 0 to 1; default 0: there are no epochs.</summary>
    public double Gamma
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Gamma is from 0 to 1.");
    }

    /// <summary>Walks that are kept. 1 to 10,000,000; default 10,000: a score p is then known to within sqrt(p (1 − p)) / 100.</summary>
    public int Walks
    {
        get;
        init => field = value is >= 1 and <= 10_000_000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Walks are from 1 to 10,000,000.");
    } = 10_000;

    /// <summary>What randomness of walks starts from, beside the observer's key; default 0. The same seed and records give the same scores.</summary>
    public ulong Seed { get; init; }

    /// <summary>What amounts are divided by inside BarterCast's arctangent. Above 0; default 1. The paper counts megabytes.</summary>
    public double BarterCastUnit
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The unit is above 0.");
    } = 1;

    /// <summary>Up to how many peers <see cref="ScoreKind.NetFlow"/> is worked out: its cost is that of 3n maximum flows. Default 400.</summary>
    public int NetFlowPeersMax
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least one peer.");
    } = 400;
}
