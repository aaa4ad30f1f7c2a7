#pragma warning disable xUnit1051 // virtual time: nothing is waited for
using Polder.Overlay.Content;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Runtime;
using Polder.Tests.Contracts;

namespace Polder.Tests.Overlay.Streams;

/// <summary>Every decoder of streams and content takes any bytes; round trips give back what went in.</summary>
public sealed class StreamFuzzTests
{
    private static readonly FrameType[] Controls = [FrameType.MaxData, FrameType.MaxStream, FrameType.Reset, FrameType.StopSending, ControlFrame.MaxStreams];

    [Fact]
    public void Fuzz_stream_frames() => Fuzz.Run("stream frame", [Stream(4, 77, [1, 2, 3], false), Stream(7, 1ul << 61, [], true)], static bytes => StreamFrame.TryRead(bytes, out _));

    [Fact]
    public void Fuzz_acknowledgements() => Fuzz.Run("ack frame", [Ack([new(5, 9)]), Ack([new(100, 900), new(40, 50), new(1, 1)])], static bytes =>
    {
        Span<PacketRange> ranges = stackalloc PacketRange[AckRanges.RangesMax];
        if (!AckFrame.TryRead(bytes, ranges, out _, out var count, out _)) return;
        // What was read is in order, newest first, and apart.
        for (var i = 0; i < count; i++)
            if (ranges[i].First > ranges[i].Last || (i > 0 && ranges[i].Last + 1 >= ranges[i - 1].First)) throw new InvalidOperationException("Ranges out of order.");
    });

    [Fact]
    public void Fuzz_control_frames()
    {
        foreach (var type in Controls)
            Fuzz.Run($"control frame {type}", [Control(new ControlFrame(type, new StreamId(5), 6, 7))], bytes => ControlFrame.TryRead(type, bytes, out _));
    }

    [Fact]
    public void Fuzz_names_of_protocols() => Fuzz.Run("protocol name", ["\u0001\u0004echo"u8.ToArray(), [3, 64, .. new byte[64]]], static bytes => PeerStreamName.TryRead(bytes, out _, out _));

    [Fact]
    public void Fuzz_content()
    {
        var whole = ContentStoreContract.Whole(StreamTests.Bytes(100_000));
        var summary = new byte[ContentWire.SummaryBytes];
        ContentWire.WriteSummary(summary, whole.Summary);
        Fuzz.Run("content summary", [summary], bytes => ContentWire.ReadSummary(bytes, whole.Summary.Id, long.MaxValue));
        Fuzz.Run("content ask", [[0, 0, 0, 1, 0, 3]], static bytes => ContentWire.TryReadAsk(bytes, 7, out _, out _));
        Fuzz.Run("content leaf", [[0, 0, 0, 1, 0x40, 0, 3]], bytes => ContentWire.TryReadLeafHeader(bytes, whole, 1, out _, out _));
        Fuzz.Run("content tree", [whole.Save()], bytes => LeafTree.Load(whole.Summary, bytes));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        Fuzz.RefusesEveryTruncation(Ack([new(100, 900), new(40, 50), new(1, 1)]), static bytes => AckFrame.TryRead(bytes, new PacketRange[AckRanges.RangesMax], out _, out _, out _));
        foreach (var type in Controls)
            Fuzz.RefusesEveryTruncation(Control(new ControlFrame(type, new StreamId(5), 6, 7)), bytes => ControlFrame.TryRead(type, bytes, out _));
        // A shorter stream frame is another stream frame, but not without its first byte.
        Fuzz.RefusesEveryTruncation(Stream(4, 77, [1], false), static bytes => StreamFrame.TryRead(bytes, out _));
        Fuzz.RefusesEveryTruncation("\u0001\u0004echo"u8, static bytes => PeerStreamName.TryRead(bytes, out _, out _) is true);
    }

    [Fact]
    public void Acknowledgements_come_back_as_they_went()
    {
        var random = new Prng(Fuzz.Seed);
        for (var round = 0; round < 2_000; round++)
        {
            var ranges = new AckRanges();
            var all = new SortedSet<ulong>();
            var top = random.NextUInt64() >> random.Next(2, 60);
            for (var i = random.Next(1, 200); i > 0; i--)
            {
                var number = top - Math.Min(top, (ulong)random.Next(120));
                if (ranges.Add(number)) Assert.True(all.Add(number), $"seed {Fuzz.Seed}");
            }
            var frame = new byte[AckFrame.BytesMax];
            var length = AckFrame.Write(frame, 258, ranges.Ranges, TimeSpan.FromMilliseconds(3));
            var read = new PacketRange[AckRanges.RangesMax];
            Assert.True(AckFrame.TryRead(frame.AsSpan(FrameHeader.Bytes, length - FrameHeader.Bytes), read, out var epoch, out var count, out var delay), $"seed {Fuzz.Seed}");
            Assert.Equal((2, TimeSpan.FromMilliseconds(3)), (epoch, delay));
            Assert.True(ranges.Ranges.SequenceEqual(read.AsSpan(0, count)), $"seed {Fuzz.Seed}");
            // What is remembered is what arrived, but for the oldest ranges that no longer fit.
            var least = read[count - 1].First;
            Assert.Equal(all.Where(number => number >= least), read.Take(count).Reverse().SelectMany(range => Enumerable.Range(0, (int)(range.Last - range.First + 1)).Select(i => range.First + (ulong)i)));
        }
    }

    [Fact]
    public void Bytes_in_any_order_are_put_together()
    {
        var random = new Prng(Fuzz.Seed);
        for (var round = 0; round < 200; round++)
        {
            var pool = new PagePool(1 << 20);
            var reassembly = new Reassembly(pool, gapsMax: 64);
            var bytes = StreamTests.Bytes(random.Next(1, 60_000), (ulong)round);
            var got = new MemoryStream();
            var buffer = new byte[5_000];
            while (got.Length < bytes.Length)
            {
                var from = (int)reassembly.Read + random.Next(-2_000, 20_000);
                from = Math.Clamp(random.Chance(0.3) ? (int)reassembly.Arrived : from, 0, bytes.Length - 1);
                var length = random.Next(1, Math.Min(3_000, bytes.Length - from) + 1);
                // Bytes before what was read are known already, also in part.
                _ = reassembly.TryAdd((ulong)from, bytes.AsSpan(from, Math.Min(length, bytes.Length - from)));
                if (random.Chance(0.5)) got.Write(buffer, 0, reassembly.Take(buffer.AsSpan(0, random.Next(1, 5_000))));
            }
            Assert.True(bytes.AsSpan().SequenceEqual(got.ToArray()), $"seed {Fuzz.Seed}, round {round}");
            Assert.Equal(0, pool.Bytes);
        }
    }

    [Fact]
    public void Any_frames_at_all_leave_a_connection_standing_and_its_memory_bounded()
    {
        var seed = Fuzz.Seed;
        var random = new Prng(seed);
        for (var round = 0; round < 20; round++)
        {
            var pipe = new PacketPipe(seed + (ulong)round);
            pipe.Bob.Handlers["echo"] = async stream =>
            {
                try { await stream.WriteAsync(await StreamTests.ReadAllAsync(stream)); }
                catch (PeerStreamException) { }
            };
            for (ulong number = 0; number < 3_000; number++)
            {
                var type = random.Chance(0.5) ? FrameType.Stream : random.Chance(0.3) ? FrameType.Ack : random.Pick(Controls);
                var body = type switch
                {
                    FrameType.Stream => Stream((uint)random.Next(700), (ulong)random.Next(random.Chance(0.1) ? 300_000 : 3_000), StreamTests.Bytes(random.Next(1_100), number), random.Chance(0.05)),
                    FrameType.Ack => Ack([new((ulong)random.Next(5), (ulong)random.Next(5, 40))]),
                    _ => Control(new ControlFrame(type, new StreamId((uint)random.Next(700)), (uint)random.Next(300), (ulong)random.Next(400_000))),
                };
                if (random.Chance(0.2)) body = Fuzz.Mutate(random, [body]);
                pipe.Bob.Receive([(byte)type, (byte)(body.Length >> 8), (byte)(body.Length & 0xFF), .. body], new PacketNumber(1, number));
                if (number % 100 == 0) pipe.RunFor(TimeSpan.FromMilliseconds(50));
                Assert.True(pipe.Bob.Connection.Count <= 128, $"{pipe.Bob.Connection.Count} streams, seed {seed}");
                Assert.True(pipe.Bob.Pages.Bytes <= (1 << 20) + 128 * 2 * PagePool.PageBytes, $"{pipe.Bob.Pages.Bytes} bytes, seed {seed}");
            }
            pipe.Bob.Connection.Close(new PeerStreamException(StreamEnd.SessionClosed, 0));
            pipe.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(0, pipe.Bob.Pages.Bytes);
        }
    }

    private static byte[] Stream(uint id, ulong offset, byte[] data, bool fin)
    {
        var frame = new byte[StreamFrame.HeaderBytes + data.Length];
        StreamFrame.WriteHeader(frame, new StreamId(id), offset, data.Length, fin);
        data.CopyTo(frame, StreamFrame.HeaderBytes);
        return frame[FrameHeader.Bytes..];
    }

    private static byte[] Ack(PacketRange[] ranges)
    {
        var frame = new byte[AckFrame.BytesMax];
        return frame[FrameHeader.Bytes..AckFrame.Write(frame, 1, [.. ranges.Reverse().OrderByDescending(range => range.Last)], TimeSpan.FromMilliseconds(1))];
    }

    private static byte[] Control(ControlFrame frame)
    {
        var bytes = new byte[ControlFrame.BytesMax];
        return bytes[FrameHeader.Bytes..frame.Write(bytes)];
    }
}
