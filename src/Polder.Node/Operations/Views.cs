namespace Polder.Node.Operations;

/// <summary>Who a node is. Keys and ids are lower-case hex.</summary>
/// <param name="PublicKey">74 bytes.</param>
/// <param name="Mid">SHA-1 of the key, 20 bytes.</param>
/// <param name="NodeId">SHA-256 of the key, 32 bytes.</param>
/// <param name="Name">The short name, "ab-cd-ef-gh-ij".</param>
public sealed record IdentityView(string PublicKey, string Mid, string NodeId, string Name);

/// <summary>A peer's key and the short name that belongs to it.</summary>
/// <param name="PublicKey">Hex of 74 bytes.</param>
/// <param name="Name">The short name.</param>
public sealed record PeerName(string PublicKey, string Name);

/// <summary>How a node is doing.</summary>
/// <param name="Identity">Who it is.</param>
/// <param name="UdpEndpoint">Where its socket is bound, "0.0.0.0:8090".</param>
/// <param name="LanEndpoint">What it tells others is its address in the local network.</param>
/// <param name="WanEndpoint">What others say its address is; null while nobody told.</param>
/// <param name="Loopback">Bound to 127.0.0.1 only.</param>
/// <param name="UptimeSeconds">Since the start.</param>
/// <param name="PeersVerified">Peers that proved their key.</param>
/// <param name="AddressesKnown">Addresses heard of and not proved.</param>
/// <param name="BlocksOwn">Length of the own chain.</param>
/// <param name="BlocksStored">Blocks of everybody.</param>
/// <param name="InboxWaiting">Proposals that wait for my word.</param>
/// <param name="FraudsKnown">Proven frauds.</param>
/// <param name="BytesIn">Received since the start.</param>
/// <param name="BytesOut">Sent since the start.</param>
/// <param name="SigningRefused">Why this node signs nothing at present; null normally.</param>
/// <param name="Warnings">What the owner should know, in words.</param>
/// <param name="NextSteps">What to do next, in words, most useful first.</param>
/// <param name="Counters">Refusals and caps reached, by name.</param>
public sealed record StatusView(
    IdentityView Identity, string UdpEndpoint, string? LanEndpoint, string? WanEndpoint, bool Loopback, double UptimeSeconds,
    int PeersVerified, int AddressesKnown, int BlocksOwn, long BlocksStored, int InboxWaiting, int FraudsKnown,
    long BytesIn, long BytesOut, string? SigningRefused, IReadOnlyList<string> Warnings, IReadOnlyList<string> NextSteps,
    IReadOnlyDictionary<string, long> Counters);

/// <summary>A peer. The key is null until it proved itself by a signed packet.</summary>
/// <param name="PublicKey">Hex of 74 bytes, or null.</param>
/// <param name="Name">The short name, or null.</param>
/// <param name="Addresses">"127.0.0.1:8090", preferred first.</param>
/// <param name="Verified">Whether the key is proved.</param>
/// <param name="RoundTripMs">Median of the last pings; null while unknown.</param>
/// <param name="LastInSeconds">Since the last datagram from it; null if none.</param>
/// <param name="LastOutSeconds">Since the last datagram to it; null if none.</param>
/// <param name="Communities">Hex ids of the overlays it is known to be in.</param>
/// <param name="Discouraged">Whether it broke the protocol lately and is ignored for a while.</param>
public sealed record PeerView(
    string? PublicKey, string? Name, IReadOnlyList<string> Addresses, bool Verified, double? RoundTripMs,
    double? LastInSeconds, double? LastOutSeconds, IReadOnlyList<string> Communities, bool Discouraged);

/// <summary>A record of help to propose.</summary>
/// <param name="Peer">Short name, key or the beginning of one.</param>
/// <param name="Gave">True: I helped the peer. False: the peer helped me.</param>
/// <param name="Amount">How much, in <paramref name="Unit"/>; above 0.</param>
/// <param name="Unit">"bytes", or any word: "hours", "answers".</param>
/// <param name="For">What the help was, in words.</param>
/// <param name="Wait">How long to wait for the other's signature.</param>
public sealed record RecordRequest(string Peer, bool Gave, long Amount, string Unit, string For, TimeSpan Wait);

/// <summary>What became of a proposed record.</summary>
/// <param name="Block">"HEX.SEQ" of our half.</param>
/// <param name="State">"proposed" or "agreed".</param>
public sealed record RecordView(string Block, string State);

/// <summary>A proposal that waits for the owner's word.</summary>
/// <param name="Id">Short id to name it by: the first hex digits of its hash.</param>
/// <param name="From">The proposer's key, hex.</param>
/// <param name="FromName">The proposer's short name.</param>
/// <param name="Amount">How much; null when the block's type is none that we can read.</param>
/// <param name="Unit">In what; null likewise.</param>
/// <param name="TheyGave">True: the proposer says it helped me. Null when unreadable.</param>
/// <param name="For">What for, in words.</param>
/// <param name="Type">The block's type.</param>
/// <param name="Block">"HEX.SEQ".</param>
/// <param name="Time">When it was signed, by the proposer's clock.</param>
public sealed record InboxItem(
    string Id, string From, string FromName, long? Amount, string? Unit, bool? TheyGave, string For, string Type, string Block,
    DateTimeOffset Time);

/// <summary>One half block as we hold it.</summary>
/// <param name="PublicKey">Owner of the chain, hex.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="LinkKey">Counterparty, hex.</param>
/// <param name="LinkSequence">0 in a proposal.</param>
/// <param name="Type">The type as text; bytes that are no printable ASCII are escaped.</param>
/// <param name="Hash">Hex of 32 bytes.</param>
/// <param name="Valid">Whether nothing is wrong with it.</param>
/// <param name="Reason">"valid", "partial-next", … or what is wrong, in words.</param>
/// <param name="Paired">Whether the other half is known.</param>
/// <param name="Summary">What it says, in words: "25 MB to ab-cd-ef-gh-ij for storing a file".</param>
/// <param name="Time">When it was signed, by its signer's clock.</param>
public sealed record BlockView(
    string PublicKey, long Sequence, string LinkKey, long LinkSequence, string Type, string Hash, bool Valid, string Reason,
    bool Paired, string Summary, DateTimeOffset Time);

/// <summary>A page of a chain.</summary>
/// <param name="Owner">Whose it is.</param>
/// <param name="Length">The highest number that we hold.</param>
/// <param name="Missing">Numbers below it that we do not hold.</param>
/// <param name="Blocks">This page.</param>
/// <param name="Refused">Invalid blocks of this chain that were refused lately, with the reason.</param>
public sealed record ChainView(PeerName Owner, long Length, long Missing, IReadOnlyList<BlockView> Blocks, IReadOnlyList<BlockView> Refused);

/// <summary>One block in full.</summary>
/// <param name="Block">The block.</param>
/// <param name="Linked">Its other half (or halves), as far as known.</param>
/// <param name="PreviousHash">Hex.</param>
/// <param name="Signature">Hex.</param>
/// <param name="Transaction">The transaction as JSON text for people, or hex where it does not decode.</param>
/// <param name="Packed">The packed bytes, hex.</param>
public sealed record BlockDetail(
    BlockView Block, IReadOnlyList<BlockView> Linked, string PreviousHash, string Signature, string Transaction, string Packed);

/// <summary>What a crawl brought.</summary>
/// <param name="Blocks">Blocks that are new here.</param>
/// <param name="Complete">Whether the chain is now held without a gap.</param>
public sealed record CrawlView(int Blocks, bool Complete);

/// <summary>A peer's standing from my own point of view.</summary>
/// <param name="PublicKey">Hex.</param>
/// <param name="Name">Short name.</param>
/// <param name="Score">The score of the kind <paramref name="By"/>; amounts are in <paramref name="Unit"/>.</param>
/// <param name="Unit">Scores of different units are never added.</param>
/// <param name="Records">Agreed records in which the peer took part, as far as we hold them.</param>
/// <param name="Gave">What it contributed to anybody, as far as we hold it.</param>
/// <param name="Got">What it consumed from anybody.</param>
/// <param name="By">The kind of score: <see cref="TrustKind.Name"/>.</param>
/// <param name="Direct">How much it gave me itself.</param>
/// <param name="Cheater">A proven cheater: its score is 0 for good.</param>
public sealed record TrustView(
    string PublicKey, string Name, double Score, string Unit, int Records, double Gave, double Got, string By = "netflow2", double Direct = 0, bool Cheater = false);

/// <summary>The records and paths behind a score.</summary>
/// <param name="Trust">The score.</param>
/// <param name="Cap">What the peer's own balance towards me allows at most.</param>
/// <param name="Direct">What it gave me directly.</param>
/// <param name="Paths">Through whom the rest flows: the best intermediaries.</param>
/// <param name="Records">The signed records in which the peer took part, newest first: the latest hundred.</param>
/// <param name="InWords">One or two sentences.</param>
/// <param name="Standing">All kinds of score and what they hang on; null where nothing is known of the peer.</param>
/// <param name="Fraud">The proof, when the peer is a proven cheater.</param>
public sealed record TrustExplanation(
    TrustView Trust, double Cap, double Direct, IReadOnlyList<TrustPath> Paths, IReadOnlyList<TrustRecord> Records, string InWords,
    TrustStanding? Standing = null, FraudView? Fraud = null);

/// <summary>What else speaks for a peer, and what it may be served.</summary>
/// <param name="Gave">All that reached me from it, over at most two hops.</param>
/// <param name="Took">All that it got from me over at most two hops; my own work counts half.</param>
/// <param name="Budget">What it may still be served.</param>
/// <param name="DirectRecords">In how many records it gave me something.</param>
/// <param name="PathCount">Through how many others its work reached me.</param>
/// <param name="PathFlow">What counts of that together, before the cap.</param>
/// <param name="Reach">The share of my walks that come to it (personalised hitting time).</param>
/// <param name="MeritRank">Its MeritRank.</param>
/// <param name="NeckShare">The largest share of the walks to it that pass one other peer.</param>
/// <param name="NeckVia">That other peer.</param>
/// <param name="NeckCuts">Whether MeritRank halves its score for that.</param>
/// <param name="Service">What would happen if it asked for something now, in words.</param>
public sealed record TrustStanding(
    double Gave, double Took, double Budget, int DirectRecords, int PathCount, double PathFlow,
    double Reach, double MeritRank, double NeckShare, PeerName? NeckVia, bool NeckCuts, string Service);

/// <summary>Peer gave <paramref name="First"/> to the intermediary, who gave <paramref name="Second"/> to me; <paramref name="Flow"/> counts.</summary>
/// <param name="Through">The intermediary.</param>
/// <param name="First">Amount on the first edge.</param>
/// <param name="Second">Amount on the second.</param>
/// <param name="Flow">What passes.</param>
/// <param name="FirstRecords">In how many records the first was signed.</param>
/// <param name="SecondRecords">In how many the second was.</param>
/// <param name="FirstBehind">The latest of the first.</param>
/// <param name="SecondBehind">The latest of the second.</param>
public sealed record TrustPath(
    PeerName Through, double First, double Second, double Flow, int FirstRecords = 0, int SecondRecords = 0,
    IReadOnlyList<TrustRecord>? FirstBehind = null, IReadOnlyList<TrustRecord>? SecondBehind = null);

/// <summary>An agreed record of help, with its two blocks.</summary>
/// <param name="Contributor">Who helped.</param>
/// <param name="Consumer">Who was helped.</param>
/// <param name="Amount">How much.</param>
/// <param name="Unit">In what.</param>
/// <param name="For">What for.</param>
/// <param name="Proposal">"HEX.SEQ".</param>
/// <param name="Agreement">"HEX.SEQ".</param>
/// <param name="Time">By the proposer's clock.</param>
public sealed record TrustRecord(
    PeerName Contributor, PeerName Consumer, long Amount, string Unit, string For, string Proposal, string Agreement, DateTimeOffset Time);

/// <summary>A proven fraud and its two blocks.</summary>
/// <param name="Culprit">Who signed both.</param>
/// <param name="Kind">"double-sign" or "double-countersign".</param>
/// <param name="First">One block.</param>
/// <param name="Second">The other.</param>
public sealed record FraudView(PeerName Culprit, string Kind, BlockView First, BlockView Second);
