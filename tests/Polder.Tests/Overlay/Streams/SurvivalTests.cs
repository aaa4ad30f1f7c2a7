#pragma warning disable xUnit1051 // virtual time: nothing is waited for
using Polder.Overlay.Streams;

namespace Polder.Tests.Overlay.Streams;

/// <summary>What streams live through: outages, moves, rekeys, sessions that cannot send, and peers that want to exhaust us.</summary>
public sealed class SurvivalTests
{
    private static readonly TimeSpan Minutes = TimeSpan.FromMinutes(10);

    [Fact]
    public void A_transfer_goes_on_within_2_seconds_after_5_seconds_without_a_path()
    {
        var pipe = new PacketPipe(StreamTests.FreshSeed(), new PipeModel { BytesPerSecond = 1_250_000 });
        var got = 0L;
        pipe.Bob.Handlers["sink"] = async stream =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is var count and > 0) got += count;
        };
        pipe.Run(async () => { _ = StreamTests.Pour(await pipe.Alice.OpenAsync("sink")); return 0; }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(5));
        pipe.IsCut = true;
        pipe.RunFor(TimeSpan.FromSeconds(5));
        var before = got;
        pipe.IsCut = false;
        var began = pipe.Now;
        pipe.RunUntil(() => got > before + 10_000, TimeSpan.FromSeconds(10));
        var after = pipe.Now - began;
        Assert.True(after < TimeSpan.FromSeconds(2), $"{after}, seed {pipe.Seed}");
        before = got;
        pipe.RunFor(TimeSpan.FromSeconds(10));
        Assert.True(got - before > 0.7 * 10 * 1_250_000, $"{(got - before) / 12_500_000.0:P0} of the line after the outage, seed {pipe.Seed}");
    }

    [Fact]
    public void A_path_is_suspect_after_six_probes_and_the_streams_end_when_the_peer_stays_silent()
    {
        var pipe = new PacketPipe(3, options: new StreamOptions { GiveUpAfter = TimeSpan.FromSeconds(60) });
        pipe.Bob.Handlers["sink"] = async stream => await StreamTests.ReadAllAsync(stream);
        PeerStream? stream = null;
        pipe.Run(async () => { stream = await pipe.Alice.OpenAsync("sink"); _ = StreamTests.Pour(stream); return 0; }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(2));
        pipe.IsCut = true;
        pipe.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal(1, pipe.Alice.Suspected);
        Assert.False(pipe.Alice.Connection.IsClosed);
        pipe.RunFor(TimeSpan.FromSeconds(60));
        Assert.True(pipe.Alice.Connection.IsClosed);
        var failure = Assert.Throws<PeerStreamException>(() => pipe.Run(async () => await stream!.ReadAsync(new byte[1]), Minutes));
        Assert.Equal(StreamEnd.Silent, failure.End);
    }

    [Fact]
    public void A_rekey_in_the_middle_changes_nothing()
    {
        var seed = StreamTests.FreshSeed();
        var pipe = new PacketPipe(seed, new PipeModel { Loss = 0.02, Reordering = 0.1, BytesPerSecond = 2_000_000 });
        pipe.Bob.Handlers["echo"] = async stream => await stream.WriteAsync(await StreamTests.ReadAllAsync(stream));
        for (var i = 1; i <= 20; i++) pipe.At(TimeSpan.FromMilliseconds(100 * i), () => (pipe.Random.Chance(0.5) ? pipe.Alice : pipe.Bob).Rekey());
        Echo(pipe, 1_000_000);
        Assert.Equal(0, pipe.Alice.FramesMalformed + pipe.Bob.FramesMalformed);
    }

    [Fact]
    public void Bytes_wait_while_the_session_cannot_send()
    {
        var pipe = new PacketPipe(StreamTests.FreshSeed(), new PipeModel { BytesPerSecond = 2_000_000 });
        pipe.Bob.Handlers["echo"] = async stream => await stream.WriteAsync(await StreamTests.ReadAllAsync(stream));
        for (var i = 1; i <= 10; i++)
        {
            var on = i % 2 == 0;
            pipe.At(TimeSpan.FromMilliseconds(70 * i), () => pipe.Alice.CanSend = pipe.Bob.CanSend = on);
        }
        Echo(pipe, 500_000);
    }

    [Fact]
    public void Packets_may_become_smaller_and_larger_on_the_way()
    {
        var pipe = new PacketPipe(StreamTests.FreshSeed(), new PipeModel { Loss = 0.05, BytesPerSecond = 2_000_000 });
        pipe.Bob.Handlers["echo"] = async stream => await stream.WriteAsync(await StreamTests.ReadAllAsync(stream));
        for (var i = 1; i <= 30; i++)
        {
            var size = 16 * pipe.Random.Next(20, 88);
            pipe.At(TimeSpan.FromMilliseconds(50 * i), () => pipe.Alice.FrameBytesMax = size);
        }
        Echo(pipe, 500_000);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_move_to_another_path_restarts_the_control_and_loses_nothing(bool sameHost)
    {
        var pipe = new PacketPipe(StreamTests.FreshSeed(), new PipeModel { BytesPerSecond = 2_000_000, Loss = 0.01 });
        pipe.Bob.Handlers["echo"] = async stream => await stream.WriteAsync(await StreamTests.ReadAllAsync(stream));
        for (var i = 1; i <= 10; i++)
        {
            var at = TimeSpan.FromMilliseconds(150 * i);
            pipe.At(at, () => pipe.IsCut = true);
            pipe.At(at + TimeSpan.FromMilliseconds(40), () =>
            {
                pipe.IsCut = false;
                pipe.Model = pipe.Model with { Latency = TimeSpan.FromMilliseconds(pipe.Random.Next(5, 80)) };
                pipe.Alice.Connection.Moved(sameHost);
                pipe.Bob.Connection.Moved(sameHost);
            });
        }
        Echo(pipe, 1_000_000);
    }

    private static void Echo(PacketPipe pipe, int length)
    {
        var sent = StreamTests.Bytes(length, pipe.Seed);
        var got = pipe.Run(async () =>
        {
            var stream = (await pipe.Alice.OpenAsync("echo"))!;
            await stream.WriteAsync(sent);
            stream.CompleteWrite();
            return await StreamTests.ReadAllAsync(stream);
        }, Minutes);
        Assert.True(sent.AsSpan().SequenceEqual(got), $"seed {pipe.Seed}");
        pipe.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal((0, 0), (pipe.Alice.Connection.Count, pipe.Bob.Connection.Count));
        Assert.Equal((0L, 0L), (pipe.Alice.Connection.Sender.Foreground.InFlight, pipe.Bob.Connection.Sender.Foreground.InFlight));
    }

    [Fact]
    public void A_peer_that_reads_nothing_and_opens_ten_thousand_streams_costs_less_than_512_KiB()
    {
        var pipe = new PacketPipe(5, new PipeModel { Latency = TimeSpan.FromMilliseconds(1) });
        // The victim is Bob: whoever opens a stream gets a large answer, which is never read.
        var large = new byte[1 << 20];
        var handlers = 0;
        pipe.Bob.Handlers["get"] = async stream =>
        {
            handlers++;
            try { await stream.WriteAsync(large); }
            catch (PeerStreamException) { }
            finally { handlers--; }
        };
        var opened = 0;
        pipe.Run(() =>
        {
            for (var i = 0; i < 10_000; i++) _ = OpenAsync();
            return Task.CompletedTask;
        }, Minutes);
        // Those who wait to open are the attacker's too, as is the memory of pooled buffers.
        pipe.RunFor(TimeSpan.FromSeconds(1));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        // What came in for Alice, who does not read, is the attacker's memory: her acknowledgements are as if she had it.
        pipe.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal(128, opened);
        Assert.Equal(128, handlers);
        var connection = pipe.Bob.Connection;
        Assert.Equal(0, pipe.Bob.Pages.Bytes);
        var held = connection.Sender.Foreground.InFlight + connection.Sender.Background.InFlight;
        var cost = GC.GetTotalMemory(forceFullCollection: true) - before - pipe.Alice.Pages.Bytes;
        TestContext.Current.TestOutputHelper?.WriteLine($"{held} bytes under way, both ends together grew by {cost} bytes without the reader's pages");
        Assert.True(held <= 64 * 1024, $"{held} bytes under way");
        Assert.True(cost < 512 * 1024, $"{cost} bytes");
        GC.KeepAlive(large);
        GC.KeepAlive(pipe);

        async Task OpenAsync()
        {
            if (await pipe.Alice.OpenAsync("get") is not null) opened++;
        }
    }

    [Fact]
    public void A_peer_that_never_acknowledges_gets_a_window_and_no_more()
    {
        var pipe = new PacketPipe(6);
        pipe.Bob.Handlers["sink"] = async stream => await StreamTests.ReadAllAsync(stream);
        pipe.Bob.CanSend = false;
        pipe.Run(async () => { _ = StreamTests.Pour(await pipe.Alice.OpenAsync("sink")); return 0; }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(60));
        Assert.True(pipe.Alice.Connection.Sender.Foreground.InFlight <= 12 * 1200);
        Assert.True(pipe.Alice.PacketsSent < 120, $"{pipe.Alice.PacketsSent} packets in a minute");
    }

    [Fact]
    public void More_streams_than_the_peer_allows_wait_until_others_end()
    {
        var pipe = new PacketPipe(7, options: new StreamOptions { StreamsMax = 4 });
        var (open, most, done) = (0, 0, 0);
        pipe.Bob.Handlers["echo"] = async stream =>
        {
            most = Math.Max(most, ++open);
            await stream.WriteAsync(await StreamTests.ReadAllAsync(stream));
            open--;
        };
        pipe.Run(async () => await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            var stream = (await pipe.Alice.OpenAsync("echo"))!;
            await stream.WriteAsync(new byte[3000]);
            stream.CompleteWrite();
            Assert.Equal(3000, (await StreamTests.ReadAllAsync(stream)).Length);
            done++;
        })), Minutes);
        Assert.Equal((40, 4), (done, most));
    }

    [Fact]
    public void A_protocol_that_nobody_accepts_and_a_handler_that_gives_up_are_seen_by_the_opener()
    {
        var pipe = new PacketPipe(8);
        pipe.Bob.Handlers["gives up"] = stream =>
        {
            stream.Reset(300);
            stream.StopReading(301);
            return Task.CompletedTask;
        };
        foreach (var (name, reset, stopped) in new[] { ("unknown", StreamCodes.UnknownProtocol, StreamCodes.UnknownProtocol), ("gives up", 300u, 301u) })
        {
            var (read, written) = pipe.Run(async () =>
            {
                var stream = (await pipe.Alice.OpenAsync(name))!;
                var reading = await Assert.ThrowsAsync<PeerStreamException>(async () => await stream.ReadAsync(new byte[10]));
                var writing = await Assert.ThrowsAsync<PeerStreamException>(async () => { while (true) await stream.WriteAsync(new byte[100_000]); });
                return (reading, writing);
            }, Minutes);
            Assert.Equal((StreamEnd.Reset, reset), (read.End, read.Code));
            Assert.Equal((StreamEnd.Stopped, stopped), (written.End, written.Code));
        }
        pipe.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal((0, 0), (pipe.Alice.Connection.Count, pipe.Bob.Connection.Count));
    }

    [Fact]
    public void The_end_of_the_session_ends_every_wait()
    {
        var pipe = new PacketPipe(9);
        pipe.Bob.Handlers["hold"] = async stream => await StreamTests.ReadAllAsync(stream);
        var task = Task.CompletedTask;
        pipe.Run(async () =>
        {
            var stream = (await pipe.Alice.OpenAsync("hold"))!;
            task = Task.WhenAll(Fails(async () => await stream.ReadAsync(new byte[1])), Fails(async () => await StreamTests.Pour(stream)), Fails(stream.DeliveredAsync));
        }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(1));
        pipe.Run(() => { pipe.Alice.Connection.Close(new PeerStreamException(StreamEnd.SessionClosed, 0)); return Task.CompletedTask; }, Minutes);
        pipe.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(task.IsCompletedSuccessfully);

        static async Task Fails(Func<Task> work)
        {
            try { await work(); }
            catch (PeerStreamException problem) { Assert.Equal(StreamEnd.SessionClosed, problem.End); }
        }
    }
}
