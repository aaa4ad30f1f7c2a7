namespace Polder.Lab.Tests;

/// <summary>A router forgets everything, or moves, while bytes flow through it (overlay specification, §12.4).</summary>
public sealed class Rebind_tests
{
    private const long Bytes = 12_000_000; // ten seconds of the line

    [Theory]
    [InlineData(true, false, 2)]
    [InlineData(true, true, 3)]
    [InlineData(false, false, 2)]
    [InlineData(false, true, 3)]
    public async Task A_transfer_goes_on_after_the_router_forgot_its_mappings(bool upwards, bool newAddress, double secondsMax)
    {
        await using var lab = await BuildAsync();
        var crowd = await CrowdAsync(lab);
        var (from, to) = upwards ? ("home", "town") : ("town", "home");
        var transfer = crowd.AskAsync(from, "transfer", "delivered", 60, ("key", crowd.Key(to)), ("bytes", Bytes), ("seed", 1));
        await crowd.Agent(to).ExpectAsync(to, "first", InTheLab.Seconds(30));
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        await lab.NatlabAsync(newAddress ? ["rebind", "router", "203.0.113.9"] : ["rebind", "router"]);
        var gaps = await EndAsync(crowd, transfer, to);
        Assert.True(gaps.Max() < secondsMax, $"{gaps.Max():F2} s of silence.");
    }

    [Fact]
    public async Task Ten_rebinds_in_a_row_lose_nothing()
    {
        await using var lab = await BuildAsync();
        var crowd = await CrowdAsync(lab);
        var transfer = crowd.AskAsync("home", "transfer", "delivered", 120, ("key", crowd.Key("town")), ("bytes", 2 * Bytes), ("seed", 2));
        await crowd.Agent("town").ExpectAsync("town", "first", InTheLab.Seconds(30));
        for (var i = 0; i < 10; i++)
        {
            await Task.Delay(1500, TestContext.Current.CancellationToken);
            await lab.NatlabAsync("rebind", "router");
        }
        var gaps = await EndAsync(crowd, transfer, "town");
        Assert.True(gaps.Max() < 3, $"{gaps.Max():F2} s of silence.");
    }

    private static Task<Laboratory> BuildAsync()
    {
        InTheLab.Need();
        // Random ports: after forgetting, the router gives others.
        return Laboratory.UpAsync("host meeting\nhost town\nnat router portrnd rate=10mbit delay=10ms\nhost home via=router\n");
    }

    private static async Task<Crowd> CrowdAsync(Laboratory lab)
    {
        var crowd = new Crowd(lab);
        await crowd.StartAsync("meeting", 6000);
        await crowd.StartAsync("town", 6000, "meeting");
        await crowd.StartAsync("home", 6000, "meeting", "town");
        await crowd.Agent("home").ExpectAsync("home", "session", InTheLab.Seconds(40), item => item.Key == crowd.Key("town"));
        await crowd.Agent("town").ExpectAsync("town", "session", InTheLab.Seconds(40), item => item.Key == crowd.Key("home"));
        return crowd;
    }

    private static async Task<double[]> EndAsync(Crowd crowd, Task<LabEvent> transfer, string to)
    {
        var delivered = await transfer;
        var received = await crowd.Agent(to).ExpectAsync(to, "received", InTheLab.Seconds(30));
        InTheLab.Say(received.Item.ToString());
        Assert.Equal(delivered.Text("hash"), received.Text("hash"));
        return [0, .. received.Item.GetProperty("gaps").EnumerateArray().Select(static gap => gap.GetDouble())];
    }
}
