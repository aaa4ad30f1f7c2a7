using Polder.Cryptography;
using Polder.Wire;

namespace Polder.Apps.Contacts.Speaking;

/// <summary>Message 5: "I have a code for this place. Here is my half of the key agreement." Answered by <see cref="CodeAnswer"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     8  place: first 8 bytes of SHA-256 of "polder/contacts/place/1" and the digits of the code
///     10    33  SPAKE2 message
/// </code></remarks>
internal readonly record struct CodeKnock(ushort Identifier, ulong Place, ReadOnlyMemory<byte> Message) : IMessage<CodeKnock>, ICorrelated
{
    public static byte Number => 5;

    public static CodeKnock Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        var place = reader.ReadUInt64();
        var message = reader.ReadBytes(Spake2.MessageBytes);
        return new(identifier, place, reader.Failed ? default : message.ToArray());
    }

    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteUInt64(Place); writer.WriteBytes(Message.Span); }
}

/// <summary>Message 6: the other half, or nothing: no code waits here for that place.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2  0,33  SPAKE2 message
/// </code></remarks>
internal readonly record struct CodeAnswer(ushort Identifier, ReadOnlyMemory<byte> Message) : IMessage<CodeAnswer>, ICorrelated
{
    public static byte Number => 6;

    public static CodeAnswer Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        reader.Require(reader.Remaining is 0 or Spake2.MessageBytes, WireError.BadValue);
        var message = reader.ReadRest();
        return new(identifier, reader.Failed ? default : message.ToArray());
    }

    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteBytes(Message.Span); }
}

/// <summary>Message 7: proof of the key that both halves made. Answered by <see cref="CodeConfirmed"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     8  place
///     10    32  HMAC-SHA-256 with the agreed key over "knock", the sender's and the receiver's public key
/// </code></remarks>
internal readonly record struct CodeConfirm(ushort Identifier, ulong Place, Hash256 Proof) : IMessage<CodeConfirm>, ICorrelated
{
    public static byte Number => 7;

    public static CodeConfirm Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64(), CodeWire.ReadHash(ref reader));
    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteUInt64(Place); Proof.CopyTo(writer.Reserve(Hash256.Bytes)); }
}

/// <summary>Message 8: whether it was right; if so, the proof of the other side.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     1  0 right, 1 wrong, 2 not now
///      3    32  HMAC-SHA-256 with the agreed key over "answer", the sender's and the receiver's public key; zeros where it was not right
/// </code></remarks>
internal readonly record struct CodeConfirmed(ushort Identifier, byte Verdict, Hash256 Proof) : IMessage<CodeConfirmed>, ICorrelated
{
    public const byte Right = 0, Wrong = 1, NotNow = 2;

    public static byte Number => 8;

    public static CodeConfirmed Read(ref WireReader reader)
    {
        var (identifier, verdict) = (reader.ReadUInt16(), reader.ReadByte());
        reader.Require(verdict <= NotNow, WireError.UnknownTag);
        return new(identifier, verdict, CodeWire.ReadHash(ref reader));
    }

    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteByte(Verdict); Proof.CopyTo(writer.Reserve(Hash256.Bytes)); }
}

internal static class CodeWire
{
    public static Hash256 ReadHash(ref WireReader reader) => reader.ReadBytes(Hash256.Bytes) is { Length: Hash256.Bytes } bytes ? new Hash256(bytes) : default;
}
