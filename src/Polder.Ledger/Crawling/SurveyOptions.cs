namespace Polder.Ledger.Crawling;

/// <summary>How everybody's chains are fetched, and how politely.</summary>
public sealed record SurveyOptions
{
    /// <summary>Whether it begins with the node. Default false.</summary>
    public bool IsOn { get; init; }

    /// <summary>Requests a second in all. 0.1 to 10,000; default 20. Each brings up to 20 blocks, so some 140 KB a second.</summary>
    public double RequestsPerSecond { get; init => field = value is >= 0.1 and <= 10_000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Allowed: 0.1 to 10,000."); } = 20;

    /// <summary>Time between two requests to one peer. At least 10 ms; default 500 ms.</summary>
    public TimeSpan PeerInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromMilliseconds(500);

    /// <summary>Requests on their way at a time. 1 to 200; default 16.</summary>
    public int AtOnce { get; init => field = value is >= 1 and <= 200 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Allowed: 1 to 200."); } = 16;

    /// <summary>After so long a chain that was fetched is looked at again for what came since. At least 1 s; default 10 min.</summary>
    public TimeSpan AgainAfter { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(10);

    /// <summary>How long a chain rests that nobody here could tell anything of; it doubles, eight times at most. At least 1 s; default 1 min.</summary>
    public TimeSpan RestAfterNothing { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(1);

    /// <summary>Chains that are remembered. 1,000 to 10,000,000; default 1,000,000.</summary>
    public int ChainsMax { get; init => field = value is >= 1_000 and <= 10_000_000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Allowed: 1,000 to 10,000,000."); } = 1_000_000;

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
