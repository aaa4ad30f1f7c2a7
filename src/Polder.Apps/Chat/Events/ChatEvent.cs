using System.Diagnostics.CodeAnalysis;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Chat;

/// <summary>What kind of event travels.</summary>
internal enum EventClass : byte
{
    /// <summary>A message between two; the letter that carries it says whose it is.</summary>
    Pair = 1,
    /// <summary>A message to a group: signed, its content under a key of the group.</summary>
    Group = 2,
    /// <summary>A change of a group: signed, its content for all who are or become members.</summary>
    Change = 3,
}

/// <summary>Everything of an event but its content.</summary>
/// <param name="Class">What kind.</param>
/// <param name="Conversation">Where it belongs; zero in the event that makes a group, which is named by it.</param>
/// <param name="Author">Who made it.</param>
/// <param name="Sequence">The author's events in this conversation are numbered from 1; changes of a group are not numbered (0).</param>
/// <param name="First">The author's number at the beginning of this epoch: who joined with it misses nothing before.</param>
/// <param name="Clock">Lamport clock: 1 more than all that the author had seen here, at most <see cref="ChatLimits.ClockMax"/>.</param>
/// <param name="Time">The author's wall clock, in milliseconds since 1970. For people; it may be wrong.</param>
/// <param name="Epoch">The change whose key this is written under; none between two and in changes.</param>
/// <param name="Salt">16 random bytes, so that no two headers are equal.</param>
internal sealed record EventHeader(
    EventClass Class, ConversationId Conversation, PublicKey Author, uint Sequence, uint First, ulong Clock, ulong Time, EventId Epoch, UInt128 Salt)
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 2 + 32 + KeyFormat.Bytes + 4 + 4 + 8 + 8 + 32 + 16;

    public void Write(ref WireWriter writer)
    {
        writer.WriteByte(1);
        writer.WriteByte((byte)Class);
        Conversation.Hash.CopyTo(writer.Reserve(32));
        writer.WriteBytes(Author.Bytes);
        writer.WriteUInt32(Sequence);
        writer.WriteUInt32(First);
        writer.WriteUInt64(Clock);
        writer.WriteUInt64(Time);
        Epoch.Hash.CopyTo(writer.Reserve(32));
        writer.WriteUInt64((ulong)(Salt >> 64));
        writer.WriteUInt64(unchecked((ulong)Salt));
    }

    public static EventHeader? Read(ref WireReader reader)
    {
        reader.Require(reader.ReadByte() == 1, WireError.UnknownTag);
        var kind = (EventClass)reader.ReadByte();
        reader.Require(kind is EventClass.Pair or EventClass.Group or EventClass.Change, WireError.UnknownTag);
        var conversation = ReadHash(ref reader);
        reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var author), WireError.BadKey);
        var (sequence, first, clock, time) = (reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt64());
        var epoch = ReadHash(ref reader);
        var salt = new UInt128(reader.ReadUInt64(), reader.ReadUInt64());
        reader.Require(clock is >= 1 and <= ChatLimits.ClockMax && time <= ChatLimits.TimeMax);
        if (kind == EventClass.Change) reader.Require(sequence == 0 && first == 0 && epoch == default);
        else reader.Require(sequence >= 1 && first >= 1 && first <= sequence && (epoch == default) == (kind == EventClass.Pair));
        return reader.Failed ? null
            : new EventHeader(kind, new ConversationId(conversation), author!, sequence, first, clock, time, new EventId(epoch), salt);
    }

    internal static Hash256 ReadHash(ref WireReader reader) => reader.ReadBytes(32) is { Length: 32 } bytes ? new Hash256(bytes) : default;
}

/// <summary>One event as it travels.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1     1  class: 1 message of two, 2 message of a group, 3 change of a group
///      2    32  conversation
///     34    74  author's public key
///    108     4  author's number, from 1 (0 in changes)
///    112     4  author's first number in this epoch
///    116     8  Lamport clock
///    124     8  time, milliseconds since 1970
///    132    32  epoch
///    164    16  salt
///    180     n  content: in clear (1, 3), or under the epoch's key with a tag of 16 bytes (2)
///  180+n    64  Ed25519 signature over all before it (2, 3; absent in 1)
/// </code></remarks>
internal sealed class ChatEvent
{
    public const int SignatureBytes = 64;

    private readonly int _end;

    private ChatEvent(EventHeader header, byte[] raw, int end) => (Header, Raw, _end, Id) = (header, raw, end, new EventId(Hash256.Of(raw.AsSpan(0, end))));

    public EventHeader Header { get; }
    public EventId Id { get; }

    /// <summary>All bytes, the signature included.</summary>
    public byte[] Raw { get; }

    /// <summary>What is signed and hashed.</summary>
    public ReadOnlySpan<byte> Signed => Raw.AsSpan(0, _end);
    public ReadOnlySpan<byte> HeaderBytes => Raw.AsSpan(0, EventHeader.Bytes);
    /// <summary>The content as it travels.</summary>
    public ReadOnlySpan<byte> Content => Raw.AsSpan(EventHeader.Bytes, _end - EventHeader.Bytes);
    public ReadOnlySpan<byte> Signature => Raw.AsSpan(_end);

    /// <summary>The conversation; the event that makes a group names it.</summary>
    public ConversationId Conversation => Header.Conversation.Hash == default ? new ConversationId(Id.Hash) : Header.Conversation;

    public EventOrder Order => new(Header.Clock, Header.Time, Id);

    /// <summary>Reads an event; the signature is not checked here.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ChatEvent? chat)
    {
        chat = null;
        if (bytes.Length > ChatLimits.EventBytesMax) return false;
        var reader = new WireReader(bytes);
        var header = EventHeader.Read(ref reader);
        if (header is null) return false;
        var end = header.Class == EventClass.Pair ? bytes.Length : bytes.Length - SignatureBytes;
        // The conversation's name is its own only in the event that makes a group.
        if (end <= EventHeader.Bytes || (header.Class != EventClass.Change && header.Conversation.Hash == default)) return false;
        chat = new ChatEvent(header, bytes.ToArray(), end);
        return true;
    }

    /// <summary>Makes an event of ours.</summary>
    public static ChatEvent Make(EventHeader header, ReadOnlySpan<byte> content, KeyPair key, ISignatures signatures)
    {
        var signature = header.Class == EventClass.Pair ? 0 : SignatureBytes;
        var raw = new byte[EventHeader.Bytes + content.Length + signature];
        if (raw.Length > ChatLimits.EventBytesMax) throw new InvalidOperationException("The event is too large.");
        var writer = new WireWriter(raw);
        header.Write(ref writer);
        writer.WriteBytes(content);
        if (signature > 0) signatures.Sign(key, raw.AsSpan(0, raw.Length - signature), raw.AsSpan(raw.Length - signature));
        return new ChatEvent(header, raw, raw.Length - signature);
    }

    public bool IsSignedBy(ISignatures signatures) => Header.Class == EventClass.Pair || signatures.Verify(Header.Author, Signed, Signature);
}
