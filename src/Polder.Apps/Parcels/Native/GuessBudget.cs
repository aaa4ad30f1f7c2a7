namespace Polder.Apps.Parcels.Native;

/// <summary>How many confirmations a receiver may send for one typed code, whoever stands at the other end: each can test one guess.</summary>
internal static class GuessBudget
{
    /// <summary>Runs that a sender has open at a time at most.</summary>
    public const int OpenRunsMax = 8;

    /// <summary>Runs that a sender begins in a minute at most.</summary>
    public const int RunsPerMinute = 30;

    /// <summary>How long one may take to its confirmation.</summary>
    public static readonly TimeSpan RunTime = TimeSpan.FromSeconds(10);

    /// <summary>A candidate that says nothing for so long costs nothing, and is left for the next look. A busy machine needs a moment to calculate.</summary>
    public static readonly TimeSpan SilentTime = TimeSpan.FromSeconds(3);

    /// <summary>How long a receiver lets a mailbox go before all others.</summary>
    public static readonly TimeSpan MailboxFirst = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The receiver's budget for a code with so many words: 2^(8·words − 16), at least 1, at most 16. So a false sender's chance stays 2^-16 per
    /// code, however many of them wait.
    /// </summary>
    public static int OfReceiver(int words) => words <= 2 ? 1 : 16;
}
