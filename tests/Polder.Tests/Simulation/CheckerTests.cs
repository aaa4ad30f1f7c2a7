using Polder.Ledger.Stores;
using Polder.Net;
using Polder.Simulation;
using Polder.Simulation.Checkers;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Simulation;

/// <summary>Checkers are no decoration: each finds what it is there to find.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void A_disk_that_forgets_what_was_flushed_is_found_out()
    {
        var world = new World(1);
        var society = new LedgerSociety(world);
        var (alice, bob) = (society.Add("alice"), society.Add("bob"));
        world.RunFor(15.Seconds);
        society.Propose(alice, bob, 2 << 20);
        world.RunFor(5.Seconds);
        Assert.Equal(1, society.Answered);

        world.Crash("alice");
        alice.Disk.Surface("blocks", () => new MemoryPlatter()).RollBack(0);
        world.Restart("alice");
        var failure = Assert.Throws<SimulationFailedException>(() => world.RunFor(1.Seconds));
        Assert.Contains("alice showed its block 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_shoots_at_a_stranger_is_found_out()
    {
        var world = new World(1);
        world.Always(new NoAmplification());
        var victim = Endpoint.FromIPv4(0x09090909, 9);
        var node = world.AddNode("a", Home.Public, _ => null);
        node.Socket.Send(victim, new byte[1000]);
        world.RunFor(1.Seconds);
        for (var i = 0; i < 5; i++) node.Socket.Send(victim, new byte[1000]);
        Assert.Throws<SimulationFailedException>(() => world.RunFor(1.Seconds));
    }

    [Fact]
    public void A_crash_forgets_what_was_not_flushed_and_keeps_what_was()
    {
        var world = new World(1);
        var platter = new List<int>();
        var told = new List<int>();
        var node = world.AddNode("a", Home.Public, node => WriteAsync(node));
        node.Disk.FaultAt(3, DiskFault.CrashAfter);
        world.RunFor(10.Seconds);
        Assert.False(node.IsRunning);
        // The third write is on the disk, and nobody was told.
        Assert.Equal([0, 1, 2], platter);
        Assert.Equal([0, 1], told);

        async Task WriteAsync(SimulatedNode self)
        {
            for (var i = 0; i < 5; i++)
            {
                await Task.Delay(1.Seconds, self.Environment.Time);
                await self.Disk.CommitAsync(1);
                platter.Add(i);
                if (self.IsRunning) told.Add(i);
            }
        }
    }

    [Fact]
    public void A_disk_that_was_mended_while_it_wrote_is_good()
    {
        var world = new World(1);
        var written = 0;
        var node = world.AddNode("a", Home.Public, WriteAsync);
        world.RunFor(TimeSpan.FromSeconds(0.5));
        node.Disk.Clear();
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(node.IsRunning);
        Assert.Equal(7, written);

        async Task WriteAsync(SimulatedNode self)
        {
            self.Disk.Latency = 1.Seconds;
            self.Disk.FaultAt(1, DiskFault.CrashAfter);
            written = await self.Disk.CommitAsync(7);
        }
    }
}
