using System.Net;
using System.Net.Sockets;
using Polder.Net;
using Polder.Node.Runtime;
using Polder.Runtime;

namespace Polder.Node.Udp;

/// <summary>
/// A node's real UDP socket: IPv4, and IPv6 beside it when the machine has it and the node is not confined to loopback.
/// A confined socket sends to loopback addresses only, whatever it is asked.
/// </summary>
public sealed class UdpSocket : IDatagramSocket, IDisposable
{
    /// <summary>Datagrams handed over in one turn of the loop; then timers and others get theirs.</summary>
    private const int DatagramsPerTurn = 64;
    /// <summary>What may wait for the loop, for each address family. More is dropped and counted.</summary>
    private const int RingBytes = 1 << 20;

    /// <summary>No datagram waits longer for others while one piece of work goes on.</summary>
    private static readonly long BatchTicksMax = TimeProvider.System.TimestampFrequency / 10_000; // 0.1 ms

    private readonly NodeLoop _loop;
    private readonly ThreadLoop? _batchingLoop;
    private readonly Action _flush;
    private readonly UdpChannel _ipv4;
    private readonly UdpChannel? _ipv6;
    private readonly Action _deliver;
    private readonly bool _loopback;
    private int _delivering;
    private int _waiting; // datagrams in batches
    private bool _willFlush;
    private volatile bool _disposed;
    private long _sent, _bytesOut, _refused;

    private UdpSocket(NodeLoop loop, int port, bool loopback)
    {
        _loop = loop;
        _loopback = loopback;
        _batchingLoop = loop as ThreadLoop;
        (_deliver, _flush) = (Deliver, Flush);
        _ipv4 = new UdpChannel(new IPEndPoint(loopback ? IPAddress.Loopback : IPAddress.Any, port), RingBytes, Arrived);
        if (loopback || !Socket.OSSupportsIPv6) return;
        // Machines without working IPv6 are common: then the node has IPv4 only.
        try { _ipv6 = new UdpChannel(new IPEndPoint(IPAddress.IPv6Any, _ipv4.LocalEndpoint.Port), RingBytes, Arrived); }
        catch (SocketException) { }
    }

    /// <summary>Binds and begins to receive.</summary>
    /// <param name="loop">Where datagrams are handed over.</param>
    /// <param name="port">UDP port; 0 lets the system choose.</param>
    /// <param name="loopback">127.0.0.1 only.</param>
    /// <exception cref="NodeStartException">The port is taken or may not be used; the message says what to do.</exception>
    public static UdpSocket Bind(NodeLoop loop, int port, bool loopback)
    {
        try { return new UdpSocket(loop, port, loopback); }
        catch (SocketException problem)
        {
            throw new NodeStartException(problem.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"UDP port {port} is taken by another program (perhaps another node). Choose another with --port, or --port 0 for any free one.",
                SocketError.AccessDenied =>
                    $"UDP port {port} may not be used by this user. Choose one above 1023 with --port.",
                _ => $"UDP port {port} cannot be opened: {problem.Message}. Choose another with --port.",
            }, problem);
        }
    }

    /// <inheritdoc/>
    public Endpoint LocalEndpoint => _ipv4.LocalEndpoint;

    /// <summary>Where the IPv6 socket is bound; null when there is none.</summary>
    public Endpoint? LocalIPv6Endpoint => _ipv6?.LocalEndpoint;

    /// <inheritdoc/>
    public DatagramHandler? Received
    {
        get;
        set
        {
            var first = field is null;
            field = value;
            if (!first || value is null) return;
            _ipv4.StartReceiving();
            _ipv6?.StartReceiving();
        }
    }

    /// <summary>Payload bytes received since the start.</summary>
    public long BytesIn => _ipv4.BytesReceived + (_ipv6?.BytesReceived ?? 0);
    /// <summary>Payload bytes sent since the start.</summary>
    public long BytesOut => Volatile.Read(ref _bytesOut);
    /// <summary>Datagrams received since the start, dropped ones included.</summary>
    public long DatagramsIn => _ipv4.DatagramsReceived + (_ipv6?.DatagramsReceived ?? 0);
    /// <summary>Datagrams sent since the start.</summary>
    public long DatagramsOut => Volatile.Read(ref _sent);
    /// <summary>Datagrams dropped because the loop was behind.</summary>
    public long DroppedBehind => _ipv4.DatagramsDropped + (_ipv6?.DatagramsDropped ?? 0);
    /// <summary>Datagrams that the system, or the confinement to loopback, refused to send.</summary>
    public long SendsRefused => Volatile.Read(ref _refused);

    /// <summary>
    /// Sends, best effort. On Linux what one piece of work on the loop sends leaves together when the work is done, at once when a batch
    /// is full, and after 0.1 ms at the latest while it goes on sending or receiving.
    /// </summary>
    public void Send(Endpoint to, ReadOnlySpan<byte> datagram)
    {
        var channel = to.IsIPv4 ? _ipv4 : _ipv6;
        if (channel is null || !to.IsSendable || (_loopback && !to.IsLoopback))
        {
            Volatile.Write(ref _refused, _refused + 1);
            return;
        }
        if (_batchingLoop is not { IsCurrent: true } loop || channel.Batch is not { } batch) Count(1, channel.TrySend(to, datagram) ? (1, datagram.Length) : (0, 0));
        else if (_disposed) Volatile.Write(ref _refused, _refused + 1);
        else
        {
            if (!batch.TryAdd(to, datagram))
            {
                FlushBatch(batch);
                if (!batch.TryAdd(to, datagram)) return;
            }
            _waiting++;
            if (!_willFlush) loop.AtEndOfWork(_flush);
            _willFlush = true;
            FlushIfOld(batch);
        }
    }

    /// <summary>Closes both sockets and ends their threads.</summary>
    public void Dispose()
    {
        _disposed = true;
        _ipv4.Dispose();
        _ipv6?.Dispose();
    }

    private void Flush()
    {
        _willFlush = false;
        if (_disposed) return;
        if (_ipv4.Batch is { IsEmpty: false } batch) FlushBatch(batch);
        if (_ipv6?.Batch is { IsEmpty: false } batch6) FlushBatch(batch6);
    }

    private void FlushIfOld()
    {
        if (_disposed) return;
        if (_ipv4.Batch is { IsEmpty: false } batch) FlushIfOld(batch);
        if (_ipv6?.Batch is { IsEmpty: false } batch6) FlushIfOld(batch6);
    }

    private void FlushIfOld(DatagramBatch batch)
    {
        if (TimeProvider.System.GetTimestamp() - batch.Since >= BatchTicksMax) FlushBatch(batch);
    }

    private void FlushBatch(DatagramBatch batch)
    {
        var waiting = batch.Count;
        _waiting -= waiting;
        Count(waiting, batch.Flush());
    }

    private void Count(int tried, (int Datagrams, long Bytes) sent)
    {
        Volatile.Write(ref _sent, _sent + sent.Datagrams);
        Volatile.Write(ref _bytesOut, _bytesOut + sent.Bytes);
        if (tried > sent.Datagrams) Volatile.Write(ref _refused, _refused + tried - sent.Datagrams);
    }

    // On a receiving thread: one post wakes the loop for as many datagrams as there are by then.
    private void Arrived()
    {
        if (Interlocked.Exchange(ref _delivering, 1) == 0) _loop.Post(_deliver);
    }

    private void Deliver()
    {
        var handler = Received;
        var left = DatagramsPerTurn;
        try
        {
            while (left > 0)
            {
                var before = left;
                if (_ipv4.Ring.TryRead(handler)) left--;
                if (_ipv6 is not null && _ipv6.Ring.TryRead(handler)) left--;
                if (_waiting > 0) FlushIfOld();
                if (before == left) break;
            }
        }
        finally
        {
            Volatile.Write(ref _delivering, 0);
            // A full fence between giving up the turn and the last look: else a datagram could wait for the next one.
            Interlocked.MemoryBarrier();
            if (!_ipv4.Ring.IsEmpty || _ipv6 is { Ring.IsEmpty: false }) Arrived();
        }
    }
}
