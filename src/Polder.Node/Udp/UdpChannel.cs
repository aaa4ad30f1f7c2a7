using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Polder.Net;

namespace Polder.Node.Udp;

/// <summary>One UDP socket of one address family: a thread that receives into a ring, and sends from the loop.</summary>
internal sealed class UdpChannel : IDisposable
{
    private const int StackBytes = 256 * 1024;
    private const int KernelBufferBytes = 4 * 1024 * 1024;
    private const int WindowsIgnorePortUnreachable = unchecked((int)0x9800000C);

    private readonly Socket _socket;
    private readonly SocketAddress _to;
    private readonly DatagramRing _ring;
    private readonly Action _arrived;
    private readonly Thread _thread;
    private long _received, _dropped, _bytesIn;
    private volatile bool _disposed;

    /// <summary>Binds. <paramref name="arrived"/> is called on the receiving thread after each datagram that was kept.</summary>
    public UdpChannel(IPEndPoint bind, int ringBytes, Action arrived)
    {
        _arrived = arrived;
        _ring = new DatagramRing(ringBytes);
        _to = SocketAddresses.For(bind.AddressFamily);
        _socket = new Socket(bind.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (bind.AddressFamily == AddressFamily.InterNetworkV6) _socket.DualMode = false;
            // A datagram that nobody received must not make the next receive fail (Windows only).
            if (OperatingSystem.IsWindows()) _socket.IOControl(WindowsIgnorePortUnreachable, [0, 0, 0, 0], null);
            _socket.ReceiveBufferSize = KernelBufferBytes;
            _socket.SendBufferSize = KernelBufferBytes / 4;
            ForbidFragments(bind.AddressFamily);
            _socket.Bind(bind);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        var bound = (IPEndPoint)_socket.LocalEndPoint!;
        LocalEndpoint = Endpoint.From(bound.Address, bound.Port);
        _thread = new Thread(Receive, StackBytes) { IsBackground = true, Name = "polder udp" };
    }

    public Endpoint LocalEndpoint { get; }
    public long DatagramsReceived => Volatile.Read(ref _received);
    public long DatagramsDropped => Volatile.Read(ref _dropped);
    public long BytesReceived => Volatile.Read(ref _bytesIn);
    public DatagramRing Ring => _ring;

    public void StartReceiving() => _thread.Start();

    /// <summary>False when the system refused; never throws for what the network does.</summary>
    public bool TrySend(Endpoint to, ReadOnlySpan<byte> datagram)
    {
        SocketAddresses.Write(to, _to);
        try { return _socket.SendTo(datagram, SocketFlags.None, _to) == datagram.Length; }
        catch (SocketException) { return false; }
        catch (ObjectDisposedException) { return false; }
    }

    /// <summary>What is put here leaves with the next flush; null where the system has no such call.</summary>
    public DatagramBatch? Batch => LinuxSockets.IsSupported ? field ??= new DatagramBatch(_socket) : null;

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        // Closing wakes the receiving thread.
        _socket.Dispose();
        if ((_thread.ThreadState & ThreadState.Unstarted) == 0) _thread.Join(TimeSpan.FromSeconds(1));
    }

    // A datagram larger than the path carries is lost, not cut up (OV-2.3): so path MTU discovery learns what passes.
    private void ForbidFragments(AddressFamily family)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // "Probe": the mark is set, and the system's own idea of the path does not limit what we try.
                var (level, option) = family == AddressFamily.InterNetwork
                    ? (LinuxSockets.IpLevel, LinuxSockets.IpMtuDiscover) : (LinuxSockets.IPv6Level, LinuxSockets.IPv6MtuDiscover);
                _socket.SetRawSocketOption(level, option, BitConverter.GetBytes(LinuxSockets.MtuDiscoverProbe));
            }
            else if (family == AddressFamily.InterNetwork) _socket.DontFragment = true;
        }
        catch (SocketException) { } // a system that cannot: then routers may cut up what is too long
    }

    private void Receive()
    {
        if (LinuxSockets.IsSupported) ReceiveMany();
        else ReceiveOneByOne();
    }

    private void ReceiveMany()
    {
        using var receiver = new DatagramReceiver(_socket);
        ArrivalHandler keep = Keep;
        while (!_disposed)
        {
            int count;
            try { count = receiver.Receive(keep); }
            catch (ObjectDisposedException) { return; }
            if (count < 0 && !_disposed)
            {
                Volatile.Write(ref _dropped, _dropped + 1);
                Thread.Sleep(1);
            }
            if (!_ring.IsEmpty) _arrived();
        }
    }

    private void ReceiveOneByOne()
    {
        var datagram = GC.AllocateUninitializedArray<byte>(Limits.DatagramBytesMax, pinned: true);
        var from = SocketAddresses.For(_socket.AddressFamily);
        var isIPv4 = _socket.AddressFamily == AddressFamily.InterNetwork;
        while (!_disposed)
        {
            int length;
            try { length = _socket.ReceiveFrom(datagram, SocketFlags.None, from); }
            catch (ObjectDisposedException) { return; }
            catch (SocketException) when (_disposed) { return; }
            catch (SocketException)
            {
                // Too long a datagram, or a passing shortage of the system: that datagram is lost, no more.
                Volatile.Write(ref _dropped, _dropped + 1);
                Thread.Sleep(1);
                continue;
            }
            var bytes = from.Buffer.Span;
            var address = isIPv4 ? bytes.Slice(SocketAddresses.IPv4Offset, 4) : bytes.Slice(SocketAddresses.IPv6Offset, 16);
            Keep(address, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), datagram.AsSpan(0, length));
            _arrived();
        }
    }

    private void Keep(ReadOnlySpan<byte> address, ushort port, ReadOnlySpan<byte> datagram)
    {
        Volatile.Write(ref _received, _received + 1);
        Volatile.Write(ref _bytesIn, _bytesIn + datagram.Length);
        if (!_ring.TryWrite(address, port, datagram)) Volatile.Write(ref _dropped, _dropped + 1);
    }
}
