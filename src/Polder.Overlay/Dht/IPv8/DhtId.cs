using System.Buffers.Binary;
using System.Numerics;
using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>A key or a node id of IPv8's DHT: 160 bits, ordered as a big-endian number.</summary>
public readonly record struct DhtId : IComparable<DhtId>
{
    /// <summary>Its size.</summary>
    public const int Bytes = 20;

    /// <summary>Its size in bits.</summary>
    public const int Bits = 160;

    private readonly ulong _a, _b;
    private readonly uint _c;

    private DhtId(ulong a, ulong b, uint c) => (_a, _b, _c) = (a, b, c);

    /// <summary>Takes exactly 20 bytes.</summary>
    public DhtId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes) throw new ArgumentException("A DhtId has 20 bytes.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>The key under which a peer is stored: its mid.</summary>
    public static DhtId Of(PeerId mid)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        mid.CopyTo(bytes);
        return new DhtId(bytes);
    }

    /// <summary>
    /// The id of a node at an address: 3 bytes of CRC-32 over the masked address, then 17 of the mid. It is computed by whoever sees the
    /// address, never read; port and host part do not count.
    /// </summary>
    public static DhtId OfNode(Endpoint address, PeerId mid)
    {
        ReadOnlySpan<byte> mask4 = [0x03, 0x0F, 0x3F, 0xFF], mask6 = [0x01, 0x03, 0x07, 0x0F, 0x1F, 0x3F, 0x7F, 0xFF];
        Span<byte> masked = stackalloc byte[16];
        var mask = address.WriteAddress(masked) == 4 ? mask4 : mask6;
        for (var i = 0; i < mask.Length; i++) masked[i] &= mask[i];
        var crc = Crc32(masked[..mask.Length]);
        Span<byte> bytes = stackalloc byte[3 + PeerId.Bytes];
        mid.CopyTo(bytes[3..]);
        (bytes[0], bytes[1], bytes[2]) = ((byte)(crc >> 24), (byte)(crc >> 16 & 0xFF), (byte)(crc >> 8 & 0xFF));
        return new DhtId(bytes[..Bytes]);
    }

    /// <summary>Any id of those that begin with the first <paramref name="bits"/> bits of <paramref name="prefix"/>.</summary>
    internal static DhtId Random(Prng random, DhtId prefix, int bits)
    {
        Span<byte> bytes = stackalloc byte[Bytes], kept = stackalloc byte[Bytes];
        random.Fill(bytes);
        prefix.CopyTo(kept);
        for (var i = 0; i < bits; i++)
        {
            var mask = (byte)(0x80 >> (i % 8));
            bytes[i / 8] = (byte)((bytes[i / 8] & ~mask) | (kept[i / 8] & mask));
        }
        return new DhtId(bytes);
    }

    /// <summary>Writes the 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], _c);
    }

    /// <summary>How far two ids are apart: the exclusive or of both.</summary>
    public DhtId DistanceTo(DhtId other) => new(_a ^ other._a, _b ^ other._b, _c ^ other._c);

    /// <summary>With how many equal bits both begin.</summary>
    public int CommonPrefix(DhtId other) =>
        _a != other._a ? BitOperations.LeadingZeroCount(_a ^ other._a)
        : _b != other._b ? 64 + BitOperations.LeadingZeroCount(_b ^ other._b)
        : 128 + BitOperations.LeadingZeroCount(_c ^ other._c);

    /// <summary>The bit at this place, counted from the front.</summary>
    public bool Bit(int index) =>
        index < 64 ? (_a >> (63 - index) & 1) != 0 : index < 128 ? (_b >> (127 - index) & 1) != 0 : (_c >> (159 - index) & 1) != 0;

    /// <inheritdoc/>
    public int CompareTo(DhtId other) =>
        _a != other._a ? _a.CompareTo(other._a) : _b != other._b ? _b.CompareTo(other._b) : _c.CompareTo(other._c);

    /// <summary>Part of the id; the same value in every run.</summary>
    public override int GetHashCode() => unchecked((int)(_c ^ _b ^ (_a >> 32)));

    /// <summary>40 lower-case hex digits.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x8}";

    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <(DhtId left, DhtId right) => left.CompareTo(right) < 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >(DhtId left, DhtId right) => left.CompareTo(right) > 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator <=(DhtId left, DhtId right) => left.CompareTo(right) <= 0;
    /// <summary>Order as big-endian numbers.</summary>
    public static bool operator >=(DhtId left, DhtId right) => left.CompareTo(right) >= 0;

    /// <summary>The ordinary CRC-32 (zlib, reflected EDB88320). Four or eight bytes a node: no table is worth it.</summary>
    internal static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
