namespace Polder.Lab.Tests;

/// <summary>Junk at 50,000 packets a second from everywhere (overlay specification, §12.9 and §4.4): who is known goes on talking, memory stays.</summary>
public sealed class Flood_tests
{
    private const int PacketsPerSecond = 50_000;
    private const double Seconds = 8, AnsweredMin = 0.95, GrowthMax = 10 * 1024 * 1024;

    [Theory]
    [InlineData("junk")]
    [InlineData("header")]
    public async Task Neighbours_are_answered_and_memory_stays_while_junk_pours_in(string kind)
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync("host target\nhost friend\nhost flooder\n");
        var crowd = new Crowd(lab);
        await crowd.StartAsync("target", 6000);
        await crowd.StartAsync("friend", 6001, "target");
        await crowd.MetAsync("friend", "target");
        await crowd.MetAsync("target", "friend");
        var flooder = lab.StartRaw("flooder");
        await flooder.ExpectAsync("", "agent", InTheLab.Seconds(30));

        // A first small flood, so that tables and compiled code are there before memory is measured.
        await FloodAsync(2);
        var before = await crowd.AskAsync("target", "memory", "memory");
        var flooding = FloodAsync(Seconds);
        var traffic = await crowd.AskAsync("friend", "traffic", "traffic", 60, ("key", crowd.Key("target")), ("perSecond", 50), ("seconds", Seconds - 1));
        var sent = await flooding;
        var after = await crowd.AskAsync("target", "memory", "memory");
        var counters = await crowd.AskAsync("target", "counters", "counters");
        var (asked, answered) = (traffic.Number("sent")!.Value, traffic.Number("answered")!.Value);
        var growth = after.Number("bytes")!.Value - before.Number("bytes")!.Value;
        InTheLab.Say($"{kind}: {sent / Seconds:F0} packets/s offered, {counters.Number("received"):F0} received in all; {answered} of {asked} calls answered; memory {growth / 1024 / 1024:F1} MiB more ({before.Number("bytes") / 1024 / 1024:F0} before)");
        InTheLab.Say(counters.Item.ToString());
        Assert.True(answered >= AnsweredMin * asked, $"Only {answered} of {asked} calls were answered.");
        Assert.True(growth < GrowthMax, $"{growth / 1024 / 1024:F1} MiB more than before.");
        Assert.Equal(0, counters.Number("faults"));

        async Task<double> FloodAsync(double seconds)
        {
            var from = flooder.Events("flooder").Count;
            flooder.Do("flood", "flooder", ("to", crowd.Address("target")), ("perSecond", PacketsPerSecond), ("seconds", seconds), ("kind", kind),
                ("prefix", "0002" + crowd.Community));
            return (await flooder.ExpectAsync("flooder", "flooded", InTheLab.Seconds(seconds + 20), from: from)).Number("sent")!.Value;
        }
    }
}
