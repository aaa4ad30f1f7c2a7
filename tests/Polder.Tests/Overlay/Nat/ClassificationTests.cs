using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Runtime;

namespace Polder.Tests.Overlay.Nat;

/// <summary>What others' words make of us (OV-5.4 to OV-5.6).</summary>
public sealed class ClassificationTests
{
    private static readonly NatOptions Options = new();
    private static readonly Endpoint Local = At("192.168.1.2:8090");

    private static Endpoint At(string text) => Endpoint.TryParse(text, out var endpoint) ? endpoint : throw new ArgumentException(text);

    /// <summary>Reporters in networks of their own, one second apart, each of which sees one of these.</summary>
    private static NatReports Reported(params string[] seen)
    {
        var reports = new NatReports(64, TimeSpan.FromMinutes(5));
        for (var i = 0; i < seen.Length; i++)
        {
            var reporter = Endpoint.FromIPv4((uint)(20 + i) << 24 | 7, 8090);
            reports.Add(reporter.Network(16, 32), reporter, At(seen[i]), TimeSpan.FromSeconds(i));
        }
        return reports;
    }

    private static NatVerdict Judge(bool? strangersGetIn, params string[] seen) =>
        Classification.Judge(Reported(seen).Votes(TimeSpan.FromMinutes(1)), Local, strangersGetIn, Options);

    [Fact]
    public void Two_votes_decide_nothing() =>
        Assert.Equal(NatClass.Unknown, Judge(null, "9.9.9.9:5000", "9.9.9.9:5000").Class);

    [Fact]
    public void One_network_has_one_vote_however_many_reporters()
    {
        var reports = new NatReports(64, TimeSpan.FromMinutes(5));
        for (uint i = 0; i < 10; i++)
        {
            var reporter = Endpoint.FromIPv4(20u << 24 | i, 8090);
            reports.Add(reporter.Network(16, 32), reporter, At("9.9.9.9:5000"), TimeSpan.FromSeconds(1));
        }
        Assert.Equal(NatClass.Unknown, Classification.Judge(reports.Votes(TimeSpan.FromSeconds(2)), Local, null, Options).Class);
    }

    [Theory]
    [InlineData(null, NatClass.Filtered, false)]
    [InlineData(false, NatClass.Filtered, true)]
    [InlineData(true, NatClass.Full, true)]
    public void One_outer_port_for_all_is_F_or_E_by_the_dial_back(bool? strangersGetIn, NatClass expected, bool settled)
    {
        var verdict = Judge(strangersGetIn, "9.9.9.9:5000", "9.9.9.9:5000", "9.9.9.9:5000");
        Assert.Equal((expected, settled, At("9.9.9.9:5000")), (verdict.Class, verdict.IsSettled, verdict.Outer!.Value));
    }

    [Theory]
    [InlineData(true, NatClass.Open)]
    [InlineData(false, NatClass.Filtered)]
    public void Our_own_address_seen_by_all_is_O_only_when_strangers_get_in(bool strangersGetIn, NatClass expected)
    {
        var votes = Reported("30.1.1.1:8090", "30.1.1.1:8090", "30.1.1.1:8090").Votes(TimeSpan.FromMinutes(1));
        Assert.Equal(expected, Classification.Judge(votes, At("30.1.1.1:8090"), strangersGetIn, Options).Class);
    }

    [Fact]
    public void One_liar_does_not_make_a_steady_address_unsteady() =>
        Assert.Equal(NatClass.Filtered, Judge(null, "9.9.9.9:5000", "9.9.9.9:1234", "9.9.9.9:5000", "9.9.9.9:5000").Class);

    [Theory]
    [InlineData(1, "20000", "20001", "20002")]
    [InlineData(1, "20000", "20003", "20005", "20006")]
    [InlineData(2, "20000", "20002", "20006")]
    [InlineData(-1, "20010", "20009", "20007")]
    [InlineData(1, "20000", "20001", "41000", "41001", "41002", "41003")]
    [InlineData(1, "20002", "20001", "20004", "20003")]
    [InlineData(1, "20001", "20000", "20003")]
    public void Small_steps_of_one_sign_are_S(int step, params string[] ports)
    {
        var verdict = Judge(null, [.. ports.Select(port => "9.9.9.9:" + port)]);
        Assert.Equal((NatClass.Sequential, step), (verdict.Class, verdict.Step));
        Assert.Equal(int.Parse(ports[^1], System.Globalization.CultureInfo.InvariantCulture), verdict.Outer!.Value.Port);
    }

    [Fact]
    public void Far_ports_are_R_without_a_block()
    {
        var verdict = Judge(null, "9.9.9.9:2000", "9.9.9.9:61000", "9.9.9.9:33000", "9.9.9.9:11000", "9.9.9.9:50000");
        Assert.Equal((NatClass.Random, 0), (verdict.Class, verdict.WindowTo));
    }

    [Fact]
    public void Five_random_ports_close_together_are_R_with_their_block()
    {
        var verdict = Judge(null, "9.9.9.9:40100", "9.9.9.9:40900", "9.9.9.9:40300", "9.9.9.9:40050", "9.9.9.9:40700");
        Assert.Equal(NatClass.Random, verdict.Class);
        Assert.InRange(verdict.WindowFrom, 39_700, 40_050);
        Assert.InRange(verdict.WindowTo, 40_900, 41_300);
    }

    [Fact]
    public void Several_outer_addresses_are_a_pool() =>
        Assert.Equal(NatClass.Pool, Judge(null, "9.9.9.9:2000", "9.9.9.8:61000", "9.9.9.7:33000").Class);

    [Fact]
    public void Private_words_count_only_where_there_are_no_others()
    {
        Assert.Equal(NatClass.Unknown, Judge(null, "9.9.9.9:5000", "9.9.9.9:5000", "192.168.1.2:8090").Class);
        Assert.Equal(NatClass.Unknown, Judge(null, "9.9.9.9:5000", "9.9.9.9:5000", "100.64.3.2:8090").Class);
        Assert.Equal(NatClass.Open, Judge(true, "192.168.1.2:8090", "192.168.1.2:8090", "192.168.1.2:8090").Class);
    }

    [Fact]
    public void A_report_counts_for_five_minutes()
    {
        var reports = Reported("9.9.9.9:5000", "9.9.9.9:5000", "9.9.9.9:5000");
        Assert.Equal(3, reports.Votes(TimeSpan.FromMinutes(5)).Count);
        Assert.Empty(reports.Votes(TimeSpan.FromMinutes(6)));
    }

    [Fact]
    public void Sixty_four_reporters_are_kept_and_the_oldest_gives_way()
    {
        var reports = new NatReports(64, TimeSpan.FromMinutes(5));
        for (uint i = 0; i < 100; i++)
        {
            var reporter = Endpoint.FromIPv4((20 + i) << 24, 8090);
            reports.Add(reporter.Network(16, 32), reporter, At("9.9.9.9:5000"), TimeSpan.FromSeconds(i));
        }
        Assert.Equal(64, reports.Count);
        Assert.Equal(TimeSpan.FromSeconds(36), reports.Votes(TimeSpan.FromSeconds(100)).Min(vote => vote.At));
    }

    [Theory]
    [InlineData("9.9.9.9:6000", NatClass.Filtered)]
    [InlineData("8.8.8.8:6000", NatClass.Filtered)]
    public void A_router_that_starts_again_is_not_taken_for_one_with_many_ports(string after, NatClass expected)
    {
        var reports = Reported("9.9.9.9:5000", "9.9.9.9:5000", "9.9.9.9:5000", "9.9.9.9:5000", "9.9.9.9:5000");
        var told = false;
        for (uint i = 0; i < 3; i++)
        {
            var reporter = Endpoint.FromIPv4((20 + i) << 24 | 7, 8090);
            told |= reports.Add(reporter.Network(16, 32), reporter, At(after), TimeSpan.FromSeconds(60 + i)) == NatNews.Reboot;
        }
        var verdict = Classification.Judge(reports.Votes(TimeSpan.FromSeconds(64)), Local, null, Options);
        Assert.True(told);
        Assert.Equal((expected, At(after)), (verdict.Class, verdict.Outer!.Value));
    }

    [Fact]
    public void A_router_with_a_random_port_for_each_never_seems_to_start_again()
    {
        var random = new Prng(7);
        var reports = new NatReports(64, TimeSpan.FromMinutes(5));
        for (var round = 0; round < 20; round++)
            for (uint i = 0; i < 5; i++)
            {
                var reporter = Endpoint.FromIPv4((20 + i) << 24 | 7, 8090);
                var seen = At("9.9.9.9:1024").WithPort((ushort)random.Next(1024, 65_535));
                Assert.NotEqual(NatNews.Reboot, reports.Add(reporter.Network(16, 32), reporter, seen, TimeSpan.FromSeconds(round * 20 + i)));
            }
        Assert.Equal(NatClass.Random, Classification.Judge(reports.Votes(TimeSpan.FromSeconds(400)), Local, null, Options).Class);
    }
}
