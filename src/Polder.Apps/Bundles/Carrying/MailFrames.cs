using System.Buffers.Binary;
using Polder.Overlay.Streams;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>Frames on a stream.</summary>
internal static class MailFrames
{
    public static ValueTask WriteAsync(PeerStream stream, MailFrame type, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var frame = new byte[MailWire.FrameHeaderBytes + body.Length];
        frame[0] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)body.Length);
        body.CopyTo(frame.AsMemory(MailWire.FrameHeaderBytes));
        return stream.WriteAsync(frame, cancel);
    }

    /// <summary>The next frame; null at the end. A type or length that cannot be ends the stream with an <see cref="EndOfStreamException"/>.</summary>
    public static async ValueTask<(MailFrame Type, byte[] Body)?> ReadAsync(PeerStream stream, CancellationToken cancel)
    {
        var header = new byte[MailWire.FrameHeaderBytes];
        if (!await stream.ReadExactlyAsync(header, cancel)) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (header[0] is 0 or > (byte)MailFrame.Notes || length > MailWire.BodyBytesMax) throw new EndOfStreamException("No frame of the mail-bag.");
        // In pieces: who announces much and sends little costs little.
        var body = new byte[Math.Min(length, 16_384)];
        for (var got = 0; got < length;)
        {
            if (got == body.Length) Array.Resize(ref body, (int)Math.Min(length, body.Length * 4L));
            if (!await stream.ReadExactlyAsync(body.AsMemory(got), cancel)) throw new EndOfStreamException("The stream ended within a frame.");
            got = body.Length;
        }
        return ((MailFrame)header[0], body);
    }
}
