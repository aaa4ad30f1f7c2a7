using System.Buffers.Binary;
using Polder.Graph.Exchange;
using Polder.Overlay.Streams;

namespace Polder.Apps.Graphs;

/// <summary>Frames on a stream: sent in order without waiting, read one by one.</summary>
/// <param name="stream">The stream.</param>
/// <param name="failed">Told when it takes nothing more: the peer does not know the protocol, or the session ended.</param>
internal sealed class GraphLine(PeerStream stream, Action failed)
{
    private const int FirstPieceBytes = 16_384;

    private readonly Queue<byte[]> _outgoing = new();
    private bool _pumping, _isOver;

    /// <summary>Bytes that wait to be sent.</summary>
    public long QueuedBytes { get; private set; }

    public void Send(ExchangeFrame type, byte[] body)
    {
        if (_isOver) return;
        var frame = new byte[ExchangeFrames.HeaderBytes + body.Length];
        frame[0] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)body.Length);
        body.CopyTo(frame, ExchangeFrames.HeaderBytes);
        _outgoing.Enqueue(frame);
        QueuedBytes += frame.Length;
        if (!_pumping) _ = PumpAsync();
    }

    /// <summary>The next frame; null at the end, and for one that is too large.</summary>
    public async Task<(ExchangeFrame Type, byte[] Body)?> ReadAsync()
    {
        var header = new byte[ExchangeFrames.HeaderBytes];
        if (!await stream.ReadExactlyAsync(header)) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (length > ExchangeFrames.BodyBytesMax) return null;
        // In pieces: who announces much and sends little costs little.
        var body = new byte[Math.Min(length, FirstPieceBytes)];
        for (var got = 0; got < length;)
        {
            if (got == body.Length) Array.Resize(ref body, (int)Math.Min(length, body.Length * 4L));
            if (!await stream.ReadExactlyAsync(body.AsMemory(got))) return null;
            got = body.Length;
        }
        return ((ExchangeFrame)header[0], body);
    }

    /// <summary>What waits is not sent any more, and the reading side comes to its end.</summary>
    public void End()
    {
        _isOver = true;
        _outgoing.Clear();
        _ = stream.DisposeAsync().AsTask();
    }

    private async Task PumpAsync()
    {
        _pumping = true;
        try
        {
            while (!_isOver && _outgoing.TryDequeue(out var frame))
            {
                await stream.WriteAsync(frame);
                QueuedBytes -= frame.Length;
            }
        }
        catch (PeerStreamException) { failed(); }
        finally { _pumping = false; }
    }
}
