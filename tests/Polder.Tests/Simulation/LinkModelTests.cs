using Polder.Simulation;

namespace Polder.Tests.Simulation;

/// <summary>Each property of a link does what it says.</summary>
public sealed class LinkModelTests
{
    [Fact]
    public void A_calm_link_brings_everything_after_its_latency()
    {
        var arrivals = Send(new LinkModel { Latency = 40.Milliseconds }, 100);
        Assert.Equal(100, arrivals.Count);
        Assert.All(arrivals, arrival => Assert.Equal(40.Milliseconds, arrival.After));
    }

    [Fact]
    public void Loss_takes_its_share() => Assert.InRange(Send(new LinkModel { Loss = 0.3 }, 10_000).Count, 6700, 7300);

    [Fact]
    public void Bursts_take_their_share_and_take_it_in_one_piece()
    {
        var arrivals = Send(new LinkModel { BurstLoss = 0.2, BurstLength = 1.Seconds }, 50_000);
        Assert.InRange(arrivals.Count, 35_000, 45_000);
        var longest = 0;
        for (var i = 1; i < arrivals.Count; i++) longest = Math.Max(longest, arrivals[i].Number - arrivals[i - 1].Number - 1);
        Assert.True(longest >= 100);     // one every 10 ms, so a burst of a second swallows a hundred
    }

    [Fact]
    public void Duplicates_come_in_their_share() => Assert.InRange(Send(new LinkModel { Duplication = 0.1 }, 10_000).Count, 10_800, 11_200);

    [Fact]
    public void Reordering_lets_later_datagrams_overtake()
    {
        var arrivals = Send(new LinkModel { Reordering = 0.1 }, 1000);
        Assert.Equal(1000, arrivals.Count);
        Assert.Contains(Enumerable.Range(1, 999), i => arrivals[i].Number < arrivals[i - 1].Number);
    }

    [Fact]
    public void Bit_errors_flip_one_bit_of_their_share()
    {
        var damaged = Send(new LinkModel { BitErrors = 0.5 }, 1000).Count(arrival => arrival.Damaged);
        Assert.InRange(damaged, 400, 600);
    }

    [Fact]
    public void A_narrow_line_delays_and_then_drops()
    {
        // 128 bytes with headers each 10 ms are 12,800 bytes a second; the line carries half.
        var arrivals = Send(new LinkModel { BandwidthBytesPerSecond = 6400, QueueLimit = 100.Milliseconds }, 1000);
        Assert.InRange(arrivals.Count, 480, 530);
        Assert.InRange(arrivals[^1].After, 100.Milliseconds, 150.Milliseconds);
    }

    [Fact]
    public void What_is_larger_than_the_path_carries_vanishes() => Assert.Empty(Send(new LinkModel { MtuBytes = 99 }, 10));

    [Fact]
    public void A_pair_may_have_a_link_of_its_own()
    {
        var (world, arrivals) = Pair(LinkModel.Calm);
        world.SetLink("a", "b", new LinkModel { Latency = 2.Seconds });
        world.Run(1, arrivals);
        world.RunFor(2.Seconds);
        Assert.Equal(2.Seconds, arrivals[0].After);
    }

    [Fact]
    public void A_partition_may_be_one_way_and_heals()
    {
        var (world, arrivals) = Pair(LinkModel.Calm);
        world.Partition(["b"], ["a"], oneWay: true);
        world.Run(1, arrivals);
        Assert.Single(arrivals);
        world.Partition(["a"], ["b"], oneWay: true);
        world.Run(1, arrivals);
        Assert.Single(arrivals);
        world.Heal();
        world.Run(1, arrivals);
        Assert.Equal(2, arrivals.Count);
    }

    [Fact]
    public void A_clogged_path_brings_everything_at_once_later()
    {
        var (world, arrivals) = Pair(LinkModel.Calm);
        world.Clog(["a"], ["b"], 30.Seconds);
        world.Run(10, arrivals);
        Assert.Empty(arrivals);
        world.RunFor(30.Seconds);
        Assert.Equal(Enumerable.Range(0, 10), arrivals.Select(arrival => arrival.Number));
    }

    internal readonly record struct Arrival(int Number, TimeSpan After, bool Damaged);

    private static List<Arrival> Send(LinkModel link, int count)
    {
        var (world, arrivals) = Pair(link);
        world.Run(count, arrivals);
        world.RunFor(10.Seconds);
        return arrivals;
    }

    private static (World, List<Arrival>) Pair(LinkModel link)
    {
        var world = new World(5, link);
        List<Arrival> arrivals = [];
        world.AddNode("a", Home.Public, _ => null);
        world.AddNode("b", Home.Public, node =>
        {
            node.Socket.Received = (_, datagram) =>
            {
                var damaged = datagram[12..].ContainsAnyExcept((byte)7);
                arrivals.Add(new Arrival(BitConverter.ToInt32(datagram), world.Now - TimeSpan.FromTicks(BitConverter.ToInt64(datagram[4..])), damaged));
            };
            return null;
        });
        return (world, arrivals);
    }
}

internal static class PairWorld
{
    /// <summary>a sends so many datagrams of 100 bytes to b, one every 10 ms, and the world runs half a second longer.</summary>
    public static void Run(this World world, int count, List<LinkModelTests.Arrival> arrivals)
    {
        var (a, b) = (world["a"], world["b"]);
        _ = arrivals;
        for (var i = 0; i < count; i++)
        {
            var datagram = new byte[100];
            datagram.AsSpan(12).Fill(7);
            BitConverter.TryWriteBytes(datagram, i);
            BitConverter.TryWriteBytes(datagram.AsSpan(4), world.Now.Ticks);
            a.Run(() => a.Socket.Send(b.Socket.LocalEndpoint, datagram));
            world.RunFor(10.Milliseconds);
        }
        world.RunFor(500.Milliseconds);
    }
}
