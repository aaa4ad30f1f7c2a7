using System.Net;
using System.Net.Sockets;
using Polder.Cryptography;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Runtime;
using Polder.Simulation;

namespace Polder.Benchmarks;

/// <summary>
/// One stream between two nodes over 127.0.0.1: two loops and two receiving threads in one process, so nothing is saved but the second
/// runtime. Beside it what UDP itself carries at the same moment, with datagrams of the same size; and one stream over a simulated line.
/// </summary>
internal static class TransferFigures
{
    private const int RoundCount = 5;
    private const double BytesPerSecondMin = 100e6;
    private const double LineShareMin = 0.8;
    private const int DatagramBytes = 1440;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        await using var alice = await TransferNode.StartAsync(1).ConfigureAwait(false);
        await using var bob = await TransferNode.StartAsync(2).ConfigureAwait(false);
        var (session, stream) = await alice.PourAsync(bob).ConfigureAwait(false);
        // The first seconds pay for the compiler and for path MTU discovery.
        await Task.Delay(TimeSpan.FromSeconds(3), stop).ConfigureAwait(false);
        List<Round> rounds = [];
        for (var round = 0; round < RoundCount; round++)
        {
            await alice.PauseAsync(true).ConfigureAwait(false);
            await Task.Delay(50, stop).ConfigureAwait(false);
            var raw = RawUdp(RoundTime / 2);
            await alice.PauseAsync(false).ConfigureAwait(false);
            await Task.Delay(100, stop).ConfigureAwait(false);
            var cost = ProcessorTime.OfProcess();
            var (before, began) = (bob.BytesRead, TimeProvider.System.GetTimestamp());
            var loops = (A: await alice.CostAsync().ConfigureAwait(false), B: await bob.CostAsync().ConfigureAwait(false));
            await Task.Delay(RoundTime, stop).ConfigureAwait(false);
            var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            var rate = (bob.BytesRead - before) / seconds;
            var (a, b) = ((await alice.CostAsync().ConfigureAwait(false) - loops.A).TotalSeconds, (await bob.CostAsync().ConfigureAwait(false) - loops.B).TotalSeconds);
            rounds.Add(new(rate / 1e6, raw / 1e6));
            var figures = await alice.Loop.InvokeAsync(() => alice.Host.Streams.FiguresOf(session)).ConfigureAwait(false);
            say($"{rate / 1e6:0} MB/s; UDP alone {raw / 1e6:0} MB/s; processors {(ProcessorTime.OfProcess() - cost).TotalSeconds / seconds:0.00} (loops {a / seconds:0.00} and {b / seconds:0.00}); "
                + $"datagrams of {session.Path.DatagramBytesMax}; {figures?.PacketsLost} of {figures?.PacketsSent} lost, window {figures?.ForegroundWindowBytes}, dropped behind {bob.Socket.DroppedBehind}");
        }
        await alice.Loop.InvokeAsync(() => stream.Reset()).ConfigureAwait(false);
        rounds.Sort(static (x, y) => x.Path.CompareTo(y.Path));
        var median = rounds[rounds.Count / 2];
        var (clean, noisy) = (LineShare(0, 1), LineShare(0.01, 2));
        say($"over a simulated line of 10 Mbit/s and 40 ms: {clean:P1} of it, at 1 % loss {noisy:P1}");
        return
        [
            new("one stream over loopback", median.Path, "MB/s", median.Raw, median.Share, "at least 100 MB/s", median.Path >= BytesPerSecondMin / 1e6),
            new("one stream over 10 Mbit/s, 40 ms, simulated", clean * 1.25, "MB/s", 1.25, clean, "at least 0.80", clean >= LineShareMin),
            new("the same with 1 % loss", noisy * 1.25, "MB/s", 1.25, noisy, "at least 0.80", noisy >= LineShareMin),
        ];
    }

    /// <summary>What plain UDP sockets carry: one thread sends, one receives, one system call a datagram.</summary>
    private static double RawUdp(TimeSpan duration)
    {
        using var from = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var to = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, ReceiveTimeout = 200 };
        to.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var target = ((IPEndPoint)to.LocalEndPoint!).Serialize();
        var (got, until) = (0L, TimeProvider.System.GetTimestamp());
        var receiver = new Thread(() =>
        {
            var buffer = new byte[2048];
            try { while (true) got += to.Receive(buffer); }
            catch (SocketException) { }
        });
        receiver.Start();
        var datagram = new byte[DatagramBytes];
        while (TimeProvider.System.GetElapsedTime(until) < duration)
            for (var i = 0; i < 32; i++) from.SendTo(datagram, SocketFlags.None, target);
        var rate = got / TimeProvider.System.GetElapsedTime(until).TotalSeconds;
        receiver.Join();
        return rate;
    }

    /// <summary>The share of a simulated line that one stream uses.</summary>
    private static double LineShare(double loss, ulong seed)
    {
        const double bytesPerSecond = 10e6 / 8;
        var world = new World(seed, new LinkModel { Latency = TimeSpan.FromMilliseconds(20), BandwidthBytesPerSecond = bytesPerSecond, Loss = loss });
        var options = new OverlayOptions { SourceSlots = 1024 }.ForLaboratory();
        var (alice, bob) = (world.AddNode("alice", null, options, static (_, _) => { }), world.AddNode("bob", null, options, static (_, _) => { }));
        var got = 0L;
        bob.Run(() => bob.Host.Streams.Accept("sink", async stream => got = await TransferNode.DrainAsync(stream, count => got += count)));
        alice.Run(() => _ = SendAsync());
        world.RunFor(TimeSpan.FromSeconds(3));
        var before = got;
        world.RunFor(TimeSpan.FromSeconds(30));
        return (got - before) / 30.0 / bytesPerSecond;

        async Task SendAsync()
        {
            Session? session = null;
            while (session is null) session = await alice.Host.Sessions.OpenAsync(bob.Identity.Public, new DirectPath(alice.Host, bob.PublicEndpoint));
            var stream = await alice.Host.Streams.OpenAsync(session, "sink");
            var chunk = new byte[256 * 1024];
            while (true) await stream!.WriteAsync(chunk);
        }
    }
}

/// <summary>A node for transfers, and what it sends and reads.</summary>
internal sealed class TransferNode : IAsyncDisposable
{
    private long _read;
    private TaskCompletionSource? _pause;

    private TransferNode(ThreadLoop loop, UdpSocket socket, NodeHost host) => (Loop, Socket, Host) = (loop, socket, host);

    public ThreadLoop Loop { get; }
    public UdpSocket Socket { get; }
    public NodeHost Host { get; }
    public long BytesRead => Volatile.Read(ref _read);

    public static async Task<TransferNode> StartAsync(int number)
    {
        var loop = new ThreadLoop($"bench loop {number}");
        var socket = UdpSocket.Bind(loop, 0, loopback: true);
        var environment = new NodeEnvironment(
            loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng((ulong)number), socket, new ThreadPoolWorkers(loop), Ed25519Signatures.Instance);
        var host = await loop.InvokeAsync(() =>
        {
            var node = new NodeHost(environment, BenchKeys.Make(700_000 + number), new OverlayOptions().ForLaboratory());
            node.Start();
            return node;
        }).ConfigureAwait(false);
        var made = new TransferNode(loop, socket, host);
        await loop.InvokeAsync(() => host.Streams.Accept("sink", stream => DrainAsync(stream, count => Volatile.Write(ref made._read, made._read + count)))).ConfigureAwait(false);
        return made;
    }

    /// <summary>Opens a stream to the other node and writes into it without end.</summary>
    public Task<(Session Session, PeerStream Stream)> PourAsync(TransferNode other) => Loop.InvokeAsync(async () =>
    {
        var session = await Host.Sessions.OpenAsync(other.Host.Identity.Public, new DirectPath(Host, other.Socket.LocalEndpoint))
            ?? throw new InvalidOperationException("The two nodes did not find each other.");
        var stream = await Host.Streams.OpenAsync(session, "sink") ?? throw new InvalidOperationException("The session ended.");
        _ = WriteAsync();
        return (session, stream);

        async Task WriteAsync()
        {
            var chunk = new byte[1 << 20];
            try
            {
                while (true)
                {
                    if (_pause is { } pause) await pause.Task;
                    await stream.WriteAsync(chunk);
                }
            }
            catch (PeerStreamException) { }
        }
    });

    public Task PauseAsync(bool on) => Loop.InvokeAsync(() =>
    {
        _pause?.TrySetResult();
        _pause = on ? new TaskCompletionSource() : null;
    });

    /// <summary>What the loop's thread has cost so far.</summary>
    public Task<TimeSpan> CostAsync() => Loop.InvokeAsync(ProcessorTime.OfThread);

    /// <summary>Reads to the end, and tells of every piece.</summary>
    public static async Task<long> DrainAsync(PeerStream stream, Action<int> read)
    {
        var buffer = new byte[256 * 1024];
        var all = 0L;
        while (await stream.ReadAsync(buffer) is var count and > 0)
        {
            read(count);
            all += count;
        }
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(async () => { await Host.StopAsync(); return true; }).ConfigureAwait(false);
        Socket.Dispose();
        await Loop.DisposeAsync().ConfigureAwait(false);
    }
}
