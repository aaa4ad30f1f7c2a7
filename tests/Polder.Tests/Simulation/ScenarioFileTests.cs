using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Simulation;

/// <summary>Scenarios from files: what is written is played, and what is wrong is named with its line.</summary>
public sealed class ScenarioFileTests
{
    private const string Storm = """
        about homes behind all sorts of boxes, and a bad evening   # a comment
        duration 4m
        nodes 8 public
        nodes 6 port timeout=30
        nodes 2 port+sym
        link delay=15ms spread=60ms jitter=10ms loss=2% bursts=1% dup=1% reorder=2% biterrors=0.1% rate=10mbit
        churn 20m
        mischief
        at 30s cut 50% for 20s
        at 60s swizzle for 20s
        at 90s rebind newip
        at 100s crash 25% for 20s
        at 130s roam 20% for 20s
        at 150s clocks
        check caps
        check amplification
        check connected 3m
        check know 5 3m
        """;

    [Fact]
    public void A_file_is_played_and_repeats_from_its_seed()
    {
        var scenario = ScenarioFile.TryRead("storm", Storm, out var error);
        Assert.True(scenario is not null, error?.ToString());
        Assert.Equal(16, scenario.NodesDefault);
        var first = scenario.Run(7, sampleEvery: 10.Seconds);
        Assert.Equal(first.Trace, scenario.Run(7).Trace);
        Assert.NotEqual(first.Trace, scenario.Run(8).Trace);
        var series = first.Series!;
        Assert.True(series.Rows.Count >= 24);
        Assert.All(series.Rows, row => Assert.Equal(series.Columns.Count, row.Count));
        Assert.Contains(series.Rows, row => row[1] < 16);
        Assert.StartsWith("seconds,running,", series.ToCsv(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no nodes")]
    [InlineData("nodes 3", "no duration")]
    [InlineData("duration 5m\nnodes many", "line 2: \"many\" is no number of nodes")]
    [InlineData("duration soon", "line 1: \"soon\" is no duration")]
    [InlineData("\n\nnodes 3 cone", "line 3: \"cone\" is no NAT kind")]
    [InlineData("nodes 3\nlink loss=200%", "line 2: \"loss=200%\" is not understood")]
    [InlineData("link", "line 1: link wants at least one setting")]
    [InlineData("at 3m explode", "line 1: \"explode\" is not understood")]
    [InlineData("at 3m clog 50%", "line 1: \"clog 50%\" is not understood")]
    [InlineData("at never heal", "line 1: \"never\" is no time")]
    [InlineData("check happiness", "line 1: \"happiness\" is no check")]
    [InlineData("nodes 60000\nnodes 60000", "line 2: more than 100000 nodes")]
    [InlineData("colour blue", "line 1: \"colour\" is not understood")]
    public void What_is_wrong_is_named_with_its_line(string text, string complaint)
    {
        Assert.Null(ScenarioFile.TryRead("bad", text, out var error));
        Assert.Contains(complaint, error!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        var random = new Polder.Runtime.Prng(5);
        var words = Storm.Split((char[])[' ', '\n', '='], StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < 5_000; i++)
        {
            var text = string.Join(random.Chance(0.3) ? "\n" : " ", Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Chance(0.1) ? "\u0000=%-" : words[random.Next(words.Length)]));
            if (ScenarioFile.TryRead("any", text, out var error) is null) Assert.NotNull(error);
        }
    }
}
