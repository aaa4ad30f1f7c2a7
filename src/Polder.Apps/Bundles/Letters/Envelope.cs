using System.Diagnostics.CodeAnalysis;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>What everybody who carries a letter sees of it: the first 62 bytes. What it hides is in <see cref="SealedLetter"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1     1  size class: the box holds 256, 384, 512, 768 … bytes of text (docs/wire/mailbag.md)
///      2     4  expires, seconds since 1970, a whole hour
///      6     8  hint: the first 8 bytes of SHA-256("polder mail hint 1" | receiver's key (74) | ephemeral key)
///     14    16  lock: the first 16 bytes of SHA-256 of the proof that only its sender and its receiver can compute
///     30    32  ephemeral X25519 key
///     62   n+16 box: ChaCha20-Poly1305
/// </code></remarks>
/// <param name="Class">Its size class.</param>
/// <param name="Expires">When it ends, in seconds since 1970.</param>
/// <param name="Hint">Whose it is, for those who know the receiver's key; another for every letter.</param>
/// <param name="Lock">Opened by a <see cref="DeliveryProof"/>.</param>
/// <param name="Ephemeral">The key made for this letter.</param>
internal sealed record Envelope(int Class, uint Expires, ulong Hint, UInt128 Lock, Hash256 Ephemeral)
{
    public const int HeaderBytes = 62, TagBytes = 16;

    /// <summary>The largest letter.</summary>
    public static int BytesMax { get; } = HeaderBytes + SizeClass.BytesOf(SizeClass.Max) + TagBytes;

    /// <summary>Bytes of the whole letter.</summary>
    public int Bytes => HeaderBytes + SizeClass.BytesOf(Class) + TagBytes;

    /// <summary>Reads the header of a whole letter and checks its length; the box is not looked at.</summary>
    public static bool TryRead(ReadOnlySpan<byte> letter, [NotNullWhen(true)] out Envelope? envelope)
    {
        envelope = null;
        if (letter.Length < HeaderBytes || !TryReadHeader(letter[..HeaderBytes], out var read) || letter.Length != read.Bytes) return false;
        envelope = read;
        return true;
    }

    /// <summary>Reads the header alone.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> header, [NotNullWhen(true)] out Envelope? envelope)
    {
        envelope = null;
        var reader = new WireReader(header);
        reader.Require(reader.ReadByte() == 1, WireError.UnknownTag);
        var sizeClass = reader.ReadByte();
        reader.Require(sizeClass <= SizeClass.Max, WireError.TooLong);
        var (expires, hint) = (reader.ReadUInt32(), reader.ReadUInt64());
        var @lock = new UInt128(reader.ReadUInt64(), reader.ReadUInt64());
        var ephemeral = reader.ReadBytes(Hash256.Bytes);
        if (!reader.Finish()) return false;
        envelope = new Envelope(sizeClass, expires, hint, @lock, new Hash256(ephemeral));
        return true;
    }

    public void Write(Span<byte> header)
    {
        var writer = new WireWriter(header);
        writer.WriteByte(1);
        writer.WriteByte((byte)Class);
        writer.WriteUInt32(Expires);
        writer.WriteUInt64(Hint);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), Lock);
        Ephemeral.CopyTo(writer.Reserve(Hash256.Bytes));
    }

    /// <summary>Whether the hint means this receiver.</summary>
    public bool IsFor(PublicKey receiver) => HintOf(receiver, Ephemeral) == Hint;

    /// <summary>How a letter under this ephemeral key names its receiver.</summary>
    public static ulong HintOf(PublicKey receiver, Hash256 ephemeral)
    {
        Span<byte> text = stackalloc byte[18 + KeyFormat.Bytes + Hash256.Bytes];
        "polder mail hint 1"u8.CopyTo(text);
        receiver.Bytes.CopyTo(text[18..]);
        ephemeral.CopyTo(text[(18 + KeyFormat.Bytes)..]);
        return Hash256.Of(text).Head;
    }
}

/// <summary>Shows that a letter was opened: 32 bytes that only its sender and its receiver can compute, and that fit the lock on its envelope.</summary>
/// <param name="Value">The bytes.</param>
internal readonly record struct DeliveryProof(Hash256 Value)
{
    /// <summary>What stands on the envelope.</summary>
    public UInt128 Lock
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Hash256.Bytes];
            Value.CopyTo(bytes);
            Hash256.Of(bytes).CopyTo(bytes);
            return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        }
    }
}
