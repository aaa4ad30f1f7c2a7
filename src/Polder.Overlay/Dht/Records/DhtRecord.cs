using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Discovery;
using Polder.Wire;

namespace Polder.Overlay.Dht;

/// <summary>One record of our DHT: read, and checked when it came from others. Immutable.</summary>
/// <remarks><code>
/// immutable   01 | value (rest, at most 1000)
/// mutable     02 | public key 64 | salt 1+n (at most 32) | sequence 8 | expiry 8 | value 2+n (at most 1000) | signature 64
/// contact     03 | public key 64 |                          sequence 8 | expiry 8 | value 2+n               | signature 64
/// membership  04 | topic 32 | public key 64 |               sequence 8 | expiry 8 | value 2+n (at most 256) | signature 64
/// </code>The signature covers "polder-dht-1", the network id (16), the kind, salt with its length or topic, sequence, expiry, and the value. The
/// expiry is Unix time in seconds by the publisher's clock; a holder goes by the age that it was told, and refuses only what expired
/// a day ago (OV-4.7). The whole record has at most 1006 bytes, so that an answer with it fits into 1200.</remarks>
public sealed class DhtRecord
{
    /// <summary>Bytes of a record at most.</summary>
    public const int BytesMax = 1006;
    /// <summary>Bytes of a value at most.</summary>
    public const int ValueBytesMax = 1000;
    /// <summary>Bytes of a salt at most.</summary>
    public const int SaltBytesMax = 32;
    /// <summary>Bytes of the value of a membership at most.</summary>
    public const int MembershipBytesMax = 256;

    private const int NetworkBytes = 16;
    private const int KeyBytes = KeyFormat.Bytes - KeyFormat.TagBytes;
    private static ReadOnlySpan<byte> Domain => "polder-dht-1"u8;
    private static ReadOnlySpan<byte> ContactSalt => "contact"u8;

    private DhtRecord(byte[] bytes, RecordKind kind, Hash256 key, PublicKey? publisher, ulong sequence, ulong expiry, int valueOffset, int valueBytes)
    {
        (_bytes, Kind, Key, Publisher, Sequence, ExpiryUnixSeconds) = (bytes, kind, key, publisher, sequence, expiry);
        (_valueOffset, _valueBytes) = (valueOffset, valueBytes);
    }

    private readonly byte[] _bytes;
    private readonly int _valueOffset, _valueBytes;

    /// <summary>What it is.</summary>
    public RecordKind Kind { get; }
    /// <summary>Where it belongs.</summary>
    public Hash256 Key { get; }
    /// <summary>Who signed it; null for an immutable one.</summary>
    public PublicKey? Publisher { get; }
    /// <summary>The higher one wins; 0 for an immutable one.</summary>
    public ulong Sequence { get; }
    /// <summary>By the publisher's clock; 0 for an immutable one.</summary>
    public ulong ExpiryUnixSeconds { get; }
    /// <summary>What it says.</summary>
    public ReadOnlyMemory<byte> Value => _bytes.AsMemory(_valueOffset, _valueBytes);
    /// <summary>The record on the wire.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    internal ReadOnlyMemory<byte> Memory => _bytes;

    /// <summary>The key of a value that nobody can change.</summary>
    public static Hash256 KeyOf(ReadOnlySpan<byte> value) => Hash256.Of(value);

    /// <summary>The key of a publisher's record with this salt (at most 32 bytes).</summary>
    public static Hash256 KeyOf(PublicKey publisher, ReadOnlySpan<byte> salt)
    {
        ArgumentNullException.ThrowIfNull(publisher);
        Span<byte> joined = stackalloc byte[KeyFormat.Bytes + SaltBytesMax];
        publisher.Bytes.CopyTo(joined);
        salt.CopyTo(joined[KeyFormat.Bytes..]);
        return Hash256.Of(joined[..(KeyFormat.Bytes + salt.Length)]);
    }

    /// <summary>The key of a publisher's contact record.</summary>
    public static Hash256 KeyOfContact(PublicKey publisher) => KeyOf(publisher, ContactSalt);

    /// <summary>The key of a topic that people name.</summary>
    public static Hash256 KeyOfTopic(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Hash256.Of([.. "topic:"u8, .. System.Text.Encoding.UTF8.GetBytes(name)]);
    }

    /// <summary>A record that nobody can change. More than 1000 bytes throw.</summary>
    public static DhtRecord Immutable(ReadOnlySpan<byte> value)
    {
        if (value.Length > ValueBytesMax) throw TooLong(value.Length, ValueBytesMax);
        byte[] bytes = [(byte)RecordKind.Immutable, .. value];
        return new DhtRecord(bytes, RecordKind.Immutable, KeyOf(value), null, 0, 0, 1, value.Length);
    }

    /// <summary>A signed record. A value or salt that is too long throws.</summary>
    internal static DhtRecord Sign(
        RecordKind kind, ReadOnlySpan<byte> saltOrTopic, ulong sequence, ulong expiry, ReadOnlySpan<byte> value, NetworkId network, KeyPair signer, ISignatures signatures)
    {
        var max = kind == RecordKind.Membership ? MembershipBytesMax : Math.Min(ValueBytesMax, BytesMax - 1 - KeyBytes - 1 - saltOrTopic.Length - 18 - Ed25519.SignatureBytes);
        if (value.Length > max) throw TooLong(value.Length, max);
        if (kind == RecordKind.Mutable && saltOrTopic.Length > SaltBytesMax) throw new ArgumentException($"A salt has at most {SaltBytesMax} bytes.", nameof(saltOrTopic));
        Span<byte> buffer = stackalloc byte[BytesMax];
        var writer = new WireWriter(buffer);
        writer.WriteByte((byte)kind);
        if (kind == RecordKind.Membership) writer.WriteBytes(saltOrTopic);
        writer.WriteBytes(signer.Public.Bytes[KeyFormat.TagBytes..]);
        if (kind == RecordKind.Mutable) writer.WriteBytes8(saltOrTopic);
        writer.WriteUInt64(sequence);
        writer.WriteUInt64(expiry);
        writer.WriteBytes16(value);
        Span<byte> signed = stackalloc byte[SignedBytesMax];
        var length = WriteSigned(signed, network, kind, saltOrTopic, sequence, expiry, value);
        signatures.Sign(signer, signed[..length], writer.Reserve(Ed25519.SignatureBytes));
        var bytes = writer.Written.ToArray();
        var key = kind switch
        {
            RecordKind.Membership => new Hash256(saltOrTopic),
            RecordKind.Contact => KeyOfContact(signer.Public),
            _ => KeyOf(signer.Public, saltOrTopic),
        };
        return new DhtRecord(bytes, kind, key, signer.Public, sequence, expiry, bytes.Length - Ed25519.SignatureBytes - value.Length, value.Length);
    }

    /// <summary>
    /// Reads a record and checks that it is what its key says: the hash, or the signature. Nothing is kept, passed on or shown before
    /// (OV-10.2). <paramref name="known"/> turns 74 bytes into a key that somebody holds already, so that it is not made twice.
    /// </summary>
    internal static bool TryRead(
        ReadOnlySpan<byte> bytes, NetworkId network, ISignatures signatures, [NotNullWhen(true)] out DhtRecord? record, Func<ReadOnlySpan<byte>, PublicKey?>? known = null)
    {
        record = null;
        if (bytes.Length is 0 or > BytesMax) return false;
        var kind = (RecordKind)bytes[0];
        if (kind == RecordKind.Immutable)
        {
            if (bytes.Length > 1 + ValueBytesMax) return false;
            record = new DhtRecord(bytes.ToArray(), kind, KeyOf(bytes[1..]), null, 0, 0, 1, bytes.Length - 1);
            return true;
        }
        if (kind is not (RecordKind.Mutable or RecordKind.Contact or RecordKind.Membership)) return false;
        var reader = new WireReader(bytes[1..]);
        var topic = kind == RecordKind.Membership ? reader.ReadBytes(Hash256.Bytes) : default;
        var half = reader.ReadBytes(KeyBytes);
        var salt = kind == RecordKind.Mutable ? reader.ReadBytes8(SaltBytesMax) : default;
        var (sequence, expiry) = (reader.ReadUInt64(), reader.ReadUInt64());
        var value = reader.ReadBytes16(kind == RecordKind.Membership ? MembershipBytesMax : ValueBytesMax);
        var valueOffset = 1 + reader.Position - value.Length;
        var signature = reader.ReadBytes(Ed25519.SignatureBytes);
        if (!reader.Finish()) return false;
        Span<byte> whole = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(whole);
        half.CopyTo(whole[KeyFormat.TagBytes..]);
        var publisher = known?.Invoke(whole);
        if (publisher is null && !PublicKey.TryParse(whole, out publisher)) return false;
        Span<byte> signed = stackalloc byte[SignedBytesMax];
        var saltOrTopic = kind == RecordKind.Membership ? topic : salt;
        if (!signatures.Verify(publisher, signed[..WriteSigned(signed, network, kind, saltOrTopic, sequence, expiry, value)], signature)) return false;
        var key = kind switch
        {
            RecordKind.Membership => new Hash256(topic),
            RecordKind.Contact => KeyOfContact(publisher),
            _ => KeyOf(publisher, salt),
        };
        record = new DhtRecord(bytes.ToArray(), kind, key, publisher, sequence, expiry, valueOffset, value.Length);
        return true;
    }

    /// <summary>Whether both are for the same place: same key, same publisher.</summary>
    internal bool SamePlace(DhtRecord other) => Kind == other.Kind && Key == other.Key && Publisher == other.Publisher;

    /// <summary>Whether a publisher signed two different values with one sequence number: both together prove it.</summary>
    internal bool Contradicts(DhtRecord other) =>
        Publisher is not null && SamePlace(other) && Sequence == other.Sequence && !Value.Span.SequenceEqual(other.Value.Span);

    private const int SignedBytesMax = 12 + NetworkBytes + 1 + 1 + 32 + 16 + ValueBytesMax;

    private static int WriteSigned(Span<byte> to, NetworkId network, RecordKind kind, ReadOnlySpan<byte> saltOrTopic, ulong sequence, ulong expiry, ReadOnlySpan<byte> value)
    {
        var writer = new WireWriter(to);
        writer.WriteBytes(Domain);
        BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(NetworkBytes), network.Value);
        writer.WriteByte((byte)kind);
        writer.WriteBytes8(kind == RecordKind.Contact ? default : saltOrTopic);
        writer.WriteUInt64(sequence);
        writer.WriteUInt64(expiry);
        writer.WriteBytes(value);
        return writer.Position;
    }

    private static ArgumentException TooLong(int bytes, int max) => new($"A value of this kind has at most {max} bytes; this one has {bytes}.");
}
