using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Runtime;

namespace Polder.Tests.Overlay.Nat;

/// <summary>The table of pairs, guesses of ports, the caps of a birthday, and the search for a mapping's lifetime.</summary>
public sealed class PunctureRuleTests
{
    private static readonly NatOptions Options = new();

    [Theory]
    // The table of Overlay 6.3, row by row: what the row's node does to reach the column's.
    [InlineData(NatClass.Open, "Direct Reverse Reverse Reverse")]
    [InlineData(NatClass.Full, "Direct Reverse Reverse Reverse")]
    [InlineData(NatClass.Filtered, "Direct Simultaneous Predict Birthday")]
    [InlineData(NatClass.Unknown, "Direct Simultaneous Predict Birthday")]
    [InlineData(NatClass.Sequential, "Direct Predict PredictBoth Relay")]
    [InlineData(NatClass.Random, "Direct Birthday Relay Relay")]
    [InlineData(NatClass.Pool, "Direct Birthday Relay Relay")]
    [InlineData(NatClass.Blocked, "Relay Relay Relay Relay")]
    public void The_strategy_follows_the_table(NatClass own, string expected) => Assert.Equal(expected, string.Join(' ',
        new[] { NatClass.Open, NatClass.Filtered, NatClass.Sequential, NatClass.Random }.Select(other => Strategies.Choose(own, other))));

    [Fact]
    public void Predicted_ports_follow_the_last_and_stay_in_range()
    {
        var ports = new ushort[PortPrediction.PortsMax];
        PortPrediction.Fill(20_000, 2, ports);
        Assert.Equal((20_002, 20_064), (ports[0], ports[^1]));
        PortPrediction.Fill(65_530, 1, ports);
        Assert.Equal((65_535, 1_024), (ports[4], ports[5]));
        PortPrediction.Fill(1_030, -1, ports);
        Assert.Equal((1_024, 65_535), (ports[5], ports[6]));
    }

    [Theory]
    [InlineData(256, 64_512, 256, 0.64)]
    [InlineData(256, 64_512, 1024, 0.984)]
    [InlineData(128, 64_512, 1024, 0.87)]
    [InlineData(64, 4_096, 256, 0.984)]
    public void The_chance_of_a_birthday_is_that_of_the_specification(int sockets, int ports, int probes, double expected) =>
        Assert.Equal(expected, BirthdayPlan.Chance(sockets, ports, probes), 2);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(40_000, 41_023)]
    [InlineData(1_024, 1_024)]
    [InlineData(65_535, 65_535)]
    public void A_birthday_probes_every_port_once_and_the_known_block_first(int from, int to)
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var plan = new BirthdayPlan(new Prng(seed), from, to);
            var all = new List<int>();
            while (plan.Next() is { } port) all.Add(port);
            Assert.Equal(64_512, all.Count);
            Assert.Equal(64_512, all.Distinct().Count());
            if (to > 0) Assert.All(all.Take(to - from + 1), port => Assert.InRange(port, from, to));
        }
    }

    [Fact]
    public void One_birthday_at_a_time_and_three_in_ten_minutes()
    {
        var caps = new BirthdayCaps(Options);
        Assert.True(caps.TryBegin(TimeSpan.Zero));
        Assert.False(caps.TryBegin(TimeSpan.FromSeconds(1)));
        for (var i = 1; i < 3; i++)
        {
            caps.End();
            Assert.True(caps.TryBegin(TimeSpan.FromMinutes(i)));
        }
        caps.End();
        Assert.False(caps.TryBegin(TimeSpan.FromMinutes(9)));
        Assert.True(caps.TryBegin(TimeSpan.FromMinutes(10)));
    }

    [Fact]
    public void Probes_are_capped_for_an_address_and_for_the_hour()
    {
        var caps = new BirthdayCaps(Options);
        var address = Endpoint.FromIPv4(0x09090909, 0);
        var sent = 0;
        for (ushort i = 1; i < 3_000; i++)
            if (caps.TryProbe(address.WithPort(i), TimeSpan.Zero)) sent++;
        Assert.Equal(1_024, sent);
        for (uint other = 1; other < 10; other++)
            for (ushort i = 1; i < 2_000; i++)
                if (caps.TryProbe(Endpoint.FromIPv4(0x0A000000 + other, i), TimeSpan.FromMinutes(1))) sent++;
        Assert.Equal(4_096, sent);
        Assert.False(caps.TryProbe(address, TimeSpan.FromMinutes(59)));
        Assert.True(caps.TryProbe(address, TimeSpan.FromMinutes(62)));
    }

    [Theory]
    // lifetime of the mapping in seconds, keep-alive found
    [InlineData(15, 15)]
    [InlineData(25, 15)]
    [InlineData(35, 21)]
    [InlineData(60, 42)]
    [InlineData(100, 63)]
    [InlineData(1_000, 120)]
    public void The_search_finds_a_keep_alive_that_the_mapping_survives(int lifetime, int expected)
    {
        var search = new LifetimeSearch(Options);
        var tests = 0;
        while (search.Next is { } silence)
        {
            search.Add(silence.TotalSeconds <= lifetime);
            Assert.True(++tests < 20);
        }
        Assert.Equal(expected, search.KeepAlive.TotalSeconds, 3);
    }

    [Fact]
    public void One_lost_answer_does_not_end_the_search()
    {
        var search = new LifetimeSearch(Options);
        search.Add(false);
        search.Add(true);
        search.Add(true);
        Assert.Equal((TimeSpan.FromSeconds(20), null, TimeSpan.FromSeconds(30)), (search.Survived!.Value, search.DiedAt, search.Next!.Value));
    }
}
