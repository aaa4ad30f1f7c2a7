using Polder.Cryptography;
using Polder.Node.Runtime;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Introduction-requests verified and answered on one loop, over real sockets on 127.0.0.1. Each costs one verification and
/// one signature, whatever else the node does; that is the limit.
/// </summary>
internal static class IntroductionFigures
{
    private const int FewPeers = 30, ManyPeers = 2_000;
    private const int RequestsPerRound = 3_000, RoundCount = 7;
    /// <summary>On their way at the same time: enough to keep the loop busy, too few to fill a buffer.</summary>
    private const int OnTheWayMax = 128;
    private const double ShareMin = 0.8;
    /// <summary>"No slower", on a machine whose clock is not exact to the last percent.</summary>
    private const double NoSlowerMin = 0.95;
    private const int SignedBytes = 180;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var raw = new RawSignatures(SignedBytes);
        await using var few = await Subject.StartAsync(FewPeers, stop).ConfigureAwait(false);
        say($"{FewPeers} peers are known");
        await using var many = await Subject.StartAsync(ManyPeers, stop).ConfigureAwait(false);
        say($"{ManyPeers} peers are known");
        await few.RoundAsync(stop).ConfigureAwait(false);
        await many.RoundAsync(stop).ConfigureAwait(false);
        List<Round> ofFew = [], ofMany = [], compared = [];
        for (var round = 0; round < RoundCount; round++)
        {
            var limit = raw.ExchangesPerSecond(TimeSpan.FromMilliseconds(100));
            var a = await few.RoundAsync(stop).ConfigureAwait(false);
            var b = await many.RoundAsync(stop).ConfigureAwait(false);
            limit = (limit + raw.ExchangesPerSecond(TimeSpan.FromMilliseconds(100))) / 2;
            ofFew.Add(new(a, limit));
            ofMany.Add(new(b, limit));
            compared.Add(new(b, a));
            say($"{a:0} and {b:0} a second; one verification and one signature: {limit:0}");
            say($"of the processor: {few.LoopMicroseconds:0.0} and {many.LoopMicroseconds:0.0} µs on the loop, {raw.ExchangeMicroseconds(500):0.0} µs raw");
        }
        var (x, y, z) = (Rounds.Median(ofFew), Rounds.Median(ofMany), Rounds.Median(compared));
        return
        [
            new($"introductions answered, {FewPeers} known peers", x.Path, "a second", x.Raw, x.Share, "at least 0.80", x.Share >= ShareMin),
            new($"introductions answered, {ManyPeers} known peers", y.Path, "a second", y.Raw, y.Share, "at least 0.80", y.Share >= ShareMin),
            new($"{ManyPeers} known peers beside {FewPeers}", z.Path, "a second", z.Raw, z.Share, "no slower (0.95)", z.Share >= NoSlowerMin),
        ];
    }

    /// <summary>A node under load.</summary>
    private sealed class Subject : IAsyncDisposable
    {
        private readonly ThreadLoop _loop;
        private readonly UdpSocket _socket;
        private readonly NodeHost _host;
        private readonly IntroductionLoad _load;

        private Subject(ThreadLoop loop, UdpSocket socket, NodeHost host, IntroductionLoad load) =>
            (_loop, _socket, _host, _load) = (loop, socket, host, load);

        public static async Task<Subject> StartAsync(int peers, CancellationToken stop)
        {
            var loop = new ThreadLoop("bench loop");
            var socket = UdpSocket.Bind(loop, 0, loopback: true);
            var environment = new NodeEnvironment(
                loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(7), socket, new ThreadPoolWorkers(loop), Ed25519Signatures.Instance);
            var options = new OverlayOptions { PeersMax = peers + 100, IntroductionsMax = 32_768 }.ForLaboratory().WithoutRates();
            var (host, community) = await loop.InvokeAsync(() =>
            {
                var node = new NodeHost(environment, BenchKeys.Make(999_999), options);
                var joined = node.Join(static context => new LoadedCommunity(context));
                node.Start();
                return (node, joined);
            }).ConfigureAwait(false);
            var load = new IntroductionLoad(peers, socket.LocalEndpoint, community.CommunityId);
            load.ProveAll(() => community.Peers.Count >= peers, stop);
            return new Subject(loop, socket, host, load);
        }

        /// <summary>What a request cost the processor on the loop, in the last round.</summary>
        public double LoopMicroseconds { get; private set; }

        public async Task<double> RoundAsync(CancellationToken stop)
        {
            var cost = await _loop.InvokeAsync(ProcessorTime.OfThread).ConfigureAwait(false);
            var rate = Round(stop);
            LoopMicroseconds = (await _loop.InvokeAsync(ProcessorTime.OfThread).ConfigureAwait(false) - cost).TotalMicroseconds / RequestsPerRound;
            return rate;
        }

        /// <summary>Requests answered a second: sent, received, verified, answered, and the answers arrived.</summary>
        private double Round(CancellationToken stop)
        {
            _load.Drain();
            var seen = _load.AnswersSeen;
            var answered = Answered;
            var began = TimeProvider.System.GetTimestamp();
            var idleSince = began;
            for (var sent = 0; sent < RequestsPerRound;)
            {
                if (sent - (Answered - answered) < OnTheWayMax)
                {
                    _load.SendNext();
                    sent++;
                    idleSince = TimeProvider.System.GetTimestamp();
                }
                else Wait(idleSince, stop);
            }
            while (Answered - answered < RequestsPerRound) Wait(idleSince, stop);
            var passed = TimeProvider.System.GetElapsedTime(began);
            Thread.Sleep(20);
            _load.Drain();
            if (_load.AnswersSeen - seen < RequestsPerRound * 98 / 100)
                throw new InvalidOperationException($"Of {RequestsPerRound} answers only {_load.AnswersSeen - seen} arrived.");
            return RequestsPerRound / passed.TotalSeconds;
        }

        public async ValueTask DisposeAsync()
        {
            await _loop.InvokeAsync(async () => { await _host.StopAsync(); return true; }).ConfigureAwait(false);
            _socket.Dispose();
            await _loop.DisposeAsync().ConfigureAwait(false);
            _load.Dispose();
        }

        private long Answered => _host.Counters.IntroductionsAnswered;

        private static void Wait(long since, CancellationToken stop)
        {
            stop.ThrowIfCancellationRequested();
            if (TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromSeconds(5)) throw new InvalidOperationException("The node stopped answering.");
            // The load lives on the other core together with the thread that receives: it must not spin there.
            Thread.Sleep(0);
        }
    }

    private sealed class LoadedCommunity(CommunityContext context) : Community(CommunityId.FromName("polder/bench"u8), context);
}
