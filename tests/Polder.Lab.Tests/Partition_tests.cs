using System.Diagnostics;

namespace Polder.Lab.Tests;

/// <summary>The network falls apart for a minute and heals (overlay specification, §12.6).</summary>
public sealed class Partition_tests
{
    private static readonly string[] West = ["w0", "w1", "w2", "w3"], East = ["e0", "e1", "e2", "e3"];

    [Fact]
    public async Task After_a_minute_apart_all_former_neighbours_are_back_within_half_a_minute_and_both_halves_kept_working()
    {
        InTheLab.Need();
        // The east stands behind one router, whose line is cut; within each half everybody still reaches everybody.
        await using var lab = await Laboratory.UpAsync(string.Concat(West.Select(static host => $"host {host}\n")) + "nat river fw\n"
            + string.Concat(East.Select(static host => $"host {host} via=river\n")));
        var crowd = new Crowd(lab);
        await crowd.StartAsync("w0", 6000);
        foreach (var host in West.Skip(1).Concat(East)) await crowd.StartAsync(host, 6000, "w0");
        foreach (var host in West.Concat(East))
            foreach (var other in West.Concat(East).Where(other => other != host)) await crowd.MetAsync(host, other, 60);

        await lab.NatlabAsync("link", "river", "down");
        await Task.Delay(58_000, TestContext.Current.CancellationToken);
        foreach (var (caller, called) in new[] { ("w1", "w2"), ("e1", "e2") })
        {
            var traffic = await crowd.AskAsync(caller, "traffic", "traffic", 30, ("key", crowd.Key(called)), ("perSecond", 10), ("seconds", 1));
            Assert.Equal(traffic.Number("sent"), traffic.Number("answered"));
        }
        await lab.NatlabAsync("link", "river", "up");
        var clock = Stopwatch.StartNew();
        var missing = West.SelectMany(static west => East.SelectMany(east => new[] { (west, east), (east, west) })).ToList();
        while (missing.Count > 0 && clock.Elapsed < InTheLab.Seconds(45))
        {
            await Task.Delay(500, TestContext.Current.CancellationToken);
            var healed = clock.Elapsed.TotalSeconds;
            foreach (var (host, other) in missing.ToArray())
                if (await crowd.ViewAsync(host, other) is { } view && view.GetProperty("verified").GetBoolean() && view.GetProperty("community").GetBoolean()
                    && view.GetProperty("lastIn").GetDouble() < healed) missing.Remove((host, other));
        }
        InTheLab.Say($"all {West.Length * East.Length * 2} former pairs were back after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.True(missing.Count == 0, $"Not back after {clock.Elapsed.TotalSeconds:F0} s: {string.Join(' ', missing)}");
        Assert.True(clock.Elapsed < InTheLab.Seconds(30), $"It took {clock.Elapsed.TotalSeconds:F1} s.");
    }
}
