namespace Polder.Ledger;

/// <summary>What the ledger counts.</summary>
public enum LedgerCount
{
    /// <summary>New blocks kept.</summary>
    BlocksKept,
    /// <summary>Blocks that were here already.</summary>
    BlocksKnown,
    /// <summary>Blocks that were invalid.</summary>
    BlocksInvalid,
    /// <summary>Blocks above a limit of size.</summary>
    BlocksTooLarge,
    /// <summary>Blocks of strangers above their limit, or above the limit of all.</summary>
    BlocksUnwanted,
    /// <summary>Blocks above their rate, not looked at.</summary>
    BlocksTooFast,
    /// <summary>Frauds found.</summary>
    Frauds,
    /// <summary>Own blocks signed.</summary>
    BlocksSigned,
    /// <summary>Own proposals answered.</summary>
    ProposalsAnswered,
    /// <summary>Own proposals sent again.</summary>
    ProposalsResent,
    /// <summary>Crawl requests answered.</summary>
    CrawlsAnswered,
    /// <summary>Crawl requests sent.</summary>
    CrawlsAsked,
    /// <summary>Crawl requests without a whole answer in time.</summary>
    CrawlsTimedOut,
    /// <summary>Broadcasts passed on.</summary>
    Relayed,
    /// <summary>Blocks of others that gave way to newer ones.</summary>
    BlocksEvicted,
    /// <summary>Agreements of others shown to their proposers.</summary>
    AgreementsTold,
    /// <summary>New blocks that a push brought.</summary>
    NewsPushed,
    /// <summary>New blocks that we asked for.</summary>
    NewsPulled,
    /// <summary>Questions to peers what is new there.</summary>
    NewsAsked,
    /// <summary>Pushed blocks above their rate, not looked at.</summary>
    NewsTooFast,
    /// <summary>Pushed blocks that nobody signed; whoever pushed them is ignored.</summary>
    NewsForged,
    /// <summary>Pushes not made, because the budget was spent.</summary>
    PushesSaved,
    /// <summary>Proofs of fraud sent.</summary>
    ProofsSent,
    /// <summary>Proofs that prove nothing; whoever sent them is ignored.</summary>
    ProofsForged,
    /// <summary>Bytes sent for spreading blocks and proofs, with headers.</summary>
    SpreadBytes,
}

/// <summary>What the ledger did since the start.</summary>
public sealed class LedgerCounters
{
    private readonly long[] _counts = new long[Enum.GetValues<LedgerCount>().Length];

    /// <summary>One of them.</summary>
    public long this[LedgerCount count] => _counts[(int)count];

    internal void Count(LedgerCount count, long by = 1) => _counts[(int)count] += by;

    /// <summary>Those above 0, as "ledger.BlocksKept".</summary>
    public IReadOnlyDictionary<string, long> ToDictionary()
    {
        var all = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var count in Enum.GetValues<LedgerCount>())
            if (this[count] > 0) all[$"ledger.{count}"] = this[count];
        return all;
    }
}
