using System.Buffers.Binary;
using Polder.Simulation;

namespace Polder.Tests.Simulation;

/// <summary>The world itself: it replays, it keeps time, and it notices who leaves the loop.</summary>
public sealed class WorldTests
{
    private static readonly LinkModel Rough = new()
    {
        Latency = 20.Milliseconds, Spread = 60.Milliseconds, Jitter = 30.Milliseconds, Loss = 0.1, BurstLoss = 0.02,
        Duplication = 0.05, Reordering = 0.05, BitErrors = 0.02,
    };

    [Theory]
    [InlineData(1)]
    [InlineData(8812)]
    public void The_same_seed_gives_the_same_run(ulong seed)
    {
        var first = Gossip(seed);
        var second = Gossip(seed);
        Assert.True(first.Count > 1000);
        Assert.Equal(first.ToString(), second.ToString());
    }

    [Fact]
    public void Another_seed_gives_another_run() => Assert.NotEqual(Gossip(1).ToString(), Gossip(2).ToString());

    /// <summary>Ten nodes that tell a random other one a number each second, by every kind of wait that stays on the loop.</summary>
    private static TraceHash Gossip(ulong seed)
    {
        var world = new World(seed, Rough);
        for (var i = 0; i < 10; i++)
            world.AddNode($"n{i}", new Home { ClockDriftPpm = i * 50 }, node =>
            {
                node.Socket.Received = (from, datagram) =>
                {
                    if (datagram.Length == 8 && node.Environment.Random.Chance(0.5)) node.Socket.Send(from, datagram[..4]);
                };
                return TellAsync(node);
            });
        world.RunFor(1.Minutes);
        world.Crash("n3");
        world.Partition(["n1", "n2"], ["n4", "n5"]);
        world.RunFor(1.Minutes);
        world.Restart("n3");
        world.Heal();
        world.RunFor(1.Minutes);
        return world.Trace;
    }

    private static async Task TellAsync(SimulatedNode node)
    {
        using var timer = new PeriodicTimer(1.Seconds, node.Environment.Time);
        while (await timer.WaitForNextTickAsync())
        {
            await Task.Delay(node.Environment.Random.NextDuration(100.Milliseconds), node.Environment.Time);
            var word = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(word, node.Environment.Random.NextUInt64());
            var number = await node.Environment.Workers.RunAsync(() => word[0]);
            node.Socket.Send(node.World.Nodes[(number + node.Index) % node.World.Nodes.Count].Socket.LocalEndpoint, word);
        }
    }

    [Fact]
    public void A_virtual_day_of_waiting_takes_no_time_and_ends_on_the_loop()
    {
        var world = new World(1);
        var ended = TimeSpan.Zero;
        var node = world.AddNode("a", Home.Public, node => WaitAsync(node));
        world.RunFor(25.Hours);
        Assert.Equal(24.Hours, ended);
        Assert.False(node.Loop.IsCurrent);

        async Task WaitAsync(SimulatedNode node)
        {
            await Task.Delay(24.Hours, node.Environment.Time);
            Assert.True(node.Loop.IsCurrent);
            ended = world.Now;
        }
    }

    [Fact]
    public void A_clock_that_is_wrong_or_fast_changes_what_the_node_sees_and_when_its_timers_fire()
    {
        var world = new World(1);
        var fired = TimeSpan.Zero;
        var node = world.AddNode("a", new Home { ClockOffset = -24.Hours, ClockDriftPpm = 500 }, node =>
        {
            return node.Environment.Time.CreateTimer(_ => fired = world.Now, null, 1000.Seconds, Timeout.InfiniteTimeSpan);
        });
        world.RunFor(2000.Seconds);
        Assert.InRange(fired, 999.4.Seconds(), 999.6.Seconds());
        Assert.InRange(node.Environment.Time.GetUtcNow(), SimulatedClock.Epoch - 24.Hours + 2000.9.Seconds(), SimulatedClock.Epoch - 24.Hours + 2001.1.Seconds());
        node.ClockOffset = 1.Hours;
        Assert.True(node.Environment.Time.GetUtcNow() > world.UtcNow);
    }

    [Fact]
    public void Work_from_another_thread_fails_the_run_and_shows_where_it_came_from()
    {
        var world = new World(77, options: new WorldOptions { Scenario = "leaves" });
        var node = world.AddNode("a", Home.Public, _ => null);
        var thread = new Thread(() => node.Loop.Post(() => { }));
        thread.Start();
        thread.Join();
        var failure = Assert.Throws<SimulationFailedException>(() => world.RunFor(1.Seconds));
        Assert.Contains("left the loop", failure.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(Work_from_another_thread_fails_the_run_and_shows_where_it_came_from), failure.Message, StringComparison.Ordinal);
        Assert.Contains("./x sim leaves --seed 77", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exception_on_a_loop_fails_the_run()
    {
        var world = new World(1);
        world.AddNode("a", Home.Public, node => node.Environment.Time.CreateTimer(_ => throw new InvalidOperationException("oops"), null, 1.Seconds, Timeout.InfiniteTimeSpan));
        var failure = Assert.Throws<SimulationFailedException>(() => world.RunFor(2.Seconds));
        Assert.Contains("oops", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_crashed_node_does_nothing_more_and_hears_nothing()
    {
        var world = new World(1);
        var (ticks, heard) = (0, 0);
        var a = world.AddNode("a", Home.Public, node =>
        {
            node.Socket.Received = (_, _) => heard++;
            return node.Environment.Time.CreateTimer(_ => ticks++, null, 1.Seconds, 1.Seconds);
        });
        var b = world.AddNode("b", Home.Public, _ => null);
        world.RunFor(5500.Milliseconds);
        world.Crash("a");
        b.Run(() => b.Socket.Send(a.Socket.LocalEndpoint, [1]));
        world.RunFor(5.Seconds);
        Assert.Equal((5, 0), (ticks, heard));
        world.Restart("a");
        b.Run(() => b.Socket.Send(a.Socket.LocalEndpoint, [1]));
        world.RunFor(5500.Milliseconds);
        Assert.Equal((10, 1), (ticks, heard));
    }

    [Fact]
    public void Stopped_timers_do_not_pile_up()
    {
        var world = new World(1);
        var node = world.AddNode("a", Home.Public, _ => null);
        var fired = 0;
        node.Run(() =>
        {
            for (var i = 0; i < 100_000; i++)
                node.Environment.Time.CreateTimer(_ => fired++, null, 1.Hours, Timeout.InfiniteTimeSpan).Dispose();
        });
        Assert.True(world.Planned < 10_000);
        world.RunFor(2.Hours);
        Assert.Equal(0, fired);
    }
}

internal static class DoubleSeconds
{
    public static TimeSpan Seconds(this double seconds) => TimeSpan.FromSeconds(seconds);
}
