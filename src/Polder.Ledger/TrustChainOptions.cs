using Polder.Overlay;

namespace Polder.Ledger;

/// <summary>What may be changed about the ledger. Constants of the protocol are in <see cref="Limits"/>.</summary>
public sealed record TrustChainOptions
{
    /// <summary>The overlay. Default TrustChain's own; some apps run the same protocol under an id of theirs.</summary>
    public CommunityId Community { get; init; } = TrustChainCommunity.Id;

    /// <summary>Peers that a broadcast goes to. 0 to 100; default 25.</summary>
    public int FanOut { get; init => field = InRange(value, 0, 100); } = 25;

    /// <summary>Hops of our own broadcasts. 1 to 10; default 1, as everybody has it.</summary>
    public int BroadcastTtl { get; init => field = InRange(value, 1, 10); } = 1;

    /// <summary>Blocks before a proposal that must be known before it is agreed to by itself. 0 to 100; default 5.</summary>
    public int ValidationRange { get; init => field = InRange(value, 0, 100); } = 5;

    /// <summary>Time between two sendings of an unanswered proposal. At least 1 s; default 10 s.</summary>
    public TimeSpan ResendInterval { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromSeconds(10);

    /// <summary>Sendings of an unanswered proposal, from each start of the node. 1 to 100,000; default 360.</summary>
    public int ResendsMax { get; init => field = InRange(value, 1, 100_000); } = 360;

    /// <summary>How long an answer to a crawl request may take in all. At least 1 s; default 10 s.</summary>
    public TimeSpan CrawlTimeout { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait for a first block before the other form of request is tried. At least 100 ms; default 3 s.</summary>
    public TimeSpan FirstBlockTimeout { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(3);

    /// <summary>Time between two crawls of a peer that we made unasked. At least 1 s; default 60 s.</summary>
    public TimeSpan CrawlInterval { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromSeconds(60);

    /// <summary>Fetch the whole chain of everybody who is met, not only its next blocks. Default false.</summary>
    public bool CrawlEverything { get; init; }

    /// <summary>Blocks kept of a chain whose owner is neither known as a peer nor has a record with us. 1 to 1,000,000; default 256.</summary>
    public int BlocksPerStrangerMax { get; init => field = InRange(value, 1, 1_000_000); } = 256;

    /// <summary>Blocks kept in all; ours and our partners' are kept beyond it, of others the newest. At least 1,000; default 1,000,000.</summary>
    public long BlocksMax { get; init => field = value >= 1_000 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 1_000_000;

    /// <summary>
    /// Bytes of disk that the store may take, its log of at most some 40 MB not counted; above nine tenths of it the oldest blocks of
    /// strangers give way, and at all of it nothing more of strangers is taken in. At least 16 MB; default null: no limit but <see cref="BlocksMax"/>.
    /// </summary>
    public long? DiskBytesMax { get; init => field = value is null or >= 16L << 20 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 16 MB."); }

    /// <summary>
    /// The highest number that the own chain is known to have had, from a second place (a mark beside the database). When the
    /// store has less, signing waits until peers have shown the rest. Default 0: not known.
    /// </summary>
    public uint OwnLengthAtLeast { get; init; }

    /// <summary>
    /// The own chain may be shorter than it was: the database is a restored backup, or an older one was set aside. Signing waits
    /// until a peer was asked for our own chain and what it has is here. Default false.
    /// </summary>
    public bool OwnChainUncertain { get; init; }

    /// <summary>How new blocks and proofs spread among full nodes.</summary>
    public Dissemination.DisseminationOptions Dissemination { get; init; } = new();

    /// <summary>Fetching everybody's chains.</summary>
    public Crawling.SurveyOptions Survey { get; init; } = new();

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
