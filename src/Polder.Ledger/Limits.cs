namespace Polder.Ledger;

/// <summary>Limits of the ledger. Those of the specification first, ours below.</summary>
public static class Limits
{
    /// <summary>Blocks of a chain in one crawl answer, and as many of others that link to them.</summary>
    public const int CrawlAnswerBlocksMax = 10;

    /// <summary>Bytes of a transaction that we sign or keep for others.</summary>
    public const int TransactionBytesMax = 1024;

    /// <summary>Bytes of a block type that we keep for others.</summary>
    public const int TypeBytesMax = 64;

    /// <summary>Invalid blocks remembered for the explorer.</summary>
    public const int RefusedBlocksMax = 256;
}
