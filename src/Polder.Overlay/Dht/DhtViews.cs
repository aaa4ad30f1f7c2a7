using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Connecting;

namespace Polder.Overlay.Dht;

/// <summary>What a search for a key came to.</summary>
/// <param name="Key">What was searched.</param>
/// <param name="Records">What is there, each verified: the newest of each publisher. Empty for nothing.</param>
/// <param name="Contradiction">Two values that a publisher signed with one sequence number: proof against it; null for none.</param>
/// <param name="PathsDisagree">Whether one path of the search saw a record that another, which came as far, did not: somebody may be hiding it.</param>
/// <param name="Questions">Messages that we sent for it; 0 when the answer was here.</param>
/// <param name="Took">How long it took.</param>
public sealed record DhtFindings(
    Hash256 Key, IReadOnlyList<DhtRecord> Records, (DhtRecord First, DhtRecord Second)? Contradiction, bool PathsDisagree, int Questions, TimeSpan Took)
{
    /// <summary>The record, where there is one publisher or none; null for nothing.</summary>
    public DhtRecord? Record => Records.Count > 0 ? Records[0] : null;
}

/// <summary>What storing came to.</summary>
/// <param name="Key">Under which key it is found.</param>
/// <param name="Holders">How many nodes keep it, ourselves included; 0 means nobody can find it.</param>
/// <param name="Asked">How many were asked.</param>
public sealed record DhtStored(Hash256 Key, int Holders, int Asked);

/// <summary>Somebody who belongs to a topic.</summary>
/// <param name="Publisher">Who.</param>
/// <param name="Value">What it says there, at most 256 bytes.</param>
public sealed record DhtMember(PublicKey Publisher, ReadOnlyMemory<byte> Value);

/// <summary>What <see cref="DhtService.FindAsync(string)"/> found: members of a topic, or where a key is.</summary>
/// <param name="What">What was searched, in words.</param>
/// <param name="Members">Members of the topic, newest first; empty when a key was searched.</param>
/// <param name="Hints">Where the key is; null when a topic was searched or nothing was found.</param>
/// <param name="Questions">Messages that we sent for it.</param>
/// <param name="Took">How long it took.</param>
public sealed record DhtFound(string What, IReadOnlyList<DhtMember> Members, ContactHints? Hints, int Questions, TimeSpan Took);

/// <summary>One node of the table.</summary>
/// <param name="Key">Who.</param>
/// <param name="Address">Where.</param>
/// <param name="RoundTrip">How far; null while unknown.</param>
/// <param name="CommonBits">With how many equal bits both ids begin.</param>
public sealed record DhtNode(PublicKey Key, Endpoint Address, TimeSpan? RoundTrip, int CommonBits);

/// <summary>Our DHT at one moment.</summary>
public sealed record DhtSnapshot
{
    /// <summary>Nodes in the table.</summary>
    public required int TableSize { get; init; }
    /// <summary>Buckets of the table: about the depth of the network.</summary>
    public required int Buckets { get; init; }
    /// <summary>Records held for others.</summary>
    public required int RecordsHeld { get; init; }
    /// <summary>Of at most so many.</summary>
    public required int RecordsMax { get; init; }
    /// <summary>Their bytes.</summary>
    public required long BytesHeld { get; init; }
    /// <summary>Of at most so many.</summary>
    public required int BytesMax { get; init; }
    /// <summary>Publishers whose quota here is used up.</summary>
    public required int PublishersAtQuota { get; init; }
    /// <summary>Networks whose quota here is used up.</summary>
    public required int NetworksAtQuota { get; init; }
    /// <summary>Stores of others that were refused because a quota was used up.</summary>
    public required long RefusedByQuota { get; init; }
    /// <summary>Our own records that are stored again and again.</summary>
    public required int OwnRecords { get; init; }
    /// <summary>Estimated size of the network, from the ids around us; 0 while unknown.</summary>
    public required double SizeNearUs { get; init; }
    /// <summary>The same, around random targets; 0 while unknown.</summary>
    public required double SizeElsewhere { get; init; }
    /// <summary>Whether ids lie more than four times as densely around us as elsewhere: somebody crowds our neighbourhood (OV-8.5).</summary>
    public bool IsCrowded => SizeElsewhere > 0 && SizeNearUs > 4 * SizeElsewhere;
    /// <summary>Searches so far.</summary>
    public required long Searches { get; init; }
    /// <summary>Of these, such that found what they were for.</summary>
    public required long SearchesFound { get; init; }
    /// <summary>Of these, such that found nothing.</summary>
    public required long SearchesEmpty { get; init; }
    /// <summary>Searches whose disjoint paths disagreed.</summary>
    public required long PathsDisagreed { get; init; }
    /// <summary>Publishers proved to have signed two values with one sequence number, found by us or told to us.</summary>
    public required long Contradictions { get; init; }
    /// <summary>Questions asked and answered.</summary>
    public required (long Asked, long Answered) Questions { get; init; }
    /// <summary>Questions of others that we answered.</summary>
    public required long AnsweredOthers { get; init; }
    /// <summary>Records that failed their check: forged, expired or damaged.</summary>
    public required long BadRecords { get; init; }
    /// <summary>Median round trip of the last answers; null while unknown.</summary>
    public required TimeSpan? RoundTrip { get; init; }
    /// <summary>Whether we only look up and are in nobody's table: our NAT lets nobody in (OV-10.6).</summary>
    public required bool IsClient { get; init; }
    /// <summary>Whether we are too young for others' tables.</summary>
    public required bool IsYoung { get; init; }
    /// <summary>Whether the first search for ourselves is done.</summary>
    public required bool HasJoined { get; init; }
    /// <summary>Time from the node's making to 32 nodes in the table; null before.</summary>
    public required TimeSpan? UsableAfter { get; init; }
}
