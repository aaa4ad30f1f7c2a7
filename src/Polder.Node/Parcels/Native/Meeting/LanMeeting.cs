using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using Polder.Apps.Parcels.Native;

namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>A sender that answered on the LAN.</summary>
internal sealed record LanSender(byte[] Key, IPEndPoint Address);

/// <summary>
/// Meeting on the LAN: the receiver asks by multicast, the sender answers it alone. In loopback no datagram leaves the machine: the question goes to
/// sixteen ports of 127.0.0.1, of which each sender holds one.
/// </summary>
internal static class LanMeeting
{
    /// <summary>Answers questions until disposed. <paramref name="isOurs"/> says whether a rendezvous is asked for here.</summary>
    /// <returns>Null, when every port is taken or there is no network.</returns>
    public static IDisposable? Answer(bool loopback, Func<byte[], bool> isOurs, byte[] key, ushort port)
    {
        if (loopback)
        {
            for (var number = 0; number < LanDatagram.LoopbackPorts; number++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                try
                {
                    socket.Bind(new IPEndPoint(IPAddress.Loopback, LanDatagram.Port4Questions + number));
                    return new Answerer([socket], isOurs, key, port);
                }
                catch (SocketException) { socket.Dispose(); }
            }
            return null;
        }
        var sockets = new List<Socket>();
        foreach (var (family, any, group) in new[] { (AddressFamily.InterNetwork, IPAddress.Any, LanDatagram.Group4), (AddressFamily.InterNetworkV6, IPAddress.IPv6Any, LanDatagram.Group6) })
        {
            var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                // Several programs of one machine wait at this port.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                if (family == AddressFamily.InterNetworkV6) socket.DualMode = false;
                socket.Bind(new IPEndPoint(any, LanDatagram.Port4Questions));
                if (family == AddressFamily.InterNetwork) socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(IPAddress.Parse(group)));
                else socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(IPAddress.Parse(group)));
                sockets.Add(socket);
            }
            catch (SocketException) { socket.Dispose(); }
        }
        return sockets.Count == 0 ? null : new Answerer(sockets, isOurs, key, port);
    }

    /// <summary>
    /// Asks at 0, 0.5, 1, 2, 4 s and then each 10 s (2 s within the machine), until cancelled. Each sender is given once for each time it was asked: a run
    /// with it that came to nothing may go better at the next.
    /// </summary>
    public static async IAsyncEnumerable<LanSender> AskAsync(bool loopback, Func<IReadOnlyList<byte[]>> meetings, [EnumeratorCancellation] CancellationToken cancel)
    {
        var found = Channel.CreateBounded<LanSender>(64);
        var nonce = RandomNumberGenerator.GetBytes(8);
        var sockets = new List<Socket>();
        foreach (var family in loopback ? [AddressFamily.InterNetwork] : new[] { AddressFamily.InterNetwork, AddressFamily.InterNetworkV6 })
        {
            var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                if (loopback) socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                else
                {
                    socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
                    socket.Ttl = 1;
                    socket.SetSocketOption(family == AddressFamily.InterNetwork ? SocketOptionLevel.IP : SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, 1);
                }
                sockets.Add(socket);
            }
            catch (SocketException) { socket.Dispose(); }
        }
        var round = 0;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            var asking = AskAllAsync();
            var reading = sockets.ConvertAll(ReadAsync);
            while (await found.Reader.WaitToReadAsync(cancel).ConfigureAwait(false))
                while (found.Reader.TryRead(out var sender)) yield return sender;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (var socket in sockets) socket.Dispose();
        }

        async Task AskAllAsync()
        {
            for (; !over.IsCancellationRequested; Interlocked.Increment(ref round))
            {
                foreach (var meeting in meetings())
                {
                    var question = new LanDatagram(meeting, nonce).Write();
                    foreach (var socket in sockets)
                        foreach (var target in Targets(socket.AddressFamily))
                        {
                            try { await socket.SendToAsync(question, target, over.Token).ConfigureAwait(false); }
                            catch (Exception problem) when (problem is SocketException or OperationCanceledException or ObjectDisposedException) { }
                        }
                }
                var next = round + 1 < LanDatagram.AskAt.Length ? LanDatagram.AskAt[round + 1] - LanDatagram.AskAt[round] : loopback ? 2 : 10;
                await Task.Delay(TimeSpan.FromSeconds(next), over.Token).ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
            }
        }

        IEnumerable<IPEndPoint> Targets(AddressFamily family) => loopback
            ? Enumerable.Range(LanDatagram.Port4Questions, LanDatagram.LoopbackPorts).Select(static port => new IPEndPoint(IPAddress.Loopback, port))
            : [new IPEndPoint(IPAddress.Parse(family == AddressFamily.InterNetwork ? LanDatagram.Group4 : LanDatagram.Group6), LanDatagram.Port4Questions)];

        async Task ReadAsync(Socket socket)
        {
            var buffer = new byte[256];
            var seen = new HashSet<string>();
            var seenIn = 0;
            while (!over.IsCancellationRequested)
            {
                try
                {
                    var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0), over.Token).ConfigureAwait(false);
                    if (LanDatagram.TryRead(buffer.AsSpan(0, got.ReceivedBytes)) is not { IsAnswer: true } answer || !answer.Nonce.AsSpan().SequenceEqual(nonce)) continue;
                    if (!meetings().Any(meeting => meeting.AsSpan().SequenceEqual(answer.Meeting))) continue;
                    var from = (IPEndPoint)got.RemoteEndPoint;
                    if (Volatile.Read(ref round) is var now && seenIn != now)
                    {
                        seenIn = now;
                        seen.Clear();
                    }
                    // Sixty-four are more than any LAN needs.
                    if (seen.Count < 64 && seen.Add(from.Address + " " + answer.Port + Convert.ToHexString(answer.Key!))) found.Writer.TryWrite(new LanSender(answer.Key!, new IPEndPoint(from.Address, answer.Port)));
                }
                catch (SocketException) { }
                catch (Exception problem) when (problem is OperationCanceledException or ObjectDisposedException) { return; }
            }
        }
    }

    private sealed class Answerer : IDisposable
    {
        private readonly List<Socket> _sockets;

        public Answerer(List<Socket> sockets, Func<byte[], bool> isOurs, byte[] key, ushort port)
        {
            _sockets = sockets;
            foreach (var socket in sockets) _ = RunAsync(socket, isOurs, key, port);
        }

        public void Dispose()
        {
            foreach (var socket in _sockets) socket.Dispose();
        }

        private static async Task RunAsync(Socket socket, Func<byte[], bool> isOurs, byte[] key, ushort port)
        {
            var buffer = new byte[256];
            while (true)
            {
                try
                {
                    var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0)).ConfigureAwait(false);
                    if (LanDatagram.TryRead(buffer.AsSpan(0, got.ReceivedBytes)) is not { IsAnswer: false } question || !isOurs(question.Meeting)) continue;
                    await socket.SendToAsync(new LanDatagram(question.Meeting, question.Nonce, key, port).Write(), got.RemoteEndPoint).ConfigureAwait(false);
                }
                catch (ObjectDisposedException) { return; }
                catch (SocketException problem) when (problem.SocketErrorCode is SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket) { return; }
                catch (SocketException) { }
            }
        }
    }
}
