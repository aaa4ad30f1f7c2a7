using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Polder.Graph.Sync;
using Polder.Graph.Wire;
using Polder.Runtime;

namespace Polder.Host.Graph;

/// <summary>
/// One gun peer on a WebSocket. Frames are read and parsed here, off the loop; what is in them is handed to the hub on the loop.
/// A peer that reads too slowly or sends too fast is held up, or in the end cut off; it comes back and asks again.
/// </summary>
internal sealed class GraphSocket : IGraphLink, IDisposable
{
    private const int FramesAhead = 128, QueuedCharactersMax = 64 * 1024 * 1024, ReceiveBytes = 16 * 1024;

    private readonly WebSocket _socket;
    private readonly GraphHub _hub;
    private readonly NodeLoop _loop;
    private readonly Channel<string> _outgoing = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _ahead = new(FramesAhead);
    private readonly CancellationTokenSource _ending = new();
    private long _queuedCharacters;

    public GraphSocket(WebSocket socket, GraphHub hub, NodeLoop loop, IPEndPoint from) =>
        (_socket, _hub, _loop, Name, Payer, IsLocal) = (socket, hub, loop, from.ToString(), PayerOf(from.Address), IPAddress.IsLoopback(from.Address));

    public string Name { get; }
    public string Payer { get; }
    public bool IsLocal { get; }

    public void Send(string frame)
    {
        if (Interlocked.Add(ref _queuedCharacters, frame.Length) > QueuedCharactersMax) Close();
        else _ = _outgoing.Writer.TryWrite(frame);
    }

    public void Close()
    {
        _outgoing.Writer.TryComplete();
        try { _ending.CancelAfter(TimeSpan.FromSeconds(1)); }
        catch (ObjectDisposedException) { }
    }

    /// <summary>Serves the connection until it ends.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ending.Token);
        var peer = await _loop.InvokeAsync(() => _hub.Connect(this)).ConfigureAwait(false);
        var sending = SendAllAsync(either.Token);
        try { await ReceiveAllAsync(peer, either.Token).ConfigureAwait(false); }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException) { }
        finally
        {
            _loop.Post(() => _hub.Disconnect(peer));
            _outgoing.Writer.TryComplete();
            await _ending.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            _socket.Abort();
        }
    }

    public void Dispose()
    {
        _ending.Dispose();
        _ahead.Dispose();
    }

    // Whoever has IPv6 has a /64 at least.
    private static string PayerOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address.ToString() : Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8));
    }

    private async Task ReceiveAllAsync(GraphPeer peer, CancellationToken cancellation)
    {
        var options = _hub.Graph.Options;
        var frame = new ArrayBufferWriter<byte>(ReceiveBytes);
        while (_socket.State == WebSocketState.Open)
        {
            var (isTooLarge, isText) = (false, false);
            frame.ResetWrittenCount();
            while (true)
            {
                var got = await _socket.ReceiveAsync(frame.GetMemory(ReceiveBytes), cancellation).ConfigureAwait(false);
                if (got.MessageType == WebSocketMessageType.Close) return;
                isText = got.MessageType == WebSocketMessageType.Text;
                // What is too large, or binary, is read past and not kept.
                if (isText && !isTooLarge) frame.Advance(got.Count);
                if (frame.WrittenCount > options.FrameCharactersMax)
                {
                    isTooLarge = true;
                    frame = new ArrayBufferWriter<byte>(ReceiveBytes);
                }
                if (got.EndOfMessage) break;
            }
            if (!isText) continue;
            await _ahead.WaitAsync(cancellation).ConfigureAwait(false);
            var messages = new List<GraphMessage>();
            var (result, characters) = isTooLarge ? (FrameResult.TooLarge, 0) : Read(frame.WrittenSpan, messages);
            _loop.Post(() =>
            {
                try { _ahead.Release(); }
                catch (ObjectDisposedException) { }
                _hub.Receive(peer, result, messages, characters);
            });
            if (frame.Capacity > 1024 * 1024) frame = new ArrayBufferWriter<byte>(ReceiveBytes);
        }
    }

    private (FrameResult, int) Read(ReadOnlySpan<byte> bytes, List<GraphMessage> messages)
    {
        var characters = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(bytes.Length));
        try
        {
            var length = Encoding.UTF8.GetChars(bytes, characters);
            return (FrameReader.Read(characters.AsSpan(0, length), _hub.Graph.Options, messages), length);
        }
        finally { ArrayPool<char>.Shared.Return(characters); }
    }

    private async Task SendAllAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (var frame in _outgoing.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(frame.Length));
                try
                {
                    var length = Encoding.UTF8.GetBytes(frame, bytes);
                    await _socket.SendAsync(bytes.AsMemory(0, length), WebSocketMessageType.Text, endOfMessage: true, cancellation).ConfigureAwait(false);
                }
                finally { ArrayPool<byte>.Shared.Return(bytes); }
                Interlocked.Add(ref _queuedCharacters, -frame.Length);
            }
            // The hub closed it: the other side is told.
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException) { }
    }
}
