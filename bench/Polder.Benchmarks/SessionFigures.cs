using System.Net;
using System.Net.Sockets;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Secure sessions: handshakes on one core beside the curve and signature work that they are made of; packets through one session
/// over 127.0.0.1 beside the same datagrams through two bare sockets with the same encryption.
/// </summary>
internal static class SessionFigures
{
    private const int RoundCount = 5, FrameBytes = 1168, PacketsPerRound = 20_000;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        List<Round> handshakes = [];
        Handshakes(TimeSpan.FromMilliseconds(100));
        for (var round = 0; round < RoundCount; round++)
        {
            stop.ThrowIfCancellationRequested();
            handshakes.Add(new(Handshakes(TimeSpan.FromMilliseconds(250)), RawHandshakes(TimeSpan.FromMilliseconds(250))));
            say($"{handshakes[^1].Path:0} handshakes a second on one core, both sides together; their curve and signature work alone: {handshakes[^1].Raw:0}");
        }
        List<Round> packets = [];
        await using var pair = await Pair.StartAsync(stop).ConfigureAwait(false);
        await pair.RoundAsync(PacketsPerRound / 4, stop).ConfigureAwait(false);
        for (var round = 0; round < RoundCount; round++)
        {
            var raw = RawPackets(PacketsPerRound, stop);
            packets.Add(new(await pair.RoundAsync(PacketsPerRound, stop).ConfigureAwait(false), raw));
            say($"{packets[^1].Path:0} packets a second through one session ({packets[^1].Path * FrameBytes / 1e6:0} MB/s); bare sockets with the same encryption: {raw:0}");
        }
        var (h, p) = (Rounds.Median(handshakes), Rounds.Median(packets));
        return
        [
            new("handshakes on one core, both sides", h.Path, "a second", h.Raw, h.Share),
            new("packets of 1,197 bytes through one session over 127.0.0.1", p.Path, "a second", p.Raw, p.Share),
            new("the same in bytes of frames", p.Path * FrameBytes / 1e6, "MB/s", p.Raw * FrameBytes / 1e6, p.Share),
        ];
    }

    /// <summary>Whole IK handshakes a second: both sides, signatures included, no network.</summary>
    private static double Handshakes(TimeSpan duration)
    {
        using var alice = BenchKeys.Make(1);
        using var bob = BenchKeys.Make(2);
        var random = new Prng(1);
        var (first, second, signature, payload) = (new byte[400], new byte[400], new byte[64], new byte[131]);
        byte[] a = new byte[32], b = new byte[32];
        return Rounds.PerSecond(duration, _ =>
        {
            using var initiator = new NoiseHandshake(SodiumSessionCrypto.Instance, NoisePattern.IK, true, "prologue"u8, alice, bob.Public.BoxKey);
            using var responder = new NoiseHandshake(SodiumSessionCrypto.Instance, NoisePattern.IK, false, "prologue"u8, bob, default);
            var keys = initiator.WriteKeys(random, first);
            alice.Sign(initiator.Hash, signature);
            var length = keys + initiator.WritePayload(payload, first.AsSpan(keys));
            responder.ReadKeys(first);
            var hash = responder.Hash.ToArray();
            if (!responder.TryReadPayload(first.AsSpan(keys, length - keys), payload) || !Ed25519.Verify(alice.Public.SigningKey, hash, signature))
                throw new InvalidOperationException("The handshake failed.");
            keys = responder.WriteKeys(random, second);
            bob.Sign(responder.Hash, signature);
            length = keys + responder.WritePayload(payload.AsSpan(0, 91), second.AsSpan(keys));
            initiator.ReadKeys(second);
            hash = initiator.Hash.ToArray();
            if (!initiator.TryReadPayload(second.AsSpan(keys, length - keys), payload.AsSpan(0, 91)) || !Ed25519.Verify(bob.Public.SigningKey, hash, signature))
                throw new InvalidOperationException("The handshake failed.");
            initiator.Split(a, b);
            responder.Split(b, a);
        });
    }

    /// <summary>What a handshake cannot do without: two fresh keys, eight agreements, two signatures and two verifications.</summary>
    private static double RawHandshakes(TimeSpan duration)
    {
        using var key = BenchKeys.Make(3);
        byte[] secret = new byte[32], publicKey = new byte[32], shared = new byte[32], message = new byte[32], signature = new byte[64];
        new Prng(2).Fill(secret);
        return Rounds.PerSecond(duration, _ =>
        {
            for (var i = 0; i < 2; i++)
            {
                X25519.PublicKey(secret, publicKey);
                for (var j = 0; j < 4; j++) key.TryAgree(publicKey, shared);
                key.Sign(message, signature);
                if (!Ed25519.Verify(key.Public.SigningKey, message, signature)) throw new InvalidOperationException("A good signature was refused.");
            }
        });
    }

    /// <summary>Sealed, sent, received and opened by two threads with nothing else to do.</summary>
    private static double RawPackets(int count, CancellationToken stop)
    {
        using var from = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var to = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, ReceiveTimeout = 2000 };
        to.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        from.Connect(to.LocalEndPoint!);
        var received = 0;
        byte[] key = new byte[32], text = new byte[FrameBytes], packet = new byte[DataPacket.OverheadBytes + FrameBytes];
        var thread = new Thread(() =>
        {
            byte[] buffer = new byte[2048], opened = new byte[FrameBytes];
            while (Volatile.Read(ref received) < count)
            {
                var length = to.Receive(buffer);
                var counter = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(buffer.AsSpan(5));
                if (!SodiumSessionCrypto.Instance.TryOpen(key, counter, buffer.AsSpan(0, 13), buffer.AsSpan(13, length - 13), opened))
                    throw new InvalidOperationException("A good packet was refused.");
                Interlocked.Increment(ref received);
            }
        });
        thread.Start();
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            while (i - Volatile.Read(ref received) > Pair.OnTheWayMax) Thread.Yield();
            stop.ThrowIfCancellationRequested();
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(5), (ulong)i);
            SodiumSessionCrypto.Instance.Seal(key, (ulong)i, packet.AsSpan(0, 13), text, packet.AsSpan(13));
            from.Send(packet);
        }
        thread.Join();
        return count / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Two nodes on loops of their own with one session.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        public const int OnTheWayMax = 256;
        private static readonly FrameType Load = (FrameType)0x1F;

        private readonly List<(ThreadLoop Loop, UdpSocket Socket, NodeHost Host, KeyPair Key)> _nodes = [];
        private Session _session = null!;
        private long _received;

        public static async Task<Pair> StartAsync(CancellationToken stop)
        {
            var pair = new Pair();
            for (var i = 0; i < 2; i++)
            {
                var loop = new ThreadLoop($"bench loop {i}");
                var socket = UdpSocket.Bind(loop, 0, loopback: true);
                var environment = new NodeEnvironment(
                    loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng((ulong)(7 + i)), socket, new ThreadPoolWorkers(loop), Ed25519Signatures.Instance);
                var options = new OverlayOptions
                {
                    Sessions = new SessionOptions { PathMtuSteps = [] },
                }.ForLaboratory().WithoutRates();
                var key = BenchKeys.Make(500 + i);
                var host = await loop.InvokeAsync(() =>
                {
                    var node = new NodeHost(environment, key, options);
                    node.Sessions.OnFrame(Load, (_, _) =>
                    {
                        Interlocked.Increment(ref pair._received);
                        return true;
                    });
                    node.Start();
                    return node;
                }).ConfigureAwait(false);
                pair._nodes.Add((loop, socket, host, key));
            }
            var (first, second) = (pair._nodes[0], pair._nodes[1]);
            pair._session = await first.Loop.InvokeAsync(async () =>
                await first.Host.Sessions.OpenAsync(second.Key.Public, new DirectPath(first.Host, second.Socket.LocalEndpoint), stop)).ConfigureAwait(false)
                ?? throw new InvalidOperationException("No session.");
            return pair;
        }

        public async Task<double> RoundAsync(int count, CancellationToken stop)
        {
            var frame = new byte[FrameBytes];
            frame[0] = (byte)Load;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), FrameBytes - 3);
            var before = Interlocked.Read(ref _received);
            var began = TimeProvider.System.GetTimestamp();
            for (var sent = 0; sent < count;)
            {
                stop.ThrowIfCancellationRequested();
                if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(20)) throw new InvalidOperationException("Packets were lost.");
                var room = (int)Math.Min(count - sent, OnTheWayMax - (sent - (Interlocked.Read(ref _received) - before)));
                if (room < OnTheWayMax / 4 && sent + room < count)
                {
                    Thread.Yield();
                    continue;
                }
                sent += await _nodes[0].Loop.InvokeAsync(() =>
                {
                    for (var i = 0; i < room; i++)
                        if (!_session.TrySendPacket(frame, out _)) throw new InvalidOperationException("Not sent.");
                    return room;
                }).ConfigureAwait(false);
            }
            while (Interlocked.Read(ref _received) - before < count)
            {
                if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(20)) throw new InvalidOperationException("Packets were lost.");
                Thread.Yield();
            }
            return count / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (loop, socket, host, key) in _nodes)
            {
                await loop.InvokeAsync(async () => { await host.StopAsync(); return true; }).ConfigureAwait(false);
                socket.Dispose();
                await loop.DisposeAsync().ConfigureAwait(false);
                key.Dispose();
            }
        }
    }
}
