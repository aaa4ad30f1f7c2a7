using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Polder.Cryptography;

/// <summary>A SHA-256 digest, 32 bytes, ordered as a big-endian number.</summary>
public readonly record struct Hash256 : IComparable<Hash256>
{
    /// <summary>Its size.</summary>
    public const int Bytes = 32;

    private readonly ulong _a, _b, _c, _d;

    /// <summary>Takes exactly 32 bytes.</summary>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes) throw new ArgumentException("A Hash256 has 32 bytes.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>SHA-256 of <paramref name="data"/>.</summary>
    public static Hash256 Of(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[Bytes];
        SHA256.HashData(data, digest);
        return new Hash256(digest);
    }

    /// <summary>The first 8 bytes as a number: a short key for indexes, never for decisions.</summary>
    public ulong Head => _a;

    private Hash256(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    /// <summary>How far two digests are apart as a DHT measures it: the exclusive or of both.</summary>
    public Hash256 DistanceTo(in Hash256 other) => new(_a ^ other._a, _b ^ other._b, _c ^ other._c, _d ^ other._d);

    /// <summary>With how many equal bits both begin; 256 for equal ones.</summary>
    public int CommonPrefix(in Hash256 other) =>
        _a != other._a ? BitOperations.LeadingZeroCount(_a ^ other._a) : _b != other._b ? 64 + BitOperations.LeadingZeroCount(_b ^ other._b)
        : _c != other._c ? 128 + BitOperations.LeadingZeroCount(_c ^ other._c) : 192 + BitOperations.LeadingZeroCount(_d ^ other._d);

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>The 32 bytes in an array of their own.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Bytes];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public int CompareTo(Hash256 other) =>
        _a != other._a ? _a.CompareTo(other._a) : _b != other._b ? _b.CompareTo(other._b)
        : _c != other._c ? _c.CompareTo(other._c) : _d.CompareTo(other._d);

    /// <summary>The digest itself is a good hash; no salt, so the value is the same in every run.</summary>
    public override int GetHashCode() => unchecked((int)_d);

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x16}{_d:x16}";

    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <(Hash256 left, Hash256 right) => left.CompareTo(right) < 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >(Hash256 left, Hash256 right) => left.CompareTo(right) > 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <=(Hash256 left, Hash256 right) => left.CompareTo(right) <= 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >=(Hash256 left, Hash256 right) => left.CompareTo(right) >= 0;
}
