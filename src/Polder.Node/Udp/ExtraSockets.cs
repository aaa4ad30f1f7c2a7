using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Node.Udp;

/// <summary>
/// Further sockets of a node: many, short-lived and mostly silent, so they share the system's completion threads instead of having
/// one each. IPv4, because only there NATs ask for them.
/// </summary>
internal sealed class ExtraSockets(NodeLoop loop, bool loopback) : IExtraSockets
{
    /// <summary>Above what a birthday and its neighbours need; the system's own limit is usually 1,024 files.</summary>
    private const int OpenMax = 600;

    private int _open;

    public IExtraSocket? TryOpen()
    {
        if (Volatile.Read(ref _open) >= OpenMax) return null;
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(loopback ? IPAddress.Loopback : IPAddress.Any, 0));
        }
        catch (SocketException)
        {
            // No more files or ports: the caller goes on with those it has.
            socket?.Dispose();
            return null;
        }
        Interlocked.Increment(ref _open);
        return new Extra(this, loop, socket, loopback);
    }

    private sealed class Extra : IExtraSocket
    {
        private readonly ExtraSockets _owner;
        private readonly NodeLoop _loop;
        private readonly Socket _socket;
        private readonly bool _loopback;
        private readonly SocketAddress _to = SocketAddresses.For(AddressFamily.InterNetwork);
        private DatagramHandler? _received;
        private int _disposed;
        private bool _receiving;

        public Extra(ExtraSockets owner, NodeLoop loop, Socket socket, bool loopback)
        {
            (_owner, _loop, _socket, _loopback) = (owner, loop, socket, loopback);
            var bound = (IPEndPoint)socket.LocalEndPoint!;
            LocalEndpoint = Endpoint.From(bound.Address, bound.Port);
        }

        public Endpoint LocalEndpoint { get; }

        public DatagramHandler? Received
        {
            get => Volatile.Read(ref _received);
            set
            {
                Volatile.Write(ref _received, value);
                if (value is null || _receiving) return;
                _receiving = true;
                _ = ReceiveAsync();
            }
        }

        public void Send(Endpoint to, ReadOnlySpan<byte> datagram)
        {
            if (!to.IsIPv4 || !to.IsSendable || (_loopback && !to.IsLoopback)) return;
            SocketAddresses.Write(to, _to);
            try { _socket.SendTo(datagram, SocketFlags.None, _to); }
            // Best effort: a full buffer, a dead route and a closed socket all look like a loss.
            catch (SocketException) { }
            catch (ObjectDisposedException) { }
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
            Interlocked.Decrement(ref _owner._open);
            Volatile.Write(ref _received, null);
            _socket.Dispose();
        }

        private async Task ReceiveAsync()
        {
            var datagram = new byte[2048];
            var from = SocketAddresses.For(AddressFamily.InterNetwork);
            while (Volatile.Read(ref _disposed) == 0)
            {
                int length;
                try { length = await _socket.ReceiveFromAsync(datagram, SocketFlags.None, from).ConfigureAwait(false); }
                catch (ObjectDisposedException) { return; }
                catch (SocketException)
                {
                    // An ICMP answer to a probe of ours: that is what probes are for (OV-6.3).
                    if (Volatile.Read(ref _disposed) != 0) return;
                    continue;
                }
                var bytes = from.Buffer.Span;
                var sender = Endpoint.FromBytes(bytes.Slice(SocketAddresses.IPv4Offset, 4), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
                var copy = ArrayPool<byte>.Shared.Rent(length);
                datagram.AsSpan(0, length).CopyTo(copy);
                _loop.Post(() =>
                {
                    Received?.Invoke(sender, copy.AsSpan(0, length));
                    ArrayPool<byte>.Shared.Return(copy);
                });
            }
        }
    }
}
