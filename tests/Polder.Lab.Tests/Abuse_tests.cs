using System.Globalization;
using System.Text.Json.Nodes;

namespace Polder.Lab.Tests;

/// <summary>A host that listens in, repeats and forges (overlay specification, §12.8): nothing moves, and nobody gets three times what was sent.</summary>
public sealed class Abuse_tests
{
    private const string Innocent = "innocent", Mallory = "mallory", Target = "target", Victim = "victim";

    [Fact]
    public async Task Repeated_and_forged_datagrams_move_nobody_and_are_worth_no_reflection()
    {
        InTheLab.Need();
        await using var lab = await Laboratory.UpAsync($"host {Target}\nhost {Victim}\nhost {Mallory}\nhost {Innocent}\n");
        var listener = await RawAsync(lab, "net");
        listener.Do("listen", "net");
        await listener.ExpectAsync("net", "listening", InTheLab.Seconds(10));
        var crowd = new Crowd(lab);
        await crowd.StartAsync(Target, 6000);
        // The victim knocks at Mallory's too: what it says there the target has never seen, so no filter of copies knows it.
        await crowd.StartAsync(Victim, 6001, Target, $"{lab.Places[Mallory].Address}:6666");
        await crowd.MetAsync(Target, Victim);
        await Task.Delay(3000, TestContext.Current.CancellationToken);

        var recorded = await HeardAsync(listener, lab.Places[Victim].Address, lab.Places[Target].Address);
        var fresh = await HeardAsync(listener, lab.Places[Victim].Address, lab.Places[Mallory].Address);
        Assert.NotEmpty(fresh);
        InTheLab.Say($"recorded {recorded.Length} datagrams of the victim, first bytes and numbers: {string.Join(' ', recorded.Select(Name).Distinct())}");
        Assert.NotEmpty(recorded);
        var before = LabEvent.TextOf((await crowd.ViewAsync(Target, Victim))!.Value, "address");
        Assert.Equal(crowd.Address(Victim), before);

        var mallory = await RawAsync(lab, Mallory);
        var innocent = await RawAsync(lab, Innocent);
        await OpenAsync(mallory, Mallory, 6666, lab.Places[Target].Address);
        await OpenAsync(innocent, Innocent, 7777, lab.Places[Target].Address);

        // Word for word, from another address: py-ipv8 moves the victim's entry there. Each kind by itself, a third of a second apart.
        foreach (var one in OneOfEach(recorded).Concat(OneOfEach(fresh)))
        {
            await SendAsync(mallory, Mallory, crowd.Address(Target), null, one);
            await Task.Delay(300, TestContext.Current.CancellationToken);
            await AtMostThreeTimesAsync(mallory, Mallory, null, Name(one));
        }
        Assert.Equal(before, LabEvent.TextOf((await crowd.ViewAsync(Target, Victim))!.Value, "address"));

        // In an innocent's name: what was recorded, a puncture-request that names it, and every message number behind the overlay's prefix.
        var reflect = fresh.SkipLast(1).TakeLast(4).Concat(OneOfEach(recorded)).Append(PunctureRequest(crowd.Community, lab.Places[Innocent].Address, 7777))
            .Concat(Enumerable.Range(0, 256).Select(number => "0002" + crowd.Community + number.ToString("x2", CultureInfo.InvariantCulture) + new string('0', 60)));
        foreach (var chunk in reflect.Chunk(4).Take(6).Concat(reflect.Skip(24).Chunk(24)))
        {
            await SendAsync(mallory, Mallory, crowd.Address(Target), $"{lab.Places[Innocent].Address}:7777", chunk);
            await Task.Delay(400, TestContext.Current.CancellationToken);
            await AtMostThreeTimesAsync(mallory, Mallory, innocent, "forged sender");
        }
        // A stranger's puncture-request, from its own address, about the innocent.
        await SendAsync(mallory, Mallory, crowd.Address(Target), null, PunctureRequest(crowd.Community, lab.Places[Innocent].Address, 7777));
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await CountAsync(innocent, Innocent)).In);

        Assert.Equal(before, LabEvent.TextOf((await crowd.ViewAsync(Target, Victim))!.Value, "address"));
        var traffic = await crowd.AskAsync(Victim, "traffic", "traffic", 30, ("key", crowd.Key(Target)), ("perSecond", 20), ("seconds", 2));
        Assert.Equal(traffic.Number("sent"), traffic.Number("answered"));
        Assert.Equal(0, (await crowd.AskAsync(Target, "counters", "counters")).Number("faults"));
    }

    /// <summary>The number of a message of IPv8, or the first byte of anything else.</summary>
    private static string Name(string hex) => hex.StartsWith("0002", StringComparison.Ordinal) && hex.Length > 46 ? $"{hex[4..8]}…/{Convert.ToByte(hex[44..46], 16)}" : hex[..2];

    private static IEnumerable<string> OneOfEach(IEnumerable<string> datagrams) => datagrams.GroupBy(Name).Select(static group => group.Last());

    private static async Task<string[]> HeardAsync(LabProcess listener, string from, string to)
    {
        var events = listener.Events("net").Count;
        listener.Do("heard", "net", ("from", from), ("to", to));
        var heard = await listener.ExpectAsync("net", "heard", InTheLab.Seconds(10), from: events);
        return [.. heard.Item.GetProperty("hex").EnumerateArray().Select(static hex => hex.GetString()!)];
    }

    /// <summary>Message 250: global time, LAN and WAN walker, identifier.</summary>
    private static string PunctureRequest(string community, string address, int port)
    {
        var walker = string.Concat(address.Split('.').Select(static part => byte.Parse(part, CultureInfo.InvariantCulture).ToString("x2", CultureInfo.InvariantCulture)))
            + port.ToString("x4", CultureInfo.InvariantCulture);
        return "0002" + community + "fa" + "0000000000000001" + "000000000000" + walker + "0009";
    }

    private static async Task<LabProcess> RawAsync(Laboratory lab, string host)
    {
        var raw = lab.StartRaw(host);
        await raw.ExpectAsync("", "agent", InTheLab.Seconds(30));
        return raw;
    }

    private static async Task OpenAsync(LabProcess raw, string name, int port, string only)
    {
        raw.Do("open", name, ("port", port), ("from", only));
        await raw.ExpectAsync(name, "opened", InTheLab.Seconds(10));
    }

    private static async Task SendAsync(LabProcess raw, string name, string to, string? forged, params string[] hex)
    {
        var from = raw.Events(name).Count;
        var list = new JsonArray([.. hex.Select(static text => (JsonNode)text)]);
        if (forged is null) raw.Do("send", name, ("to", to), ("hex", list));
        else raw.Do("send", name, ("to", to), ("as", forged), ("hex", list));
        await raw.ExpectAsync(name, "sent", InTheLab.Seconds(10), from: from);
    }

    private static async Task<(double Out, double In)> CountAsync(LabProcess raw, string name)
    {
        var from = raw.Events(name).Count;
        raw.Do("count", name);
        var counted = await raw.ExpectAsync(name, "counted", InTheLab.Seconds(10), from: from);
        return (counted.Number("out")!.Value, counted.Number("in")!.Value);
    }

    /// <summary>What came back (to the sender, or to whom it pretended to be) against what was sent.</summary>
    private static async Task AtMostThreeTimesAsync(LabProcess sender, string name, LabProcess? other, string what)
    {
        var (sent, back) = await CountAsync(sender, name);
        if (other is not null) back = (await CountAsync(other, Innocent)).In;
        InTheLab.Say($"{what}: {sent} bytes sent, {back} came back");
        Assert.True(back <= 3 * sent, $"{what}: {sent} bytes sent, {back} came back.");
    }
}
