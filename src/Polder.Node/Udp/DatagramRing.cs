using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Polder.Net;

namespace Polder.Node.Udp;

/// <summary>
/// Datagrams between a receiving thread and the loop: one writer, one reader, one block of memory, no allocation.
/// A datagram that finds no room is refused; the writer counts it.
/// </summary>
/// <remarks>An entry, padded to 8 bytes: <code>
/// offset  size  field
///      0     4  length of the datagram, or −1: "go on at the start of the ring"
///      4     2  port, big-endian
///      6     2  bytes of the address: 4 or 16
///      8    16  address
///     24     n  datagram
/// </code></remarks>
internal sealed class DatagramRing
{
    private const int HeaderBytes = 24;

    private readonly byte[] _bytes;
    // Positions grow without end; the place is the position modulo the capacity, a power of two.
    private long _written, _read;

    public DatagramRing(int capacityBytes)
    {
        if (!System.Numerics.BitOperations.IsPow2(capacityBytes)) throw new ArgumentOutOfRangeException(nameof(capacityBytes));
        _bytes = GC.AllocateUninitializedArray<byte>(capacityBytes);
    }

    public bool IsEmpty => Volatile.Read(ref _written) == Volatile.Read(ref _read);

    /// <summary>Called by the receiving thread only.</summary>
    public bool TryWrite(ReadOnlySpan<byte> address, ushort port, ReadOnlySpan<byte> datagram)
    {
        var size = Padded(datagram.Length);
        var written = _written;
        var place = (int)(written & (_bytes.Length - 1));
        var untilEnd = _bytes.Length - place;
        var skip = untilEnd < size ? untilEnd : 0;
        if (written + skip + size - Volatile.Read(ref _read) > _bytes.Length) return false;
        if (skip > 0)
        {
            MemoryMarshal.Write(_bytes.AsSpan(place), -1);
            place = 0;
        }
        var entry = _bytes.AsSpan(place, size);
        MemoryMarshal.Write(entry, datagram.Length);
        BinaryPrimitives.WriteUInt16BigEndian(entry[4..], port);
        BinaryPrimitives.WriteUInt16BigEndian(entry[6..], (ushort)address.Length);
        address.CopyTo(entry[8..]);
        datagram.CopyTo(entry[HeaderBytes..]);
        Volatile.Write(ref _written, written + skip + size);
        return true;
    }

    /// <summary>Hands the oldest datagram to <paramref name="handler"/>; false when there is none. Called by the loop only.</summary>
    public bool TryRead(DatagramHandler? handler)
    {
        var read = _read;
        if (Volatile.Read(ref _written) == read) return false;
        var place = (int)(read & (_bytes.Length - 1));
        var length = MemoryMarshal.Read<int>(_bytes.AsSpan(place));
        if (length < 0)
        {
            read += _bytes.Length - place;
            place = 0;
            length = MemoryMarshal.Read<int>(_bytes);
        }
        var entry = _bytes.AsSpan(place, Padded(length));
        var port = BinaryPrimitives.ReadUInt16BigEndian(entry[4..]);
        var from = Endpoint.FromBytes(entry.Slice(8, BinaryPrimitives.ReadUInt16BigEndian(entry[6..])), port);
        try { handler?.Invoke(from, entry.Slice(HeaderBytes, length)); }
        finally { Volatile.Write(ref _read, read + entry.Length); }
        return true;
    }

    // A multiple of 8, so that a header's length always fits before the end of the ring.
    private static int Padded(int datagramBytes) => (HeaderBytes + datagramBytes + 7) & ~7;
}
