#pragma warning disable xUnit1051 // virtual time: nothing is waited for
using Polder.Overlay.Sessions;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Streams;

/// <summary>Streams between nodes of a world, in real sessions over its links.</summary>
public sealed class StreamWorldTests
{
    private static readonly LinkModel Line = new() { Latency = TimeSpan.FromMilliseconds(20), BandwidthBytesPerSecond = 10e6 / 8 };

    [Theory]
    [InlineData(0.0, false), InlineData(0.01, false), InlineData(0.05, false), InlineData(0.1, false), InlineData(0.01, true)]
    public void A_transfer_over_a_poor_link_arrives_whole(double loss, bool real)
    {
        var seed = StreamTests.FreshSeed();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var link = Line with { Loss = loss, Duplication = 0.02, Reordering = 0.02, ReorderingWithin = TimeSpan.FromMilliseconds(50) };
        var world = new World(seed, link, new WorldOptions { RealSignatures = real });
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        var sent = StreamTests.Bytes(1_000_000, seed);
        byte[]? got = null;
        bob.Run(() => bob.Host.Streams.Accept("upload", async stream => got = await StreamTests.ReadAllAsync(stream)));
        var done = false;
        alice.Run(() => _ = SendAsync());
        world.RunUntil(() => done && got is not null, TimeSpan.FromMinutes(5));
        Assert.True(sent.AsSpan().SequenceEqual(got), $"seed {seed}");
        Assert.Equal((0L, 0L), (alice.Host.Streams.Malformed, bob.Host.Streams.Malformed));

        async Task SendAsync()
        {
            var session = await OpenAsync(alice, bob);
            var stream = await alice.Host.Streams.OpenAsync(session, "upload", oneWay: true);
            await stream!.WriteAsync(sent);
            stream.CompleteWrite();
            await stream.DeliveredAsync();
            done = true;
        }
    }

    [Theory]
    [InlineData(0.0), InlineData(0.01)]
    public void A_line_of_10_Mbit_40_ms_is_used_to_80_percent(double loss)
    {
        var seed = StreamTests.FreshSeed();
        var world = new World(seed, Line with { Loss = loss });
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        var got = Sink(bob);
        alice.Run(() => _ = PourAsync(alice, bob));
        world.RunFor(TimeSpan.FromSeconds(2));
        var before = got();
        world.RunFor(TimeSpan.FromSeconds(30));
        var share = (got() - before) / 30.0 / Line.BandwidthBytesPerSecond;
        TestContext.Current.TestOutputHelper?.WriteLine($"loss {loss:P0}: {share:P1} of the line; seed {seed}; {alice.Host.Streams.FiguresOf(alice.Host.Sessions.All[0])}");
        Assert.True(share >= 0.8, $"{share:P1} of the line, seed {seed}");
    }

    [Fact]
    public void A_hundred_MiB_survive_a_new_address_a_rekey_and_five_seconds_without_a_network()
    {
        var seed = StreamTests.FreshSeed();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var fast = Line with { BandwidthBytesPerSecond = 4e6, Loss = 0.001 };
        // Short keys: a rekey every few thousand packets.
        var options = OverlayTestNodes.Options with { Sessions = new SessionOptions { RekeyPackets = 4_000 } };
        var world = new World(seed, fast);
        var alice = world.AddTalker("alice", Home.Behind(NatBehaviour.FullCone), options: options);
        var bob = world.AddTalker("bob", options: options);
        const int length = 100 << 20;
        var chunk = StreamTests.Bytes(1 << 20, seed);
        var (got, wrong) = (0L, false);
        bob.Run(() => bob.Host.Streams.Accept("upload", async stream =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0)
            {
                for (var i = 0; i < count; i += 997) wrong |= buffer[i] != chunk[(got + i) % chunk.Length];
                got += count;
            }
        }));
        alice.Run(() => _ = SendAsync());
        world.At(TimeSpan.FromSeconds(8), () => world.Partition(["alice"], ["bob"]));
        world.At(TimeSpan.FromSeconds(13), world.Heal);
        world.RunUntil(() => got == length, TimeSpan.FromMinutes(3), explain: () => $"{got} bytes; {Figures(alice)}");
        Assert.False(wrong, $"seed {seed}");
        Assert.True(alice.Host.Sessions.All[0].Epoch > 5, $"{alice.Host.Sessions.All[0].Epoch} epochs");

        async Task SendAsync()
        {
            var session = await OpenAsync(alice, bob);
            var stream = await alice.Host.Streams.OpenAsync(session, "upload");
            for (var i = 0; i < length / chunk.Length; i++) await stream!.WriteAsync(chunk);
            stream!.CompleteWrite();
        }
    }

    internal static async Task<Session> OpenAsync(SimulatedNode from, SimulatedNode to)
    {
        // A handshake may get lost as everything else.
        for (var i = 0; i < 20; i++)
            if (await from.Host.Sessions.OpenAsync(to.Identity.Public, new DirectPath(from.Host, to.PublicEndpoint)) is { } session) return session;
        throw new InvalidOperationException("No session.");
    }

    internal static string Figures(SimulatedNode node) => node.Host.Sessions.All is [var session, ..] ? $"{session} {node.Host.Streams.FiguresOf(session)}" : "no session";

    private static Func<long> Sink(SimulatedNode node)
    {
        var got = 0L;
        node.Run(() => node.Host.Streams.Accept("sink", async stream =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0) got += count;
        }));
        return () => got;
    }

    private static async Task PourAsync(SimulatedNode from, SimulatedNode to)
    {
        var session = await OpenAsync(from, to);
        await StreamTests.Pour(await from.Host.Streams.OpenAsync(session, "sink"));
    }
}
