using System.Net;
using System.Net.Sockets;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Node.Lan;

/// <summary>
/// Finds nodes in the same local network by multicast (overlay.md §5.1). Never started by a node that is confined to
/// loopback, nor by any test. Whoever hears an announcement walks to the announcer, which is the answer.
/// </summary>
public sealed class LanNeighbours : IDisposable
{
    private const int GroupPort = 50790;
    private const int AnswerersMax = 8;
    private const double HeardPerSecondMax = 10, HeardBurst = 40;
    private static readonly IPAddress GroupIPv4 = IPAddress.Parse("239.255.90.90");
    private static readonly TimeSpan[] FirstPauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5)];
    private static readonly TimeSpan AnswerDelayMax = TimeSpan.FromMilliseconds(200);

    private readonly NodeEnvironment _environment;
    private readonly LanAnnouncement _own;
    private readonly Action<Endpoint> _found;
    private readonly Socket _socket;
    private readonly ITimer _timer;
    private readonly HashSet<ulong> _known = [];
    private TokenBucket _heard;
    private int _announced;
    private volatile bool _disposed;

    private LanNeighbours(NodeEnvironment environment, LanAnnouncement own, Action<Endpoint> found)
    {
        (_environment, _own, _found) = (environment, own, found);
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Several nodes of one machine share the group's port.
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _socket.Bind(new IPEndPoint(IPAddress.Any, GroupPort));
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(GroupIPv4));
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, true);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        new Thread(Receive, 256 * 1024) { IsBackground = true, Name = "polder lan" }.Start();
        _timer = environment.Time.CreateTimer(_ => Announce(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins to announce and to listen; null when this machine has no multicast (the node does without).</summary>
    /// <param name="environment">The node's world; callbacks run on its loop.</param>
    /// <param name="nodeIdHead">First 8 bytes of the own node id.</param>
    /// <param name="found">Told where a neighbour listens.</param>
    public static LanNeighbours? TryStart(NodeEnvironment environment, ulong nodeIdHead, Action<Endpoint> found)
    {
        if (environment.Socket.LocalEndpoint.IsLoopback)
            throw new InvalidOperationException("A node that is confined to loopback does not look for neighbours in the local network.");
        var own = new LanAnnouncement(nodeIdHead, environment.Socket.LocalEndpoint.Port, environment.Random.NextUInt64());
        try { return new LanNeighbours(environment, own, found); }
        catch (SocketException) { return null; }
    }

    /// <summary>Stops announcing and listening.</summary>
    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
        _socket.Dispose();
    }

    private void Announce()
    {
        if (_disposed) return;
        Span<byte> datagram = stackalloc byte[LanAnnouncement.Bytes];
        _own.Write(datagram);
        try { _socket.SendTo(datagram, SocketFlags.None, new IPEndPoint(GroupIPv4, GroupPort)); }
        catch (SocketException) { /* No network at the moment; the next round may have one. */ }
        catch (ObjectDisposedException) { return; }
        var pause = _announced < FirstPauses.Length
            ? FirstPauses[_announced]
            : TimeSpan.FromSeconds(60) * (0.8 + 0.4 * _environment.Random.NextDouble());
        _announced++;
        _timer.Change(pause, Timeout.InfiniteTimeSpan);
    }

    private void Receive()
    {
        var datagram = new byte[LanAnnouncement.Bytes + 1];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        while (!_disposed)
        {
            int length;
            try { length = _socket.ReceiveFrom(datagram, SocketFlags.None, ref from); }
            catch (ObjectDisposedException) { return; }
            catch (SocketException) when (_disposed) { return; }
            catch (SocketException)
            {
                Thread.Sleep(100);
                continue;
            }
            if (!LanAnnouncement.TryRead(datagram.AsSpan(0, length), out var heard) || heard.Value.Nonce == _own.Nonce) continue;
            var announced = heard.Value;
            var at = Endpoint.From(((IPEndPoint)from).Address, announced.Port);
            _environment.Loop.Post(() => Heard(announced, at));
        }
    }

    private void Heard(LanAnnouncement announced, Endpoint at)
    {
        var now = _environment.Time.GetElapsedTime(0);
        if (_disposed || !_heard.TryTake(now, HeardPerSecondMax, HeardBurst)) return;
        if (_known.Count < 256) _known.Add(announced.NodeIdHead);
        // In a crowded network only about eight answer each announcement.
        if (!_environment.Random.Chance((double)AnswerersMax / Math.Max(AnswerersMax, _known.Count))) return;
        _ = AnswerAsync(at);
    }

    private async Task AnswerAsync(Endpoint at)
    {
        // On the loop, where plain awaits stay.
        await Task.Delay(_environment.Random.NextDuration(AnswerDelayMax), _environment.Time);
        if (!_disposed) _found(at);
    }
}
