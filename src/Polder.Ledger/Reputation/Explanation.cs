using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>A score by two-hop NetFlow and what bounds it.</summary>
/// <param name="Value">The score.</param>
/// <param name="Cap">What the peer's own balance towards the observer allows at most: <paramref name="Gave"/> less <paramref name="Took"/>.</param>
/// <param name="Direct">What the peer did for the observer itself.</param>
/// <param name="Gave">All that reached the observer from the peer, over at most two hops.</param>
/// <param name="Took">All that the peer got from the observer over at most two hops; the observer's own work counts 1/alpha.</param>
public readonly record struct NetFlowScore(double Value, double Cap, double Direct, double Gave, double Took);

/// <summary>Work that reached the observer through somebody.</summary>
/// <param name="Through">The intermediary.</param>
/// <param name="First">What the peer did for the intermediary.</param>
/// <param name="Second">What the intermediary did for the observer.</param>
/// <param name="Flow">What counts of it.</param>
/// <param name="FirstRecords">In how many records the first was signed.</param>
/// <param name="SecondRecords">In how many the second was.</param>
public readonly record struct FlowPath(PublicKey Through, double First, double Second, double Flow, int FirstRecords, int SecondRecords);

/// <summary>Why a peer stands where it stands.</summary>
/// <param name="Score">Its two-hop NetFlow.</param>
/// <param name="Sums">What is known of it in sums.</param>
/// <param name="IsRemoved">It is a proven cheater: nothing of it counts, for good.</param>
/// <param name="Budget">What it may still be served.</param>
/// <param name="DirectRecords">In how many records its work for the observer was signed.</param>
/// <param name="Paths">Through whom its work reached the observer, most first: the best of them.</param>
/// <param name="PathCount">Through how many in all.</param>
/// <param name="PathFlow">What counts of all of them together, before the cap.</param>
/// <param name="Reach">Its hitting time: the share of the walks that come to it.</param>
/// <param name="Merit">Its MeritRank.</param>
/// <param name="NeckShare">The largest share of the walks to it that visit one other peer first.</param>
/// <param name="NeckVia">That other peer; null when no walk to it visits anybody before.</param>
/// <param name="IsCut">Whether MeritRank cuts it for that.</param>
public sealed record Explanation(
    NetFlowScore Score, PeerSums Sums, bool IsRemoved, double Budget, int DirectRecords, IReadOnlyList<FlowPath> Paths, int PathCount, double PathFlow,
    double Reach, double Merit, double NeckShare, PublicKey? NeckVia, bool IsCut);
