using System.Buffers.Binary;
using Polder.Overlay.Sessions;
using Polder.Wire;

namespace Polder.Overlay.Streams;

/// <summary>Which stream: bit 0 says who opened it (0 = the session's initiator), bit 1 whether it is one-way, the rest counts from 0.</summary>
internal readonly record struct StreamId(uint Value)
{
    private const uint OpenedByResponder = 1, OneWay = 2;

    /// <summary>Above it the count would not fit.</summary>
    public const uint CountMax = uint.MaxValue >> 2;

    public static StreamId Of(uint count, bool byInitiator, bool oneWay) =>
        new(count << 2 | (oneWay ? OneWay : 0) | (byInitiator ? 0 : OpenedByResponder));

    public uint Count => Value >> 2;
    public bool IsOneWay => (Value & OneWay) != 0;
    public bool IsByInitiator => (Value & OpenedByResponder) == 0;
}

/// <summary>Bytes of a stream at a place.</summary>
/// <remarks>Type 0x10. Body: <code>
/// offset  size  field
///      0     4  stream id
///      4     8  offset of the first byte; the top bit is FIN: the stream ends after these bytes
///     12     n  bytes
/// </code></remarks>
internal readonly ref struct StreamFrame
{
    public const int HeaderBytes = FrameHeader.Bytes + 12;
    public const ulong FinBit = 1ul << 63;

    /// <summary>No stream is longer.</summary>
    public const ulong OffsetMax = 1ul << 62;

    public StreamId Id { get; init; }
    public ulong Offset { get; init; }
    public bool Fin { get; init; }
    public ReadOnlySpan<byte> Data { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> body, out StreamFrame frame)
    {
        frame = default;
        if (body.Length < 12) return false;
        var place = BinaryPrimitives.ReadUInt64BigEndian(body[4..]);
        frame = new StreamFrame
        {
            Id = new StreamId(BinaryPrimitives.ReadUInt32BigEndian(body)),
            Offset = place & ~FinBit,
            Fin = (place & FinBit) != 0,
            Data = body[12..],
        };
        return frame.Offset + (ulong)frame.Data.Length <= OffsetMax && (frame.Data.Length > 0 || frame.Fin);
    }

    /// <summary>Writes everything before the bytes.</summary>
    public static void WriteHeader(Span<byte> frame, StreamId id, ulong offset, int length, bool fin)
    {
        FrameHeader.Write(frame, FrameType.Stream, 12 + length);
        BinaryPrimitives.WriteUInt32BigEndian(frame[3..], id.Value);
        BinaryPrimitives.WriteUInt64BigEndian(frame[7..], fin ? offset | FinBit : offset);
    }
}

/// <summary>The three bytes before every frame: type, length of the body.</summary>
internal static class FrameHeader
{
    public const int Bytes = 3;

    public static void Write(Span<byte> frame, FrameType type, int bodyBytes)
    {
        frame[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(frame[1..], checked((ushort)bodyBytes));
    }
}

/// <summary>Packets that arrived, the newest first.</summary>
/// <remarks>Type 0x11. Body: <code>
/// offset  size  field
///      0     1  epoch of the numbers, its lowest 8 bits
///      1     8  largest number
///      9     2  time since that packet arrived, in units of 8 µs
///     11     1  further ranges n, at most 31
///     12     4  packets in the first range, below the largest: 0 = it alone
///     16   8·n  each range: packets missing before it, less one (4); packets in it, less one (4)
/// </code></remarks>
internal static class AckFrame
{
    public const int HeaderBytes = 16;
    public const int BytesMax = FrameHeader.Bytes + HeaderBytes + 8 * (AckRanges.RangesMax - 1);
    private const int DelayUnitTicks = 80;

    /// <summary>Writes the whole frame and gives its length. Ranges that do not fit are left out.</summary>
    public static int Write(Span<byte> frame, uint epoch, ReadOnlySpan<PacketRange> ranges, TimeSpan delay)
    {
        var further = Math.Min(ranges.Length - 1, (frame.Length - FrameHeader.Bytes - HeaderBytes) / 8);
        var writer = new WireWriter(frame[FrameHeader.Bytes..]);
        writer.WriteByte(unchecked((byte)epoch));
        writer.WriteUInt64(ranges[0].Last);
        writer.WriteUInt16((ushort)Math.Clamp(delay.Ticks / DelayUnitTicks, 0, ushort.MaxValue));
        var countAt = writer.Position;
        writer.WriteByte(0);
        writer.WriteUInt32(Length(ranges[0]));
        var written = 0;
        for (; written < further; written++)
        {
            var gap = ranges[written].First - ranges[written + 1].Last - 2;
            if (gap > uint.MaxValue || ranges[written].Last - ranges[written].First > uint.MaxValue) break;
            writer.WriteUInt32((uint)gap);
            writer.WriteUInt32(Length(ranges[written + 1]));
        }
        frame[FrameHeader.Bytes + countAt] = (byte)written;
        FrameHeader.Write(frame, FrameType.Ack, writer.Position);
        return FrameHeader.Bytes + writer.Position;
    }

    /// <summary>Reads a body. The ranges go to the buffer, which takes <see cref="AckRanges.RangesMax"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, Span<PacketRange> ranges, out byte epoch, out int count, out TimeSpan delay)
    {
        var reader = new WireReader(body);
        epoch = reader.ReadByte();
        var largest = reader.ReadUInt64();
        delay = TimeSpan.FromTicks(reader.ReadUInt16() * DelayUnitTicks);
        count = reader.ReadByte() + 1;
        if (count > AckRanges.RangesMax) return false;
        var last = largest;
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                var gap = reader.ReadUInt32() + 2ul;
                if (gap > last) return false;
                last -= gap;
            }
            var length = reader.ReadUInt32();
            if (length > last) return false;
            ranges[i] = new PacketRange(last - length, last);
            last -= length;
        }
        return reader.Finish();
    }

    private static uint Length(PacketRange range) => (uint)Math.Min(uint.MaxValue, range.Last - range.First);
}

/// <summary>A frame about one stream or the connection, without bytes: MAX_DATA, MAX_STREAM, RESET, STOP_SENDING, MAX_STREAMS.</summary>
/// <remarks>Bodies: <code>
/// 0x12 MAX_DATA      total (8): bytes of all streams that may have been sent, by highest offsets
/// 0x13 MAX_STREAM    stream id (4), offset (8): first byte that must not be sent
/// 0x14 RESET         stream id (4), code (4), final offset (8): the sender gave up; nothing comes at or above the offset
/// 0x15 STOP_SENDING  stream id (4), code (4): the receiver wants no more
/// 0x16 MAX_STREAMS   count (4): streams that the receiver of this frame may have opened since the beginning
/// </code></remarks>
internal readonly record struct ControlFrame(FrameType Type, StreamId Id, uint Code, ulong Number)
{
    public const int BytesMax = FrameHeader.Bytes + 16;
    public const FrameType MaxStreams = (FrameType)0x16;

    public int Write(Span<byte> frame)
    {
        var writer = new WireWriter(frame[FrameHeader.Bytes..]);
        if (Type is FrameType.MaxStream or FrameType.Reset or FrameType.StopSending) writer.WriteUInt32(Id.Value);
        if (Type is FrameType.Reset or FrameType.StopSending or MaxStreams) writer.WriteUInt32(Code);
        if (Type is FrameType.MaxData or FrameType.MaxStream or FrameType.Reset) writer.WriteUInt64(Number);
        FrameHeader.Write(frame, Type, writer.Position);
        return FrameHeader.Bytes + writer.Position;
    }

    public static bool TryRead(FrameType type, ReadOnlySpan<byte> body, out ControlFrame frame)
    {
        var reader = new WireReader(body);
        var id = type is FrameType.MaxStream or FrameType.Reset or FrameType.StopSending ? reader.ReadUInt32() : 0;
        var code = type is FrameType.Reset or FrameType.StopSending or MaxStreams ? reader.ReadUInt32() : 0;
        var number = type is FrameType.MaxData or FrameType.MaxStream or FrameType.Reset ? reader.ReadUInt64() : 0;
        frame = new ControlFrame(type, new StreamId(id), code, number);
        return reader.Finish() && number <= StreamFrame.OffsetMax;
    }
}
