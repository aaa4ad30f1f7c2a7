using System.Net;
using System.Net.Sockets;
using Polder.Net;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Strangers that send junk: many addresses of 127.0.0.0/8, so that no address has a past. Half of it is noise, half begins like a
/// request of a community that the node is in, and costs it a look at the signature if nothing stops it.
/// </summary>
internal sealed class FloodLoad : IDisposable
{
    private const int Sources = 256, Packets = 1_024, PacketBytesMax = 1_200;

    private readonly Socket[] _sockets = new Socket[Sources];
    private readonly byte[][] _junk = new byte[Packets][];
    private readonly SocketAddress _node;
    private volatile bool _stopped;
    private Thread? _thread;
    private long _sent;

    public FloodLoad(Endpoint node, CommunityId community)
    {
        _node = node.ToIPEndPoint().Serialize();
        var chance = new Prng(50_000);
        for (var i = 0; i < Sources; i++)
        {
            _sockets[i] = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            _sockets[i].Bind(new IPEndPoint(new IPAddress([127, (byte)chance.Next(1, 255), (byte)chance.Next(256), (byte)chance.Next(1, 255)]), 0));
        }
        Span<byte> header = stackalloc byte[Packet.HeaderBytes];
        (header[0], header[1]) = (0, 2);
        community.CopyTo(header[2..]);
        header[^1] = OverlayLimits.IntroductionRequestNumber;
        for (var i = 0; i < Packets; i++)
        {
            _junk[i] = new byte[chance.Next(30, PacketBytesMax)];
            chance.Fill(_junk[i]);
            if (i % 2 == 0) continue;
            header.CopyTo(_junk[i]);
            // A key of the right form, so that only the signature is wrong.
            if (_junk[i].Length < Packet.HeaderBytes + 2 + 74) continue;
            (_junk[i][Packet.HeaderBytes], _junk[i][Packet.HeaderBytes + 1]) = (0, 74);
            "LibNaCLPK:"u8.CopyTo(_junk[i].AsSpan(Packet.HeaderBytes + 2));
        }
    }

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Sends at this rate from a thread of its own until <see cref="Stop"/>.</summary>
    public void Start(int perSecond)
    {
        _thread = new Thread(() => Run(perSecond)) { IsBackground = true, Name = "bench flood" };
        _thread.Start();
    }

    public void Stop()
    {
        _stopped = true;
        _thread?.Join();
    }

    public void Dispose()
    {
        Stop();
        foreach (var socket in _sockets) socket.Dispose();
    }

    private void Run(int perSecond)
    {
        var began = TimeProvider.System.GetTimestamp();
        var sent = 0;
        while (!_stopped)
        {
            var due = (long)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * perSecond);
            // What this thread could not send in time is not made up for in one heap.
            if (due - sent > perSecond / 50) sent = (int)due - perSecond / 50;
            for (; sent < due; sent++)
            {
                try { _sockets[sent % Sources].SendTo(_junk[sent % Packets], SocketFlags.None, _node); }
                catch (SocketException) { continue; }
                Volatile.Write(ref _sent, _sent + 1);
            }
            Thread.Sleep(1);
        }
    }
}
