using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay;

/// <summary>The frame of every IPv8 datagram: how it is cut, signed and checked.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  00 02
///      2    20  community id
///     22     1  message id
///     23     2  length of the public key, 74     (signed messages only)
///     25    74  public key                       (signed messages only)
///      .     8  global time                      (MessageForm.GlobalTime only)
///      .     n  fields
///      .    64  Ed25519 signature over everything before it (signed messages only)
/// </code></remarks>
public static class Packet
{
    /// <summary>Bytes of version and community id.</summary>
    public const int PrefixBytes = 22;
    /// <summary>Bytes before the body: prefix and message id.</summary>
    public const int HeaderBytes = 23;
    /// <summary>Bytes of a normal key with its length.</summary>
    public const int AuthBytes = 2 + KeyFormat.Bytes;
    /// <summary>The smallest signed packet: header, key, signature.</summary>
    public const int SignedBytesMin = HeaderBytes + AuthBytes + Ed25519.SignatureBytes;
    /// <summary>Bytes of the global time.</summary>
    public const int GlobalTimeBytes = 8;

    /// <summary>Whether a datagram has the header of an IPv8 packet; version 02 is the only one.</summary>
    public static bool HasHeader(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderBytes && datagram[0] == 0 && datagram[1] == 2;

    /// <summary>The community id of a datagram that has a header.</summary>
    public static CommunityId CommunityOf(ReadOnlySpan<byte> datagram) => new(datagram.Slice(2, CommunityId.Bytes));

    /// <summary>The message id of a datagram that has a header.</summary>
    public static byte NumberOf(ReadOnlySpan<byte> datagram) => datagram[PrefixBytes];

    /// <summary>Writes a signed packet and returns its length. A message that does not fit throws.</summary>
    public static int WriteSigned<T>(
        Span<byte> buffer, CommunityId community, MessageForm form, ulong globalTime, T message, KeyPair signer, ISignatures signatures)
        where T : struct, IMessage<T>
    {
        var writer = new WireWriter(buffer);
        WriteHeader(ref writer, community, T.Number);
        writer.WriteBytes16(signer.Public.Bytes);
        if (form == MessageForm.GlobalTime) writer.WriteUInt64(globalTime);
        message.Write(ref writer);
        var signed = writer.Position;
        signatures.Sign(signer, buffer[..signed], writer.Reserve(Ed25519.SignatureBytes));
        return writer.Position;
    }

    /// <summary>Writes a signed packet of fields that were written before and returns its length. Fields that do not fit throw.</summary>
    internal static int WriteSigned(
        Span<byte> buffer, CommunityId community, byte number, MessageForm form, ulong globalTime, ReadOnlySpan<byte> fields, KeyPair signer, ISignatures signatures)
    {
        var writer = new WireWriter(buffer);
        WriteHeader(ref writer, community, number);
        writer.WriteBytes16(signer.Public.Bytes);
        if (form == MessageForm.GlobalTime) writer.WriteUInt64(globalTime);
        writer.WriteBytes(fields);
        var signed = writer.Position;
        signatures.Sign(signer, buffer[..signed], writer.Reserve(Ed25519.SignatureBytes));
        return writer.Position;
    }

    /// <summary>Writes an unsigned packet and returns its length. A message that does not fit throws.</summary>
    public static int WriteUnsigned<T>(Span<byte> buffer, CommunityId community, MessageForm form, ulong globalTime, T message)
        where T : struct, IMessage<T>
    {
        var writer = new WireWriter(buffer);
        WriteHeader(ref writer, community, T.Number);
        if (form == MessageForm.GlobalTime) writer.WriteUInt64(globalTime);
        message.Write(ref writer);
        return writer.Position;
    }

    /// <summary>
    /// Cuts a signed packet with a key of the normal type, without checking the signature. The error says what is wrong:
    /// too short, or a key that is none of ours to read (see <see cref="LegacyKey"/>).
    /// </summary>
    public static WireError CutSigned(ReadOnlySpan<byte> datagram, MessageForm form, out SignedPacket packet)
    {
        packet = default;
        if (!HasHeader(datagram) || datagram.Length < HeaderBytes + 2) return WireError.Truncated;
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[HeaderBytes..]) != KeyFormat.Bytes) return WireError.BadKey;
        var fieldsOffset = HeaderBytes + AuthBytes + (form == MessageForm.GlobalTime ? GlobalTimeBytes : 0);
        if (datagram.Length < fieldsOffset + Ed25519.SignatureBytes) return WireError.Truncated;
        var key = datagram.Slice(HeaderBytes + 2, KeyFormat.Bytes);
        if (!PublicKey.HasRightForm(key)) return WireError.BadKey;
        var signed = datagram[..^Ed25519.SignatureBytes];
        packet = new SignedPacket
        {
            Key = key,
            GlobalTime = form == MessageForm.GlobalTime ? BinaryPrimitives.ReadUInt64BigEndian(datagram[(HeaderBytes + AuthBytes)..]) : 0,
            Fields = signed[fieldsOffset..],
            SignedBytes = signed,
            Signature = datagram[signed.Length..],
        };
        return WireError.None;
    }

    /// <summary>Cuts an unsigned packet.</summary>
    public static WireError CutUnsigned(ReadOnlySpan<byte> datagram, MessageForm form, out ulong globalTime, out ReadOnlySpan<byte> fields)
    {
        globalTime = 0;
        fields = default;
        if (!HasHeader(datagram)) return WireError.Truncated;
        fields = datagram[HeaderBytes..];
        if (form == MessageForm.Plain) return WireError.None;
        if (fields.Length < GlobalTimeBytes) return WireError.Truncated;
        globalTime = BinaryPrimitives.ReadUInt64BigEndian(fields);
        fields = fields[GlobalTimeBytes..];
        return WireError.None;
    }

    /// <summary>Reads the fields of a message; every byte must be used.</summary>
    public static WireError Read<T>(ReadOnlySpan<byte> fields, out T message) where T : struct, IMessage<T>
    {
        var reader = new WireReader(fields);
        message = T.Read(ref reader);
        reader.Finish();
        return reader.Error;
    }

    private static void WriteHeader(ref WireWriter writer, CommunityId community, byte number)
    {
        writer.WriteUInt16(2);
        community.CopyTo(writer.Reserve(CommunityId.Bytes));
        writer.WriteByte(number);
    }
}

/// <summary>A signed packet, cut into its parts. The spans point into the datagram.</summary>
public readonly ref struct SignedPacket
{
    /// <summary>The signer's public key, 74 bytes of the right form.</summary>
    public ReadOnlySpan<byte> Key { get; init; }
    /// <summary>The sender's counter; 0 in the plain form. Noise: nothing may depend on it.</summary>
    public ulong GlobalTime { get; init; }
    /// <summary>The message's fields.</summary>
    public ReadOnlySpan<byte> Fields { get; init; }
    /// <summary>What the signature covers.</summary>
    public ReadOnlySpan<byte> SignedBytes { get; init; }
    /// <summary>64 bytes.</summary>
    public ReadOnlySpan<byte> Signature { get; init; }
}
