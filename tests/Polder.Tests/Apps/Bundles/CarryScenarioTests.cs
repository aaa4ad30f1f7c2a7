using System.Globalization;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Apps.Bundles;

public sealed class CarryScenarioTests
{
    /// <summary>One seed in every test run; <c>POLDER_SEEDS</c> says how many more (500 by hand, docs/mailbag.md).</summary>
    [Fact]
    public void No_letter_is_lost_or_doubled_whoever_carries_it()
    {
        var more = ulong.TryParse(Environment.GetEnvironmentVariable("POLDER_SEEDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
        for (var seed = 1ul; seed <= 1 + more; seed++)
        {
            var result = Catalogue.Find("carry")!.Run(seed, nodes: 6);
            Assert.Equal(3, result.Lines.Count);
            foreach (var line in result.Lines) TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {line}");
            if (more > 0) Console.WriteLine($"seed {seed}: {string.Join(" | ", result.Lines)}");
        }
    }

    [Fact]
    public void The_same_seed_is_the_same_run() =>
        Assert.Equal(Catalogue.Find("carry")!.Run(5, nodes: 4, realSignatures: false).Trace, Catalogue.Find("carry")!.Run(5, nodes: 4, realSignatures: false).Trace);
}
