using System.Text.Json.Nodes;

namespace Polder.Lab.Tests;

/// <summary>Each source of first contact alone, with everything else silent (overlay specification, §5.1, OV-5.2 and §12.7).</summary>
public sealed class FirstContact_tests
{
    [Fact]
    public async Task A_node_that_comes_back_with_a_third_of_its_old_peers_alive_finds_one_within_five_seconds()
    {
        InTheLab.Need();
        const int Peers = 6, Alive = 2;
        await using var lab = await Laboratory.UpAsync(string.Concat(Enumerable.Range(0, Peers).Select(static i => $"host p{i}\n")) + "nat home port\nhost back via=home\n");
        var crowd = new Crowd(lab);
        await crowd.StartAsync("p0", 6000);
        for (var i = 1; i < Peers; i++) await crowd.StartAsync($"p{i}", 6000, "p0");
        await crowd.AgainAsync("back", ("folder", "back"), ("join", new JsonArray(crowd.Address("p0"))));
        for (var i = 0; i < Peers; i++) await crowd.MetAsync("back", $"p{i}", 60);
        await crowd.StopAsync("back");
        for (var i = Alive; i < Peers; i++) await crowd.StopAsync($"p{i}");
        var times = new List<double>();
        for (var run = 0; run < 5; run++)
        {
            times.Add(await crowd.FirstPeerAsync("back", 20, ("folder", "back")));
            await crowd.StopAsync("back");
        }
        Judge("cache, a third alive", times, 2, 5);
    }

    [Fact]
    public async Task Two_nodes_of_one_local_network_without_a_line_outside_meet_within_a_second()
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync("host outside\nnat home port\nhost one via=home\nhost two via=home\n");
        await lab.NatlabAsync("link", "home", "down");
        var crowd = new Crowd(lab);
        await crowd.AgainAsync("one", ("lan", true));
        var times = new List<double>();
        for (var run = 0; run < 5; run++)
        {
            times.Add(await crowd.FirstPeerAsync("two", 20, ("lan", true)));
            await crowd.StopAsync("two");
        }
        Judge("local network", times, 1, 1.5);
    }

    [Fact]
    public async Task With_only_a_list_of_which_one_in_five_is_alive_somebody_is_found_within_ten_seconds()
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync("host alive\nhost dead1\nhost dead2\nhost dead3\nhost dead4\nnat home portrnd\nhost new via=home\n");
        var crowd = new Crowd(lab);
        await crowd.StartAsync("alive", 6000);
        var times = new List<double>();
        for (var run = 0; run < 5; run++)
        {
            var list = new JsonArray([.. lab.Places.Where(static place => place.Key.StartsWith("dead", StringComparison.Ordinal) || place.Key == "alive")
                .Select(static place => (JsonNode)$"{place.Value.Address}:6000")]);
            times.Add(await crowd.FirstPeerAsync("new", 30, ("list", list)));
            await crowd.StopAsync("new");
        }
        Judge("list, one in five alive", times, 5, 10);
    }

    [Theory]
    [InlineData("port", "portrnd")]
    [InlineData("sym", "port")]
    public async Task An_invitation_with_live_helpers_makes_contact_within_three_seconds(string inviterKind, string takerKind)
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync($"host helper\nhost other\nhost third\nnat n1 {inviterKind}\nhost inviter via=n1\nnat n2 {takerKind}\nhost taker via=n2\n");
        var crowd = new Crowd(lab);
        await crowd.StartAsync("helper", 6000);
        await crowd.StartAsync("other", 6000, "helper");
        await crowd.StartAsync("third", 6000, "helper");
        await crowd.StartAsync("inviter", 6000, "helper", "other", "third");
        foreach (var host in new[] { "helper", "other", "third" }) await crowd.MetAsync("inviter", host);
        await Task.Delay(12_000, TestContext.Current.CancellationToken);
        var times = new List<double>();
        for (var run = 0; run < 5; run++)
        {
            var invitation = (await crowd.AskAsync("inviter", "invite", "invitation")).Text("text");
            await crowd.AgainAsync("taker");
            var begun = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
            var taken = await crowd.AskAsync("taker", "take", "taken", 60, ("text", invitation));
            InTheLab.Say(taken.Item.ToString());
            Assert.Equal(crowd.Key("inviter"), taken.Key);
            times.Add(taken.At - begun);
            await crowd.StopAsync("taker");
        }
        Judge($"invitation, {inviterKind} to {takerKind}", times, 3, 3);
    }

    private static void Judge(string what, List<double> seconds, double medianMax, double worstMax)
    {
        seconds.Sort();
        var (median, worst) = (seconds[seconds.Count / 2], seconds[^1]);
        InTheLab.Say($"{what}: {string.Join(" ", seconds.Select(static s => Laboratory.Seconds(s)))} s");
        Assert.True(median < medianMax, $"{what}: median {median:F2} s.");
        // The limits are of 95 in 100 (OV-5.2), and these are five runs beside other laboratories on the same two processors: one may be late, none lost.
        Assert.True(seconds[^2] < worstMax && worst < 3 * worstMax, $"{what}: second worst {seconds[^2]:F2} s, worst {worst:F2} s.");
    }
}
