namespace Polder.Ledger.Dissemination;

/// <summary>How new blocks and proofs of fraud spread among full nodes (decision 0024), and what that may cost.</summary>
public sealed record DisseminationOptions
{
    /// <summary>Whether new blocks are pushed to others at once, and pushed on. Default true.</summary>
    public bool Pushes { get; init; } = true;

    /// <summary>Whether a random peer is asked now and then what is new there. Default true.</summary>
    public bool Pulls { get; init; } = true;

    /// <summary>Full nodes that a new block goes to at each hop. 1 to 100; default 6.</summary>
    public int FanOut { get; init => field = InRange(value, 1, 100); } = 6;

    /// <summary>Hops of a push in a quiet network; a node that has spent of its budget pushes on only what came fewer hops. 1 to 10; default 5.</summary>
    public int Hops { get; init => field = InRange(value, 1, Limits.PushHopsMax); } = 5;

    /// <summary>Full nodes that a new proof of fraud goes to at once. 1 to 100; default 16.</summary>
    public int ProofFanOut { get; init => field = InRange(value, 1, 100); } = 16;

    /// <summary>Time between two pulls. At least 100 ms; default 5 s.</summary>
    public TimeSpan PullInterval { get; init => field = value >= TimeSpan.FromMilliseconds(100) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 100 ms."); } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes a second that spreading may send, over time; what is looked at of others' pushes is at most four times that.
    /// 1,000 to 100,000,000; default 8,000 (published: 35,000).
    /// </summary>
    public int BytesPerSecond { get; init => field = InRange(value, 1_000, 100_000_000); } = 8_000;

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");
}
