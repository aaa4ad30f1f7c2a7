using Polder.Overlay.Streams;
using Polder.Runtime;

namespace Polder.Tests.Overlay.Streams;

/// <summary>Streams between two connections over a pipe that loses, doubles and reorders.</summary>
public sealed class StreamTests
{
    private static readonly TimeSpan Minutes = TimeSpan.FromMinutes(10);

    internal static byte[] Bytes(int length, ulong seed = 1)
    {
        var bytes = new byte[length];
        new Prng(seed).Fill(bytes);
        return bytes;
    }

    internal static async Task<byte[]> ReadAllAsync(PeerStream stream)
    {
        var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer) is var count and > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    internal static ulong FreshSeed() => ulong.TryParse(Environment.GetEnvironmentVariable("POLDER_STREAM_SEED"), out var seed) ? seed : (ulong)Random.Shared.NextInt64();

    [Fact]
    public void Bytes_go_both_ways_and_the_end_is_seen()
    {
        var pipe = new PacketPipe(1);
        pipe.Bob.Handlers["echo"] = async stream =>
        {
            Assert.Equal(2, stream.Priority);
            await stream.WriteAsync(await ReadAllAsync(stream));
        };
        var sent = Bytes(100_000);
        var got = pipe.Run(async () =>
        {
            var stream = await pipe.Alice.OpenAsync("echo", priority: 2);
            await stream!.WriteAsync(sent);
            stream.CompleteWrite();
            var echo = await ReadAllAsync(stream);
            await stream.DeliveredAsync();
            await stream.DisposeAsync();
            return echo;
        }, Minutes);
        Assert.Equal(sent, got);
        pipe.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal((0, 0), (pipe.Alice.Connection.Count, pipe.Bob.Connection.Count));
        Assert.Equal((0L, 0L), (pipe.Alice.Pages.Bytes, pipe.Bob.Pages.Bytes));
        Assert.Equal((0L, 0L), (pipe.Alice.Connection.Sender.Foreground.InFlight, pipe.Alice.Connection.Sender.Background.InFlight));
    }

    [Theory]
    [InlineData(0.0), InlineData(0.01), InlineData(0.03), InlineData(0.1)]
    public void Nothing_is_lost_over_a_path_that_loses_doubles_and_reorders(double loss)
    {
        var seed = FreshSeed();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var pipe = new PacketPipe(seed, new PipeModel { Loss = loss, Duplication = 0.05, Reordering = 0.1 });
        pipe.Bob.Handlers["echo"] = async stream => await stream.WriteAsync(await ReadAllAsync(stream));
        var sent = Enumerable.Range(0, 8).Select(i => Bytes(60_000 + i * 1000, (ulong)i)).ToArray();
        var got = pipe.Run(async () => await Task.WhenAll(sent.Select(async (bytes, i) =>
        {
            var stream = await pipe.Alice.OpenAsync("echo", priority: i % 4);
            // Writes of odd sizes, so that staging and packets do not line up.
            for (var at = 0; at < bytes.Length; at += 777) await stream!.WriteAsync(bytes.AsMemory(at, Math.Min(777, bytes.Length - at)));
            stream!.CompleteWrite();
            return await ReadAllAsync(stream);
        })), Minutes);
        for (var i = 0; i < sent.Length; i++) Assert.True(sent[i].AsSpan().SequenceEqual(got[i]), $"stream {i} differs, seed {seed}");
        pipe.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal((0, 0), (pipe.Alice.Connection.Count, pipe.Bob.Connection.Count));
        Assert.Equal((0, 0), (pipe.Alice.FramesMalformed, pipe.Bob.FramesMalformed));
        Assert.Equal((0L, 0L), (pipe.Alice.Pages.Bytes, pipe.Bob.Pages.Bytes));
    }

    [Theory]
    [InlineData(0.0), InlineData(0.01)]
    public void A_line_of_10_Mbit_40_ms_is_used_to_80_percent(double loss)
    {
        const double line = 10e6 / 8;
        var seed = FreshSeed();
        var pipe = new PacketPipe(seed, new PipeModel { BytesPerSecond = line, Loss = loss });
        var got = 0L;
        pipe.Bob.Handlers["sink"] = async stream =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0) got += count;
        };
        _ = pipe.Run(async () => { _ = Pour(await pipe.Alice.OpenAsync("sink")); return true; }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(30));
        var share = got / 30.0 / line;
        var recovery = pipe.Alice.Connection.Sender.Recovery;
        TestContext.Current.TestOutputHelper?.WriteLine($"loss {loss:P0}: {share:P1} of the line; {recovery.PacketsLost} lost of {recovery.PacketsSent}, {recovery.PacketsLostWrongly} wrongly; seed {seed}; {pipe.Alice}");
        Assert.True(share >= 0.8, $"{share:P1} of the line, seed {seed}");
    }

    internal static async Task Pour(PeerStream? stream, int chunk = 64 * 1024)
    {
        var bytes = Bytes(chunk);
        try { while (true) await stream!.WriteAsync(bytes); }
        catch (PeerStreamException) { }
    }
}
