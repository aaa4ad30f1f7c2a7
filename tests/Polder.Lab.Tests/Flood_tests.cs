namespace Polder.Lab.Tests;

/// <summary>
/// Junk at 50,000 packets a second from everywhere, and 2,000 handshakes a second that look right until the curves are computed (overlay
/// specification, §12.9 and §4.4): who is known goes on talking, memory stays.
/// </summary>
[Collection(Alone.Name)]
public sealed class Flood_tests
{
    private const int PacketsPerSecond = 50_000, HandshakesPerSecond = 2_000;
    private const double Seconds = 8, AnsweredMin = 0.95, GrowthMax = 10 * 1024 * 1024;

    [Theory]
    [InlineData("junk", false)]
    [InlineData("header", false)]
    [InlineData("junk", true)]
    public async Task Neighbours_are_answered_and_memory_stays_while_junk_pours_in(string kind, bool withHandshakes)
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync("host target\nhost friend\nhost flooder\nhost second\n");
        var crowd = new Crowd(lab);
        await crowd.StartAsync("target", 6000);
        await crowd.StartAsync("friend", 6001, "target");
        await crowd.MetAsync("friend", "target");
        await crowd.MetAsync("target", "friend");
        var (flooder, second) = (lab.StartRaw("flooder"), lab.StartRaw("second"));
        await flooder.ExpectAsync("", "agent", InTheLab.Seconds(30));
        await second.ExpectAsync("", "agent", InTheLab.Seconds(30));

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
        InTheLab.Say($"{kind}{(withHandshakes ? " and handshakes" : "")}: {sent / Seconds:F0} packets/s offered, {counters.Number("received"):F0} received in all; {answered} of {asked} calls answered; memory {growth / 1024 / 1024:F1} MiB more ({before.Number("bytes") / 1024 / 1024:F0} before)");
        InTheLab.Say(counters.Item.ToString());
        Assert.True(answered >= AnsweredMin * asked, $"Only {answered} of {asked} calls were answered.");
        Assert.True(growth < GrowthMax, $"{growth / 1024 / 1024:F1} MiB more than before.");
        Assert.Equal(0, counters.Number("faults"));

        async Task<double> FloodAsync(double seconds)
        {
            var handshakes = withHandshakes ? FromAsync(second, "second", "handshake", HandshakesPerSecond, seconds) : Task.FromResult(0.0);
            return await FromAsync(flooder, "flooder", kind, PacketsPerSecond, seconds) + await handshakes;
        }

        async Task<double> FromAsync(LabProcess raw, string name, string what, int perSecond, double seconds)
        {
            var from = raw.Events(name).Count;
            raw.Do("flood", name, ("to", crowd.Address("target")), ("perSecond", perSecond), ("seconds", seconds), ("kind", what),
                ("prefix", "0002" + crowd.Community), ("head", "0002" + Polder.Overlay.Discovery.DiscoveryCommunity.Extension + "01"), ("key", crowd.Key("target")));
            return (await raw.ExpectAsync(name, "flooded", InTheLab.Seconds(seconds + 20), from: from)).Number("sent")!.Value;
        }
    }
}

/// <summary>Tests that want the machine for themselves; all others wait most of the time and run beside each other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
