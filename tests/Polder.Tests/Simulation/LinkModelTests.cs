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

    [Fact]
    public void A_spike_makes_all_late_who_come_into_it_until_it_is_over()
    {
        var arrivals = Send(new LinkModel { Latency = 40.Milliseconds, Spikes = 0.1, SpikeLength = 1.Seconds }, 30_000);
        var late = arrivals.Where(arrival => arrival.After > 40.Milliseconds).ToList();
        Assert.InRange(late.Count, 2_000, 4_500);
        Assert.True(late.Max(arrival => arrival.After) > 500.Milliseconds);
        Assert.All(late, arrival => Assert.InRange(arrival.After, 40.Milliseconds, 1.Seconds + 40.Milliseconds));
    }

    [Fact]
    public void What_is_held_back_comes_much_later()
    {
        var arrivals = Send(new LinkModel { HeldBack = 0.1 }, 1_000);
        Assert.Equal(1_000, arrivals.Count);
        Assert.InRange(arrivals.Count(arrival => arrival.After > 1.Seconds), 50, 150);
    }

    [Fact]
    public void Jitter_with_a_tail_has_half_of_it_as_its_median_and_a_few_far_out()
    {
        var times = Send(new LinkModel { Latency = TimeSpan.Zero, Jitter = 40.Milliseconds, JitterTail = 1 }, 4_000).ConvertAll(arrival => arrival.After);
        times.Sort();
        Assert.InRange(times[times.Count / 2], 18.Milliseconds, 22.Milliseconds);
        Assert.True(times[^1] > 200.Milliseconds);
    }

    [Fact]
    public void Distances_are_those_of_a_map()
    {
        var world = new World(3, new LinkModel { Latency = TimeSpan.Zero, Spread = 100.Milliseconds });
        var came = new Dictionary<(int, int), TimeSpan>();
        for (var i = 0; i < 6; i++)
            world.AddNode($"n{i}", Home.Public, node =>
            {
                node.Socket.Received = (_, datagram) => came[(datagram[0], node.Index)] = world.Now;
                return null;
            });
        foreach (var from in world.Nodes)
            foreach (var to in world.Nodes)
                if (from != to) from.Run(() => from.Socket.Send(to.Socket.LocalEndpoint, [(byte)from.Index]));
        world.RunFor(1.Seconds);
        Assert.Equal(30, came.Count);
        for (var a = 0; a < 6; a++)
            for (var b = 0; b < 6; b++)
                for (var c = 0; c < 6; c++)
                    if (a != b && b != c && a != c) Assert.True(came[(a, c)] <= came[(a, b)] + came[(b, c)] + TimeSpan.FromTicks(2));
    }

    [Fact]
    public void A_line_carries_so_much_towards_its_node_and_no_more()
    {
        var (world, arrivals) = Pair(new LinkModel { QueueLimit = 100.Milliseconds }, new Home { DownlinkBytesPerSecond = 6_400 });
        world.Run(1_000, arrivals);
        world.RunFor(1.Seconds);
        // 128 bytes with headers, so 50 datagrams a second of the 100 that are sent.
        Assert.InRange(arrivals.Count, 480, 530);
        Assert.All(arrivals, arrival => Assert.InRange(arrival.After, 20.Milliseconds, 20.Milliseconds + 100.Milliseconds + 20.Milliseconds));
    }

    [Fact]
    public void A_node_that_goes_elsewhere_is_found_there_and_not_where_it_was()
    {
        var (world, arrivals) = Pair(LinkModel.Calm);
        var (a, b) = (world["a"], world["b"]);
        var (before, further) = (b.Socket.LocalEndpoint, world.AddSocket(b, 9999));
        Send(before);
        world.Roam("b", Home.Behind(NatBehaviour.FullCone));
        Send(before);
        // What was on its way when it went is lost, and so is what is sent there later.
        world.RunFor(1.Seconds);
        Assert.Empty(arrivals);
        Assert.True(further.LocalEndpoint.SameAddress(b.Socket.LocalEndpoint) && b.Socket.LocalEndpoint.IsPrivate);
        b.Run(() => b.Socket.Send(a.Socket.LocalEndpoint, [1]));
        world.RunFor(1.Seconds);
        Send(b.PublicEndpoint);
        world.Roam("b", Home.Public);
        world.RunFor(1.Seconds);
        Assert.Empty(arrivals);
        Send(b.PublicEndpoint);
        world.RunFor(1.Seconds);
        Assert.Single(arrivals);

        void Send(Polder.Net.Endpoint to) => a.Run(() => a.Socket.Send(to, new byte[100]));
    }

    [Fact]
    public void Swizzle_clog_loses_nothing_and_ends()
    {
        var world = new World(9);
        var heard = 0;
        for (var i = 0; i < 10; i++)
            world.AddNode($"n{i}", Home.Public, node =>
            {
                node.Socket.Received = (_, _) => heard++;
                return null;
            });
        world.SwizzleClog(Polder.Runtime.Prng.Derive(9, "swizzle"), 10.Seconds);
        var sent = 0;
        for (var second = 0; second < 10; second++)
        {
            foreach (var from in world.Nodes)
                foreach (var to in world.Nodes)
                    if (from != to)
                    {
                        from.Run(() => from.Socket.Send(to.Socket.LocalEndpoint, [1]));
                        sent++;
                    }
            world.RunFor(1.Seconds);
            if (second == 4) Assert.InRange(heard, 1, sent - 1);
        }
        world.RunFor(5.Seconds);
        Assert.Equal(sent, heard);
    }

    [Fact]
    public void Mischief_happens_at_a_quarter_of_the_places_until_the_faults_end_and_never_outside_a_world()
    {
        var on = true;
        var mischief = new Polder.Runtime.Mischief(5, new Polder.Runtime.Prng(5), () => on);
        var places = Enumerable.Range(0, 400).Count(i => Enumerable.Range(0, 40).Any(_ => mischief.Happens($"place {i}", 0.5)));
        Assert.InRange(places, 60, 140);
        on = false;
        Assert.DoesNotContain(Enumerable.Range(0, 400), i => mischief.Happens($"place {i}", 1));
        var world = new World(1);
        Assert.Null(world.AddNode("n", Home.Public, _ => null).Environment.Mischief);
    }

    internal readonly record struct Arrival(int Number, TimeSpan After, bool Damaged);

    private static List<Arrival> Send(LinkModel link, int count)
    {
        var (world, arrivals) = Pair(link);
        world.Run(count, arrivals);
        world.RunFor(10.Seconds);
        return arrivals;
    }

    private static (World, List<Arrival>) Pair(LinkModel link, Home? homeOfB = null)
    {
        var world = new World(5, link);
        List<Arrival> arrivals = [];
        world.AddNode("a", Home.Public, _ => null);
        world.AddNode("b", homeOfB ?? Home.Public, node =>
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
