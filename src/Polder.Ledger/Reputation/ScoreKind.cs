namespace Polder.Ledger.Reputation;

/// <summary>
/// The kinds of score (reputation.md §2 and §3). Each is from one observer's point of view; they rank differently and are never
/// mixed. The first is what service is given by, <see cref="MeritRank"/> what is recommended for ranking.
/// </summary>
public enum ScoreKind
{
    /// <summary>NetFlow over at most two hops, in the unit of the records: the only kind with a bound on work.</summary>
    NetFlow2,
    /// <summary>NetFlow over whole paths, in the unit of the records; for a few hundred peers.</summary>
    NetFlow,
    /// <summary>BarterCast over at most two hops: −1 to 1.</summary>
    BarterCast2,
    /// <summary>Walks that hit a peer of all hits, less what MeritRank cuts for a neck: 0 to 1.</summary>
    MeritRank,
    /// <summary>Hitting times as shares of their sum.</summary>
    HittingTimeShare,
    /// <summary>The probability that one walk ever comes to the peer.</summary>
    HittingTime,
    /// <summary>Expected visits as shares of those of all others.</summary>
    PageRankVisits,
    /// <summary>The share of time of a walk that starts again whenever it stops.</summary>
    PageRankRestart,
    /// <summary>EigenTrust with the observer as the one pre-trusted peer.</summary>
    EigenTrust,
}
