using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Polder.Cryptography;

namespace Polder.Identity;

/// <summary>A peer's public key in IPv8's normal form (<see cref="KeyFormat"/>), 74 bytes. It is the peer's address and name.</summary>
public sealed class PublicKey : IEquatable<PublicKey>, IComparable<PublicKey>
{
    private readonly byte[] _bytes;
    private PeerId? _id;
    private Hash256? _nodeId;

    private PublicKey(byte[] bytes) => _bytes = bytes;

    /// <summary>Reads a key; refuses everything that is not exactly 74 bytes with the tag "LibNaCLPK:".</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicKey? key)
    {
        key = HasRightForm(bytes) ? new PublicKey(bytes.ToArray()) : null;
        return key is not null;
    }

    /// <summary>Reads 148 hex digits.</summary>
    public static bool TryParseHex(string text, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        Span<byte> bytes = stackalloc byte[KeyFormat.Bytes];
        return text.Length == 2 * KeyFormat.Bytes
            && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done
            && TryParse(bytes, out key);
    }

    /// <summary>Whether these bytes have the length and the tag of a normal key.</summary>
    public static bool HasRightForm(ReadOnlySpan<byte> bytes) =>
        bytes.Length == KeyFormat.Bytes && bytes.StartsWith(KeyFormat.PublicTag);

    internal static PublicKey FromHalves(ReadOnlySpan<byte> box, ReadOnlySpan<byte> signing)
    {
        var bytes = new byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(bytes);
        box.CopyTo(bytes.AsSpan(KeyFormat.TagBytes));
        signing.CopyTo(bytes.AsSpan(KeyFormat.SigningOffset));
        return new PublicKey(bytes);
    }

    /// <summary>The 74 bytes as they go over the wire.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The X25519 half, 32 bytes: for sealed boxes and key agreement.</summary>
    public ReadOnlySpan<byte> BoxKey => _bytes.AsSpan(KeyFormat.TagBytes, 32);

    /// <summary>The Ed25519 half, 32 bytes: for signatures.</summary>
    public ReadOnlySpan<byte> SigningKey => _bytes.AsSpan(KeyFormat.SigningOffset, 32);

    /// <summary>
    /// Whether somebody can hold this key: both halves are points that a secret leads to, none that everybody or nobody can use. For keys that people
    /// hand over; whoever signed or made a session has proved it.
    /// </summary>
    public bool IsSound()
    {
        Span<byte> secret = stackalloc byte[X25519.KeyBytes], shared = stackalloc byte[X25519.KeyBytes];
        secret[0] = 8;
        return Ed25519.IsPoint(SigningKey) && X25519.TryAgree(secret, BoxKey, shared);
    }

    /// <summary>SHA-1 of the 74 bytes (IPv8 "mid").</summary>
    public PeerId Id
    {
        get
        {
            if (_id is { } known) return known;
            Span<byte> digest = stackalloc byte[PeerId.Bytes];
            SHA1.HashData(_bytes, digest);
            var id = new PeerId(digest);
            _id = id;
            return id;
        }
    }

    /// <summary>SHA-256 of the 74 bytes: the address in our own overlays.</summary>
    public Hash256 NodeId
    {
        get
        {
            if (_nodeId is { } known) return known;
            var id = Hash256.Of(_bytes);
            _nodeId = id;
            return id;
        }
    }

    /// <summary>
    /// A name for people: the first 50 bits of <see cref="NodeId"/> as five groups of two base32 letters, "ab-cd-ef-gh-ij".
    /// Names can collide on purpose; they never decide anything.
    /// </summary>
    public string ShortName
    {
        get
        {
            const string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
            var bits = NodeId.Head >> 14;
            return string.Create(14, bits, static (text, value) =>
            {
                for (var i = 9; i >= 0; i--, value >>= 5) text[i + i / 2] = alphabet[(int)(value & 31)];
                for (var i = 2; i < 14; i += 3) text[i] = '-';
            });
        }
    }

    /// <inheritdoc/>
    public bool Equals(PublicKey? other) => other is not null && (ReferenceEquals(this, other) || _bytes.AsSpan().SequenceEqual(other._bytes));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    /// <summary>From bytes of the key itself: the same in every run.</summary>
    public override int GetHashCode() => HashOf(_bytes);

    /// <inheritdoc/>
    public int CompareTo(PublicKey? other) => other is null ? 1 : _bytes.AsSpan().SequenceCompareTo(other._bytes);

    /// <summary>148 lower-case hex digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);

    /// <summary>Compares keys with each other and with bytes just received, so that known peers are found without an allocation.</summary>
    public static IEqualityComparer<PublicKey> Comparer { get; } = new KeyComparer();

    private static int HashOf(ReadOnlySpan<byte> bytes) =>
        unchecked(BinaryPrimitives.ReadInt32LittleEndian(bytes[KeyFormat.TagBytes..])
            ^ BinaryPrimitives.ReadInt32LittleEndian(bytes[KeyFormat.SigningOffset..]) * 31);

    private sealed class KeyComparer : IEqualityComparer<PublicKey>, IAlternateEqualityComparer<ReadOnlySpan<byte>, PublicKey>
    {
        public bool Equals(PublicKey? x, PublicKey? y) => x is null ? y is null : x.Equals(y);
        public int GetHashCode(PublicKey key) => key.GetHashCode();
        public bool Equals(ReadOnlySpan<byte> alternate, PublicKey other) => alternate.SequenceEqual(other._bytes);
        public int GetHashCode(ReadOnlySpan<byte> alternate) => alternate.Length == KeyFormat.Bytes ? HashOf(alternate) : 0;
        public PublicKey Create(ReadOnlySpan<byte> alternate) => new(alternate.ToArray());
    }

    /// <summary>Order of the bytes.</summary>
    public static bool operator <(PublicKey left, PublicKey right) => left.CompareTo(right) < 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator >(PublicKey left, PublicKey right) => left.CompareTo(right) > 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator <=(PublicKey left, PublicKey right) => left.CompareTo(right) <= 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator >=(PublicKey left, PublicKey right) => left.CompareTo(right) >= 0;
    /// <summary>Equality of the bytes.</summary>
    public static bool operator ==(PublicKey? left, PublicKey? right) => left is null ? right is null : left.Equals(right);
    /// <summary>Inequality of the bytes.</summary>
    public static bool operator !=(PublicKey? left, PublicKey? right) => !(left == right);
}
