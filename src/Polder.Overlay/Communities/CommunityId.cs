using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polder.Overlay;

/// <summary>The 20 bytes that name an overlay (IPv8 "service id"). An ordered value.</summary>
public readonly record struct CommunityId : IComparable<CommunityId>
{
    /// <summary>Its size.</summary>
    public const int Bytes = 20;

    private readonly ulong _a, _b;
    private readonly uint _c;

    /// <summary>Takes exactly 20 bytes.</summary>
    public CommunityId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes) throw new ArgumentException("A CommunityId has 20 bytes.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>SHA-1 of a name, "polder/hello/1" for example: how new overlays get their id.</summary>
    public static CommunityId FromName(ReadOnlySpan<byte> name)
    {
        Span<byte> digest = stackalloc byte[Bytes];
        SHA1.HashData(name, digest);
        return new CommunityId(digest);
    }

    /// <summary>From 40 hex digits, as the reference implementations write their ids.</summary>
    public static CommunityId FromHex(string hex) => new(Convert.FromHexString(hex));

    /// <summary>Writes the 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], _c);
    }

    /// <inheritdoc/>
    public int CompareTo(CommunityId other) =>
        _a != other._a ? _a.CompareTo(other._a) : _b != other._b ? _b.CompareTo(other._b) : _c.CompareTo(other._c);

    /// <summary>Mixed from the id itself; the same value in every run.</summary>
    public override int GetHashCode() => unchecked((int)(_a ^ (_a >> 32) ^ _b) ^ (int)_c);

    /// <summary>40 lower-case hex digits.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x8}";

    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <(CommunityId left, CommunityId right) => left.CompareTo(right) < 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >(CommunityId left, CommunityId right) => left.CompareTo(right) > 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <=(CommunityId left, CommunityId right) => left.CompareTo(right) <= 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >=(CommunityId left, CommunityId right) => left.CompareTo(right) >= 0;
}
