using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Polder.Examples;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Simulation;

namespace Polder.Benchmarks;

/// <summary>
/// One node with many live neighbours. On 127.0.0.1 the node is real, and its neighbours are a light generator in this process: keys and
/// sockets of their own, and each asks for an introduction every 15 s, as a peer with thirty peers does that walks twice a second. What they
/// cost is the loop's processor time and the node's memory; beside it an echo between two plain sockets tells what the machine's own ping
/// suffers (published for 500 connections of another program: about 50 ms). The idle hour is measured on virtual time, where all are real nodes.
/// </summary>
internal static class NeighbourFigures
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(15);

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var seconds = BenchScale.Of("NEIGHBOUR_SECONDS", small: 6, full: 30);
        var few = await LiveAsync(500, TimeSpan.FromSeconds(seconds), say, stop).ConfigureAwait(false);
        var many = await LiveAsync((int)BenchScale.Of("NEIGHBOURS", small: 2_000, full: 5_000), TimeSpan.FromSeconds(seconds), say, stop).ConfigureAwait(false);
        var growth = many.MessagesPerMinute / few.MessagesPerMinute / ((double)many.Neighbours / few.Neighbours);
        var figures = new List<Figure>();
        foreach (var one in (Live[])[few, many])
        {
            figures.Add(new($"messages in and out, {one.Neighbours} live neighbours", one.MessagesPerMinute, "a minute", null, null));
            figures.Add(new($"of one core, {one.Neighbours} live neighbours", 100 * one.Core, "%", null, null));
            figures.Add(new($"memory, {one.Neighbours} live neighbours", one.KilobytesEach, "KB each", null, null));
            figures.Add(new($"added latency of a ping to the machine, {one.Neighbours} live neighbours", one.AddedMilliseconds, "ms", 50, one.AddedMilliseconds / 50, "below 50 ms", one.AddedMilliseconds < 50));
        }
        figures.Add(new($"messages a neighbour, {many.Neighbours} beside {few.Neighbours}", growth, "", 1, growth, "linear (0.85 to 1.15)", growth is > 0.85 and < 1.15));
        foreach (var count in BenchScale.IsFull ? (int[])[500, 5_000] : [200]) figures.AddRange(IdleHour(count, say));
        return figures;
    }

    private sealed record Live(int Neighbours, double MessagesPerMinute, double Core, double KilobytesEach, double AddedMilliseconds);

    private static async Task<Live> LiveAsync(int neighbours, TimeSpan duration, Action<string> say, CancellationToken stop)
    {
        await using var loop = new ThreadLoop("bench neighbours");
        using var socket = UdpSocket.Bind(loop, 0, loopback: true);
        var environment = new NodeEnvironment(
            loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(7), socket, new ThreadPoolWorkers(loop), Ed25519Signatures());
        // So many newcomers at once are no part of the question: nothing holds them up.
        var options = new OverlayOptions
        {
            PeersMax = neighbours + 100, IntroductionsMax = 32_768, CandidatesMax = 2 * neighbours, SourceSlots = 65_536, WalksPerSecond = 10_000,
        }.ForLaboratory().WithoutRates();
        var (host, community) = await loop.InvokeAsync(() =>
        {
            var node = new NodeHost(environment, BenchKeys.Make(999_998), options);
            var joined = node.Join(static context => new LoadedCommunity(context));
            node.Start();
            return (node, joined);
        }).ConfigureAwait(false);
        using var load = new IntroductionLoad(neighbours, socket.LocalEndpoint, community.CommunityId);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        load.ProveAll(() => community.Peers.Count >= neighbours, stop);
        var kilobytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0 / neighbours;
        using var echo = new Echo();
        Thread.Sleep(500);
        var calm = echo.Median(200);
        var cost = await loop.InvokeAsync(ProcessorTime.OfThread).ConfigureAwait(false);
        var (messages, began, sent) = (host.Counters.Received + host.Counters.Sent, TimeProvider.System.GetTimestamp(), 0);
        List<double> pings = [];
        TimeSpan passed;
        while ((passed = TimeProvider.System.GetElapsedTime(began)) < duration)
        {
            stop.ThrowIfCancellationRequested();
            var due = (int)(neighbours * (passed / Period));
            for (; sent < due; sent++) load.SendNext();
            load.Drain();
            pings.Add(echo.Once());
            Thread.Sleep(2);
        }
        var core = (await loop.InvokeAsync(ProcessorTime.OfThread).ConfigureAwait(false) - cost) / passed;
        var perMinute = (host.Counters.Received + host.Counters.Sent - messages) / passed.TotalMinutes;
        var kept = community.Peers.Count;
        await loop.InvokeAsync(async () => { await host.StopAsync(); return true; }).ConfigureAwait(false);
        var live = new Live(neighbours, perMinute, core, kilobytes, Rounds.Median(pings) - calm);
        say($"{neighbours} neighbours ({kept} still known): {perMinute:0} messages a minute, {100 * core:0.0} % of a core, {kilobytes:0.0} KB each; ping {calm:0.000} ms calm, {live.AddedMilliseconds:0.000} ms more");
        return live;

        static Polder.Cryptography.ISignatures Ed25519Signatures() => Polder.Cryptography.Ed25519Signatures.Instance;
    }

    /// <summary>A quiet hour of a node whose neighbours are whole nodes, ten virtual minutes times six.</summary>
    private static List<Figure> IdleHour(int count, Action<string> say)
    {
        var world = new World(1, new LinkModel { Latency = 40.Milliseconds, Jitter = 20.Milliseconds }, new WorldOptions { Scenario = "neighbours" });
        var small = new OverlayOptions { SourceSlots = 256, PeersMax = 24, WalkTarget = 1, PeersWanted = 1 }.ForLaboratory();
        var subject = world.AddNode("subject", options: new OverlayOptions { PeersMax = count + 100, SourceSlots = 4096 }.ForLaboratory().WithoutRates())
            .Join(context => new HelloCommunity(context));
        for (var i = 0; i < count; i++)
        {
            world.AddNode($"n{i}", options: small).Join(context => new HelloCommunity(context)).WalkTo(subject);
            if (i % 100 == 99) world.RunFor(TimeSpan.FromSeconds(1));
        }
        world.RunFor(TimeSpan.FromMinutes(3));
        var counters = subject.Host.Counters;
        var (bytes, packets) = (counters.BytesIn + counters.BytesOut, counters.Received + counters.Sent);
        world.RunFor(TimeSpan.FromMinutes(10));
        (bytes, packets) = (counters.BytesIn + counters.BytesOut - bytes, counters.Received + counters.Sent - packets);
        var known = subject.Host.Peers.Count;
        say($"{count} whole nodes around one, {known} known to it, ten quiet virtual minutes: {packets} packets, {bytes / 1e6:0.00} MB in and out");
        return
        [
            new($"packets in an idle hour, in and out, {known} neighbours", 6.0 * packets, "", null, null),
            new($"bytes in an idle hour, in and out, {known} neighbours", 6.0 * bytes / 1e6, "MB", null, null),
        ];
    }

    /// <summary>Two plain sockets and a thread that sends back what comes: the machine's own ping.</summary>
    private sealed class Echo : IDisposable
    {
        private readonly Socket _here = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp), _there = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly byte[] _ping = new byte[56];

        public Echo()
        {
            _there.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _here.Connect(_there.LocalEndPoint!);
            _here.ReceiveTimeout = 2_000;
            new Thread(Reflect) { IsBackground = true }.Start();
        }

        /// <summary>One round trip in milliseconds.</summary>
        public double Once()
        {
            var began = Stopwatch.GetTimestamp();
            _here.Send(_ping);
            _here.Receive(_ping);
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }

        public double Median(int count)
        {
            List<double> times = [];
            for (var i = 0; i < count; i++)
            {
                times.Add(Once());
                Thread.Sleep(2);
            }
            return Rounds.Median(times);
        }

        public void Dispose()
        {
            _there.Dispose();
            _here.Dispose();
        }

        private void Reflect()
        {
            var buffer = new byte[64];
            EndPoint from = new IPEndPoint(IPAddress.Loopback, 0);
            try
            {
                while (true)
                {
                    var length = _there.ReceiveFrom(buffer, ref from);
                    _there.SendTo(buffer.AsSpan(0, length), SocketFlags.None, from);
                }
            }
            catch (Exception problem) when (problem is SocketException or ObjectDisposedException) { }
        }
    }

    private sealed class LoadedCommunity(CommunityContext context) : Community(CommunityId.FromName("polder/bench"u8), context);
}
