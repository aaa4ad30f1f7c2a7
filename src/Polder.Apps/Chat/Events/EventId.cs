using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>SHA-256 of an event as it travels, without its signature: what happened, and who can say so.</summary>
internal readonly record struct EventId(Hash256 Hash) : IComparable<EventId>
{
    public const int Bytes = Hash256.Bytes;

    /// <summary>No event.</summary>
    public static EventId None => default;

    public bool IsNone => Hash == default;

    public static bool TryParse(string? text, out EventId id)
    {
        id = default;
        if (text is not { Length: 2 * Bytes }) return false;
        Span<byte> bytes = stackalloc byte[Bytes];
        if (Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = new EventId(new Hash256(bytes));
        return true;
    }

    public int CompareTo(EventId other) => Hash.CompareTo(other.Hash);
    public byte[] ToArray() => Hash.ToArray();
    public override string ToString() => Hash.ToString();
}

/// <summary>A conversation's name: of two people by their keys, of a group by the event that made it.</summary>
internal readonly record struct ConversationId(Hash256 Hash) : IComparable<ConversationId>
{
    public const int Bytes = Hash256.Bytes;

    /// <summary>What two people say to each other: SHA-256 over "polder chat pair 1" and both keys, the smaller first.</summary>
    public static ConversationId OfPair(PublicKey one, PublicKey other)
    {
        ReadOnlySpan<byte> tag = "polder chat pair 1"u8;
        Span<byte> input = stackalloc byte[tag.Length + 2 * KeyFormat.Bytes];
        tag.CopyTo(input);
        var (first, second) = one < other ? (one, other) : (other, one);
        first.Bytes.CopyTo(input[tag.Length..]);
        second.Bytes.CopyTo(input[(tag.Length + KeyFormat.Bytes)..]);
        return new ConversationId(Hash256.Of(input));
    }

    public static bool TryParse(string? text, out ConversationId id)
    {
        var good = EventId.TryParse(text, out var parsed);
        id = new ConversationId(parsed.Hash);
        return good;
    }

    public int CompareTo(ConversationId other) => Hash.CompareTo(other.Hash);
    public byte[] ToArray() => Hash.ToArray();
    public override string ToString() => Hash.ToString();
}

/// <summary>
/// The one order of a conversation. The Lamport clock keeps what was seen before what answers it, whatever the wall clocks say; among
/// messages that did not know of each other the time decides, and last the name: the same on every machine.
/// </summary>
internal readonly record struct EventOrder(ulong Clock, ulong Time, EventId Id) : IComparable<EventOrder>
{
    public int CompareTo(EventOrder other) =>
        Clock != other.Clock ? Clock.CompareTo(other.Clock) : Time != other.Time ? Time.CompareTo(other.Time) : Id.CompareTo(other.Id);

    public static bool operator <(EventOrder left, EventOrder right) => left.CompareTo(right) < 0;
    public static bool operator >(EventOrder left, EventOrder right) => left.CompareTo(right) > 0;
    public static bool operator <=(EventOrder left, EventOrder right) => left.CompareTo(right) <= 0;
    public static bool operator >=(EventOrder left, EventOrder right) => left.CompareTo(right) >= 0;
}
