using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using Polder.Apps.Parcels.Mailbox;
using Polder.Node.Runtime;

namespace Polder.Node.Parcels;

/// <summary>A mailbox server's rules behind WebSockets: one message at a time, its state kept in a file. The web host hands the sockets over.</summary>
public sealed class MailboxService : IDisposable
{
    private readonly MailboxServer _server;
    private readonly SqliteMailboxStore? _store;
    private readonly Lock _gate = new();
    private readonly Timer _pruning;

    /// <summary>Opens the state.</summary>
    /// <param name="options">How to behave.</param>
    /// <param name="path">The file of the state; null to keep it in memory.</param>
    public MailboxService(MailboxServerOptions options, string? path)
    {
        _store = path is null ? null : new SqliteMailboxStore(path);
        _server = new MailboxServer(options, TimeProvider.System, new EntropyPrng(), _store);
        _pruning = new Timer(_ => Locked(_server.Prune), null, MailboxLimits.PruneInterval, MailboxLimits.PruneInterval);
    }

    /// <summary>Connections, nameplates and mailboxes at this moment.</summary>
    public (int Connections, int Nameplates, int Mailboxes) Counts { get { lock (_gate) return _server.Counts; } }

    /// <summary>Serves one WebSocket until it ends.</summary>
    public async Task ServeAsync(WebSocket socket, IPEndPoint? remote, CancellationToken cancellation)
    {
        var queue = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long queued = 0;
        // A mailbox that is opened may hold more than the limit of what waits: only lines that already lag are dropped.
        bool Push(byte[] frame)
        {
            if (Interlocked.Read(ref queued) > MailboxLimits.QueuedBytesMax + MailboxLimits.MailboxBytesMax) return false;
            Interlocked.Add(ref queued, frame.Length);
            return queue.Writer.TryWrite(frame);
        }

        var address = remote?.Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : remote?.Address;
        var nearby = address is null || IsNearby(address);
        // On this machine everybody has one address: limits per address are for strangers.
        var name = address is null || IPAddress.IsLoopback(address) ? "" : address.ToString();
        MailboxSession? session;
        lock (_gate) session = _server.Connect(name, remote?.Port ?? 0, nearby, Push);
        if (session is null)
        {
            await socket.CloseAsync((WebSocketCloseStatus)1013, "too many connections", cancellation).ConfigureAwait(false);
            return;
        }
        var sending = SendAsync(socket, queue.Reader, count => Interlocked.Add(ref queued, -count), over.Token);
        try { await ReceiveAsync(socket, session, over.Token).ConfigureAwait(false); }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException) { }
        finally
        {
            lock (_gate) session.Disconnect();
            queue.Writer.TryComplete();
            await over.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
        }
    }

    /// <summary>Ends the state's file.</summary>
    public void Dispose()
    {
        _pruning.Dispose();
        lock (_gate) _store?.Dispose();
    }

    private async Task ReceiveAsync(WebSocket socket, MailboxSession session, CancellationToken cancellation)
    {
        var buffer = new byte[8 << 10];
        using var frame = new MemoryStream();
        var tooLong = false;
        while (!session.IsGone)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), cancellation).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation).ConfigureAwait(false);
                return;
            }
            // The rest of a frame that is too long is read and forgotten.
            if (frame.Length + part.Count > MailboxLimits.FrameBytesMax) tooLong = true;
            else frame.Write(buffer, 0, part.Count);
            if (!part.EndOfMessage) continue;
            var bytes = frame.ToArray();
            Locked(() =>
            {
                if (tooLong) session.ReceiveTooLong();
                else session.Receive(bytes);
            });
            frame.SetLength(0);
            if (frame.Capacity > 64 << 10) frame.Capacity = 0;
            tooLong = false;
        }
    }

    private static async Task SendAsync(WebSocket socket, ChannelReader<byte[]> queue, Action<int> sent, CancellationToken cancellation)
    {
        try
        {
            while (await queue.WaitToReadAsync(cancellation).ConfigureAwait(false))
                while (queue.TryRead(out var frame))
                {
                    await socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Text, true, cancellation).ConfigureAwait(false);
                    sent(frame.Length);
                }
        }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException) { }
    }

    private void Locked(Action work)
    {
        lock (_gate) work();
    }

    /// <summary>This machine and private networks.</summary>
    private static bool IsNearby(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal) return true;
        return address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [10, ..] or [172, >= 16 and < 32, ..] or [192, 168, ..] or [169, 254, ..];
    }
}
