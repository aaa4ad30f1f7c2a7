using System.Buffers.Binary;

namespace Polder.Identity;

/// <summary>SHA-1 of a public key in wire form, 20 bytes: IPv8's "mid". An ordered value.</summary>
public readonly record struct PeerId : IComparable<PeerId>
{
    /// <summary>Its size.</summary>
    public const int Bytes = 20;

    private readonly ulong _a, _b;
    private readonly uint _c;

    /// <summary>Takes exactly 20 bytes.</summary>
    public PeerId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes) throw new ArgumentException("A PeerId has 20 bytes.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>Writes the 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], _c);
    }

    /// <inheritdoc/>
    public int CompareTo(PeerId other) =>
        _a != other._a ? _a.CompareTo(other._a) : _b != other._b ? _b.CompareTo(other._b) : _c.CompareTo(other._c);

    /// <summary>Part of the digest; the same value in every run.</summary>
    public override int GetHashCode() => unchecked((int)_c);

    /// <summary>40 lower-case hex digits.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x8}";

    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;
}
