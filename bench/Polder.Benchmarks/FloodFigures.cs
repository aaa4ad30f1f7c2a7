using Polder.Cryptography;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// OV-4.4: a node on a real socket of 127.0.0.1 answers those whom it knows while strangers send 50,000 junk packets a second,
/// and its memory does not grow. The flood comes from this very process, so it takes its share of the two cores too.
/// </summary>
internal static class FloodFigures
{
    private const int KnownPeers = 20, RequestsPerSecond = 400;
    private const int JunkPerSecond = 50_000;
    private const double ServedMin = 0.95, GrowthMegabytesMax = 10, RateMin = 0.9;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2), Flooded = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        await using var loop = new ThreadLoop("bench loop");
        using var socket = UdpSocket.Bind(loop, 0, loopback: true);
        var environment = new NodeEnvironment(
            loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(7), socket, new ThreadPoolWorkers(loop), Ed25519Signatures.Instance);
        using var identity = BenchKeys.Make(999_997);
        var (host, community) = await loop.InvokeAsync(() =>
        {
            var node = new NodeHost(environment, identity, new OverlayOptions().ForLaboratory());
            var joined = node.Join(static context => new FloodedCommunity(context));
            node.Start();
            return (node, joined);
        }).ConfigureAwait(false);
        try
        {
            using var known = new IntroductionLoad(KnownPeers, socket.LocalEndpoint, community.CommunityId);
            known.ProveAll(() => community.Peers.Count >= KnownPeers, stop);
            using var flood = new FloodLoad(socket.LocalEndpoint, community.CommunityId);
            var quiet = Serve(known, Quiet, stop);
            say($"{quiet.Answered} of {quiet.Sent} requests of known peers are answered in peace");
            var before = Memory();
            flood.Start(JunkPerSecond);
            var served = Serve(known, Flooded, stop);
            flood.Stop();
            var rate = flood.Sent / Flooded.TotalSeconds;
            var grown = Math.Max(0, Memory() - before);
            var checkedOf = await loop.InvokeAsync(() => host.Counters.SignaturesChecked).ConfigureAwait(false);
            say($"{served.Answered} of {served.Sent} under {rate:0} junk packets a second; {socket.DroppedBehind} waited too long for the loop; {checkedOf} signatures checked");
            var share = (double)served.Answered / served.Sent;
            return
            [
                new("junk packets sent meanwhile", rate, "a second", JunkPerSecond, rate / JunkPerSecond, "at least 0.90 of 50,000", rate / JunkPerSecond >= RateMin),
                new("known peers' requests answered under junk", 100 * share, "%", 100, share, "at least 0.95", share >= ServedMin),
                new("memory grown under junk", grown, "MB", GrowthMegabytesMax, grown / GrowthMegabytesMax, "under 10 MB", grown < GrowthMegabytesMax),
            ];
        }
        finally
        {
            await loop.InvokeAsync(async () => { await host.StopAsync(); return true; }).ConfigureAwait(false);
        }
    }

    private static (int Sent, long Answered) Serve(IntroductionLoad known, TimeSpan duration, CancellationToken stop)
    {
        known.Drain();
        var seen = known.AnswersSeen;
        var began = TimeProvider.System.GetTimestamp();
        var sent = 0;
        TimeSpan passed;
        while ((passed = TimeProvider.System.GetElapsedTime(began)) < duration)
        {
            stop.ThrowIfCancellationRequested();
            for (; sent < passed.TotalSeconds * RequestsPerSecond; sent++) known.SendNext();
            Thread.Sleep(2);
            known.Drain();
        }
        Thread.Sleep(200);
        known.Drain();
        return (sent, known.AnswersSeen - seen);
    }

    private static double Memory()
    {
        GC.Collect();
        return Environment.WorkingSet / 1e6;
    }

    private sealed class FloodedCommunity(CommunityContext context) : Community(CommunityId.FromName("polder/bench flood"u8), context);
}
