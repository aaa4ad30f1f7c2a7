using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Polder.Net;

namespace Polder.Simulation;

/// <summary>
/// Folds every delivered datagram and its time into one value of 128 bits. The same seed and the same build must give the
/// same value, in every process: a difference means that chance from outside leaked in.
/// </summary>
public struct TraceHash
{
    private ulong _x, _y;

    internal static TraceHash New() => new() { _x = 0x243F6A8885A308D3, _y = 0x13198A2E03707344 };

    /// <summary>How many datagrams were folded in.</summary>
    public long Count { get; private set; }

    internal void Add(long time, Endpoint from, int node, ReadOnlySpan<byte> datagram)
    {
        Count++;
        Fold((ulong)time, unchecked((ulong)node << 32 ^ (uint)from.GetHashCode() ^ (ulong)datagram.Length << 48));
        while (datagram.Length >= 16)
        {
            Fold(BinaryPrimitives.ReadUInt64LittleEndian(datagram), BinaryPrimitives.ReadUInt64LittleEndian(datagram[8..]));
            datagram = datagram[16..];
        }
        ulong last = 0;
        for (var i = 0; i < Math.Min(8, datagram.Length); i++) last |= (ulong)datagram[i] << (8 * i);
        ulong veryLast = 0;
        for (var i = 8; i < datagram.Length; i++) veryLast |= (ulong)datagram[i] << (8 * (i - 8));
        Fold(last, veryLast);
    }

    private void Fold(ulong first, ulong second)
    {
        unchecked
        {
            _x = BitOperations.RotateLeft((_x ^ first) * 0x9E3779B97F4A7C15, 31) + _y;
            _y = BitOperations.RotateLeft((_y ^ second) * 0xC2B2AE3D27D4EB4F, 27) + _x;
        }
    }

    /// <summary>32 lower-case hex digits.</summary>
    public override readonly string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_x:x16}{_y:x16}");
}
