using Polder.Overlay.Streams;

namespace Polder.Tests.Overlay.Streams;

/// <summary>How streams share a line: a drop-tail queue of 100 ms, 10 Mbit/s, 40 ms there and back.</summary>
public sealed class CongestionTests
{
    private const double Line = 10e6 / 8;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static PacketPipe NewPipe(double loss = 0) => new(StreamTests.FreshSeed(), new PipeModel { BytesPerSecond = Line, Loss = loss });

    private static Counter Sink(PipeEnd end)
    {
        var counter = new Counter();
        end.Handlers["sink"] = async stream =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0) counter[stream.Number] += count;
        };
        return counter;
    }

    private static void Pour(PacketPipe pipe, PipeEnd from, int priority, int streams = 1) => pipe.Run(async () =>
    {
        for (var i = 0; i < streams; i++) _ = StreamTests.Pour(await from.OpenAsync("sink", priority), 16 * 1024);
    }, Minute);

    [Fact]
    public void A_background_flow_alone_uses_the_line_and_adds_less_than_80_ms()
    {
        var pipe = NewPipe();
        var got = Sink(pipe.Bob);
        Pour(pipe, pipe.Alice, priority: 2);
        pipe.RunFor(TimeSpan.FromSeconds(60));
        var share = got.Total / 60.0 / Line;
        var delays = pipe.Line.Delays.Where(delay => delay.At > TimeSpan.FromSeconds(10)).Select(delay => delay.Delay).Order().ToArray();
        var (median, p99) = (delays[delays.Length / 2], delays[delays.Length * 99 / 100]);
        Say($"{share:P1} of the line; queue {median.TotalMilliseconds:0} ms median, {p99.TotalMilliseconds:0} ms 99th, {delays[^1].TotalMilliseconds:0} ms most; seed {pipe.Seed}");
        Assert.True(share > 0.75, $"{share:P1} of the line, seed {pipe.Seed}");
        Assert.True(p99 < TimeSpan.FromMilliseconds(80), $"the queue is {p99.TotalMilliseconds} ms, seed {pipe.Seed}");
    }

    [Fact]
    public void A_background_flow_yields_80_percent_to_a_foreground_flow_of_another_session()
    {
        var pipe = NewPipe();
        var (other, otherEnd) = pipe.AddPair();
        var (back, fore) = (Sink(pipe.Bob), Sink(otherEnd));
        Pour(pipe, pipe.Alice, priority: 2);
        pipe.RunFor(TimeSpan.FromSeconds(20));
        Pour(pipe, other, priority: 1);
        pipe.RunFor(TimeSpan.FromSeconds(5));
        var (backBefore, foreBefore) = (back.Total, fore.Total);
        pipe.RunFor(TimeSpan.FromSeconds(30));
        var share = (double)(fore.Total - foreBefore) / (fore.Total - foreBefore + back.Total - backBefore);
        Say($"foreground has {share:P1}; together {(fore.Total - foreBefore + back.Total - backBefore) / 30.0 / Line:P1} of the line; seed {pipe.Seed}");
        Assert.True(share >= 0.8, $"{share:P1}, seed {pipe.Seed}");
    }

    [Fact]
    public void A_background_stream_yields_to_a_foreground_stream_of_its_own_session_and_comes_back()
    {
        var pipe = NewPipe();
        var got = Sink(pipe.Bob);
        Pour(pipe, pipe.Alice, priority: 3);
        pipe.RunFor(TimeSpan.FromSeconds(10));
        var before = got.Total;
        PeerStream? urgent = null;
        pipe.Run(async () => urgent = await pipe.Alice.OpenAsync("sink", 1), Minute);
        _ = pipe.Run(() => { _ = StreamTests.Pour(urgent); return Task.FromResult(0); }, Minute);
        pipe.RunFor(TimeSpan.FromSeconds(10));
        var share = (double)got[urgent!.Number] / (got.Total - before);
        Say($"foreground has {share:P1}; seed {pipe.Seed}");
        Assert.True(share >= 0.8, $"{share:P1}, seed {pipe.Seed}");
        pipe.Run(() => { urgent.Reset(); return Task.CompletedTask; }, Minute);
        pipe.RunFor(TimeSpan.FromSeconds(5));
        before = got.Total;
        pipe.RunFor(TimeSpan.FromSeconds(20));
        Assert.True((got.Total - before) / 20.0 / Line > 0.6, $"came back to {(got.Total - before) / 20.0 / Line:P1}, seed {pipe.Seed}");
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public void Sixty_four_streams_of_one_priority_are_fair_within_20_percent(int priority)
    {
        var pipe = NewPipe(loss: 0.001);
        var got = Sink(pipe.Bob);
        Pour(pipe, pipe.Alice, priority, streams: 64);
        pipe.RunFor(TimeSpan.FromSeconds(60));
        var mean = got.Total / 64.0;
        Say($"{got.Count} streams, {got.Least / mean:P1} to {got.Most / mean:P1} of the mean; seed {pipe.Seed}");
        Assert.Equal(64, got.Count);
        Assert.True(got.Least >= 0.8 * mean && got.Most <= 1.2 * mean, $"{got.Least / mean:P1} to {got.Most / mean:P1}, seed {pipe.Seed}");
    }

    [Fact]
    public void Two_foreground_flows_of_different_sessions_come_to_equal_shares()
    {
        var pipe = NewPipe();
        var (other, otherEnd) = pipe.AddPair();
        var (first, second) = (Sink(pipe.Bob), Sink(otherEnd));
        Pour(pipe, pipe.Alice, priority: 1);
        pipe.RunFor(TimeSpan.FromSeconds(20));
        Pour(pipe, other, priority: 1);
        pipe.RunFor(TimeSpan.FromSeconds(30));
        var (a, b) = (first.Total, second.Total);
        pipe.RunFor(TimeSpan.FromSeconds(60));
        var share = (double)(second.Total - b) / (first.Total - a + second.Total - b);
        Say($"the latecomer has {share:P1}; seed {pipe.Seed}");
        Assert.InRange(share, 0.3, 0.7);
    }

    [Fact]
    public void Small_control_messages_pass_bulk()
    {
        var pipe = NewPipe();
        var got = Sink(pipe.Bob);
        pipe.Bob.Handlers["echo"] = async stream =>
        {
            var buffer = new byte[100];
            while (await stream.ReadAsync(buffer) is var count and > 0) await stream.WriteAsync(buffer.AsMemory(0, count));
        };
        Pour(pipe, pipe.Alice, priority: 2);
        pipe.RunFor(TimeSpan.FromSeconds(10));
        var slowest = pipe.Run(async () =>
        {
            var stream = (await pipe.Alice.OpenAsync("echo", 0))!;
            var most = TimeSpan.Zero;
            for (var i = 0; i < 20; i++)
            {
                var began = pipe.Now;
                await stream.WriteAsync(new byte[50]);
                Assert.True(await stream.ReadExactlyAsync(new byte[50]));
                most = pipe.Now - began > most ? pipe.Now - began : most;
            }
            return most;
        }, Minute);
        Say($"slowest answer {slowest.TotalMilliseconds:0} ms; seed {pipe.Seed}");
        Assert.True(slowest < TimeSpan.FromMilliseconds(200), $"{slowest.TotalMilliseconds} ms, seed {pipe.Seed}");
        Assert.True(got.Total > 0);
    }

    private static void Say(string words) => TestContext.Current.TestOutputHelper?.WriteLine(words);

    private sealed class Counter
    {
        private readonly Dictionary<uint, long> _bytes = [];
        public long this[uint stream] { get => _bytes.GetValueOrDefault(stream); set => _bytes[stream] = value; }
        public long Total => _bytes.Values.Sum();
        public int Count => _bytes.Count;
        public double Least => _bytes.Values.Min();
        public double Most => _bytes.Values.Max();
    }
}
