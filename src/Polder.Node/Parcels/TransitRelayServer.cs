using System.Net;
using System.Net.Sockets;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>A transit relay: glues connections together after the rules in <see cref="RelayRules"/>, and moves their bytes within the owner's limits.</summary>
public sealed class TransitRelayServer : IAsyncDisposable
{
    private const int BufferBytes = 256 << 10;
    private static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(10);

    private readonly Socket _listener;
    private readonly RelayRules _rules = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly long? _bytesPerSecond, _monthMax;
    private long _moved, _monthMoved;
    private int _month;
    private long _allowanceAt = Environment.TickCount64;
    private double _allowance;

    private TransitRelayServer(Socket listener, long? bytesPerSecond, long? monthMax) => (_listener, _bytesPerSecond, _monthMax) = (listener, bytesPerSecond, monthMax);

    /// <summary>The port that it listens on.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Bytes moved since the start.</summary>
    public long BytesMoved => Interlocked.Read(ref _moved);

    /// <summary>Connections that wait, and that are glued.</summary>
    public (int Waiting, int Glued) Counts { get { lock (_gate) return (_rules.Waiting, _rules.Glued); } }

    /// <summary>Starts to listen. Throws <see cref="NodeStartException"/> when the port is taken.</summary>
    /// <param name="port">0 for any free one.</param>
    /// <param name="loopback">127.0.0.1 only.</param>
    /// <param name="bytesPerSecond">What all connections together may move; null for no limit.</param>
    /// <param name="monthMax">What may be moved in a calendar month (UTC); null for no limit.</param>
    public static TransitRelayServer Start(int port, bool loopback, long? bytesPerSecond = null, long? monthMax = null)
    {
        var listener = loopback || !Socket.OSSupportsIPv6 ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        try
        {
            // A port whose last connections still fade away may be taken again at once.
            if (!OperatingSystem.IsWindows()) listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Bind(new IPEndPoint(loopback ? IPAddress.Loopback : listener.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, port));
            listener.Listen(128);
        }
        catch (SocketException problem)
        {
            listener.Dispose();
            throw new NodeStartException($"The relay cannot listen on TCP port {port}: {problem.Message}. Choose another with --relay PORT.", problem);
        }
        var server = new TransitRelayServer(listener, bytesPerSecond, monthMax);
        _ = server.AcceptAsync();
        return server;
    }

    /// <summary>Stops listening and cuts what is glued.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try { _ = ServeAsync(await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false)); }
            catch (Exception problem) when (problem is OperationCanceledException or ObjectDisposedException) { return; }
            // Out of descriptors for a moment, or a visitor that was gone already.
            catch (SocketException) { await Task.Delay(50).ConfigureAwait(false); }
        }
    }

    private sealed class Line(Socket socket)
    {
        public Socket Socket => socket;
        public TaskCompletionSource<Line> Glued { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task ServeAsync(Socket socket)
    {
        var address = (socket.RemoteEndPoint as IPEndPoint)?.Address;
        // On this machine everybody has one address: the limits per address are for strangers.
        var visitor = new RelayVisitor(address is null || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) ? "" : address.ToString());
        var line = new Line(socket);
        visitor.Tag = line;
        try
        {
            lock (_gate) if (!_rules.Enter(visitor)) return;
            if (IsMonthOver()) return;
            socket.NoDelay = true;
            if (await WaitAsync(visitor, line).ConfigureAwait(false) is { } partner) await MoveAsync(socket, partner.Socket).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is SocketException or OperationCanceledException or ObjectDisposedException or TimeoutException) { }
        finally
        {
            RelayVisitor? left;
            lock (_gate) left = _rules.Leave(visitor);
            // No half-open lines: one end down closes the other.
            Hang(socket);
            if (left?.Tag is Line other) Hang(other.Socket);
        }
    }

    /// <summary>Reads the first line and waits for the partner; null when this connection is over.</summary>
    private async Task<Line?> WaitAsync(RelayVisitor visitor, Line line)
    {
        var buffer = new byte[RelayRules.LineBytesMax];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(RelayRules.WaitMax);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        while (true)
        {
            var read = line.Socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, reading.Token).AsTask();
            if (await Task.WhenAny(read, line.Glued.Task).ConfigureAwait(false) != read)
            {
                await reading.CancelAsync().ConfigureAwait(false);
                // What arrived in the same moment came before its "ok" was read: impatient, but harmless, and not lost.
                try
                {
                    var early = await read.ConfigureAwait(false);
                    if (early == 0) return null;
                    var partner = await line.Glued.Task.ConfigureAwait(false);
                    await SendAllAsync(partner.Socket, buffer.AsMemory(0, early)).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!limit.IsCancellationRequested) { }
                return await line.Glued.Task.ConfigureAwait(false);
            }
            var count = await read.ConfigureAwait(false);
            if (count == 0) return null;
            RelayVerdict? verdict = null;
            IReadOnlyList<RelayVisitor> spares = [];
            lock (_gate)
            {
                if (visitor.Partner is null) verdict = _rules.Feed(visitor, buffer.AsSpan(0, count), out spares);
                if (verdict == RelayVerdict.Glued)
                {
                    var partner = (Line)visitor.Partner!.Tag!;
                    // "ok" to both before any byte of the other can come through.
                    partner.Socket.Send("ok\n"u8);
                    line.Socket.Send("ok\n"u8);
                    partner.Glued.TrySetResult(line);
                    line.Glued.TrySetResult(partner);
                    foreach (var spare in spares) Hang(((Line)spare.Tag!).Socket);
                    return partner;
                }
            }
            if (verdict is null)
            {
                // It was glued while these bytes came: its answer to "ok" was quicker than our word of it. They belong to the partner.
                var partner = await line.Glued.Task.ConfigureAwait(false);
                await SendAllAsync(partner.Socket, buffer.AsMemory(0, count)).ConfigureAwait(false);
                return partner;
            }
            if (verdict == RelayVerdict.Wait) continue;
            if (verdict == RelayVerdict.BadHandshake) await SendAllAsync(line.Socket, "bad handshake\n"u8.ToArray()).ConfigureAwait(false);
            if (verdict == RelayVerdict.Impatient) await SendAllAsync(line.Socket, "impatient\n"u8.ToArray()).ConfigureAwait(false);
            return null;
        }
    }

    private async Task MoveAsync(Socket from, Socket to)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        while (true)
        {
            var count = await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, _stop.Token).AsTask().WaitAsync(IdleMax, _stop.Token).ConfigureAwait(false);
            if (count == 0) return;
            // Nothing more is read before this has gone out: that is the back-pressure.
            await SendAllAsync(to, buffer.AsMemory(0, count)).ConfigureAwait(false);
            Interlocked.Add(ref _moved, count);
            Interlocked.Add(ref _monthMoved, count);
            if (IsMonthOver()) return;
            if (_bytesPerSecond is { } rate) await SlowDownAsync(count, rate).ConfigureAwait(false);
        }
    }

    private async Task SlowDownAsync(int count, long rate)
    {
        double wait;
        lock (_gate)
        {
            var now = Environment.TickCount64;
            _allowance = Math.Min(rate, _allowance + (now - _allowanceAt) / 1000.0 * rate) - count;
            _allowanceAt = now;
            wait = _allowance < 0 ? -_allowance / rate : 0;
        }
        if (wait > 0) await Task.Delay(TimeSpan.FromSeconds(wait), _stop.Token).ConfigureAwait(false);
    }

    private bool IsMonthOver()
    {
        if (_monthMax is not { } limit) return false;
        var month = DateTime.UtcNow.Month;
        if (Interlocked.Exchange(ref _month, month) != month) Interlocked.Exchange(ref _monthMoved, 0);
        return Interlocked.Read(ref _monthMoved) >= limit;
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
    }

    private static void Hang(Socket socket)
    {
        try { socket.Shutdown(SocketShutdown.Both); }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException) { }
        socket.Dispose();
    }
}
