namespace Polder.Ledger;

/// <summary>Limits of the ledger. Those of the specification first, ours below.</summary>
public static class Limits
{
    /// <summary>Blocks of a chain in one crawl answer, and as many of others that link to them.</summary>
    public const int CrawlAnswerBlocksMax = 10;

    /// <summary>Bytes of a transaction that we sign or keep for others.</summary>
    public const int TransactionBytesMax = 1024;

    /// <summary>Blocks whose broadcast is remembered, so that none is passed on twice.</summary>
    public const int RelayedBlocksMax = 100_000;

    /// <summary>Tries for one range of a chain, and for the history of one proposal.</summary>
    public const int CrawlTriesMax = 3;

    /// <summary>How far ahead of our clock a proposal may be that we sign.</summary>
    public static readonly TimeSpan TimestampAheadMax = TimeSpan.FromDays(1);

    /// <summary>Bytes of a block type that we keep for others.</summary>
    public const int TypeBytesMax = 64;

    /// <summary>Invalid blocks remembered for the explorer.</summary>
    public const int RefusedBlocksMax = 256;

    /// <summary>Proofs kept against one culprit; one is enough to stop signing.</summary>
    public const int FraudsPerKeyMax = 2;

    /// <summary>Proofs kept in all.</summary>
    public const int FraudsMax = 4_096;

    /// <summary>Own proposals that wait for an answer at a time; more are refused with words.</summary>
    public const int ProposalsOpenMax = 20_000;

    /// <summary>Proposals to us that wait for the owner's word; more stay in the store and come up when others are answered.</summary>
    public const int InboxMax = 1_000;

    /// <summary>Proposals of one key among them.</summary>
    public const int InboxPerKeyMax = 16;

    /// <summary>Crawl requests of ours that are open at a time; more are not sent.</summary>
    public const int CrawlsOpenMax = 256;

    /// <summary>Blocks that one answer may claim to have; py forgets its limit for its own chain.</summary>
    public const int CrawlTotalMax = 4_096;

    /// <summary>Time for a whole chain.</summary>
    public static readonly TimeSpan ChainCrawlTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Peers of whom is remembered which form of crawl request they speak, and when they were crawled.</summary>
    public const int CrawledPeersMax = 4_096;

    /// <summary>New blocks a second that are checked for addresses that proved nothing, all together, and in a burst.</summary>
    public const int StrangersBlocksPerSecond = 200;

    /// <summary>New blocks a second that are checked for one proved address, and in a burst of twice as many.</summary>
    public const int PeerBlocksPerSecond = 5_000;

    /// <summary>Agreements of others that wait until their proposers are told of them; beyond it none is told.</summary>
    public const int WitnessedMax = 1_000;

    /// <summary>Such agreements told a second.</summary>
    public const int WitnessedPerSecond = 10;

    /// <summary>How long a proposer has to show an agreement itself before it is told of it.</summary>
    public static readonly TimeSpan WitnessDelay = TimeSpan.FromSeconds(15);

    /// <summary>Peers that must say that they hold nothing of our own chain before it is believed that there is no more of it.</summary>
    public const int EmptyWitnesses = 2;

    /// <summary>Blocks above <see cref="TrustChainOptions.BlocksMax"/> that are taken in until the oldest have given way.</summary>
    public const int BlocksAboveMax = 2_000;

    /// <summary>Blocks that give way at a time.</summary>
    public const int EvictedAtOnce = 1_000;

    /// <summary>Proofs kept against keys that matter here: peers, and owners of blocks that are held. Strangers' beyond <see cref="FraudsMax"/> are not.</summary>
    public const int FraudsThatMatterMax = 65_536;

    /// <summary>Hops that a pushed block may still go.</summary>
    public const int PushHopsMax = 10;

    /// <summary>New blocks that can be told of, to whoever asks what is new.</summary>
    public const int NewsBlocksMax = 1_024;

    /// <summary>Blocks remembered as seen, so that none is asked for or pushed on twice.</summary>
    public const int NewsSeenMax = 16_384;

    /// <summary>Blocks that were asked for and may come.</summary>
    public const int NewsAskedMax = 256;

    /// <summary>
    /// Peers that must have shown blocks of our own chain before a restored node believes that it ends where they say; where there are fewer, all.
    /// Not three: the newest block may have reached one peer of five, whose answer was lost (restore seed 621814939).
    /// </summary>
    public const int RecoveryWitnesses = 8;

    /// <summary>How long no further own block may have turned up before it is believed.</summary>
    public static readonly TimeSpan RecoverySettles = TimeSpan.FromSeconds(10);

    /// <summary>How long a restored node waits for witnesses that do not answer.</summary>
    public static readonly TimeSpan RecoveryPatience = TimeSpan.FromMinutes(2);

    /// <summary>Chains of which is kept over a restart when they were looked at.</summary>
    public const int CrawlProgressMax = 300_000;

    /// <summary>Up to how many blocks all are gone through at the start; of more, graphs are made from the store's accounts of agreed records.</summary>
    public const int ReplayedBlocksMax = 200_000;

    /// <summary>Agreements a second without the owner's word once the own chain takes a quarter of the blocks that may be kept: some 8,600 a day.</summary>
    public const double CrowdedAgreementsPerSecond = 0.1;

    /// <summary>So many of them at once after a rest.</summary>
    public const double CrowdedAgreementsBurst = 20;
}
