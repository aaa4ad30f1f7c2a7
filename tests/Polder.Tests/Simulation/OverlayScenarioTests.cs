using Polder.Simulation.Scenarios;

namespace Polder.Tests.Simulation;

/// <summary>The hello community and walking, over many seeds.</summary>
public sealed class WalkScenarioTests
{
    public static TheoryData<string, ulong> Hello => ScenarioRuns.Seeds("hello", fresh: 6);
    public static TheoryData<string, ulong> Walk => ScenarioRuns.Seeds("walk", fresh: 8);

    [Theory, MemberData(nameof(Hello))]
    public void Strangers_meet_and_agree(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);

    [Theory, MemberData(nameof(Walk))]
    public void A_network_survives_loss_and_churn(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}

/// <summary>Introductions through boxes of all kinds.</summary>
public sealed class NatScenarioTests
{
    public static TheoryData<string, ulong> Nat => ScenarioRuns.Seeds("nat", fresh: 2);

    [Theory, MemberData(nameof(Nat))]
    public void Introductions_open_what_can_be_opened(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}

/// <summary>A run is the same run wherever and whenever it is made.</summary>
public sealed class DeterminismTests
{
    private const string TraceFile = "POLDER_TRACE_FILE";

    /// <summary>Scenarios that are short without compiled code, too: every kind of work is in one of them.</summary>
    private static readonly string[] ShortOnes = ["hello", "walk", "ledger", "crash", "cheaters", "clocks"];

    [Theory]
    [InlineData("hello", 4711, false)]
    [InlineData("hello", 4712, true)]
    [InlineData("walk", 4713, false)]
    public void A_run_done_twice_is_the_same_datagram_for_datagram(string scenario, ulong seed, bool realSignatures)
    {
        var story = Catalogue.Find(scenario)!;
        var first = story.Run(seed, realSignatures: realSignatures);
        var second = story.Run(seed, realSignatures: realSignatures);
        Assert.Equal(first.Trace, second.Trace);
        Assert.Equal(first.Steps, second.Steps);
    }

    [Fact]
    public async Task A_run_in_another_process_is_the_same_datagram_for_datagram()
    {
        var file = Path.GetTempFileName();
        var start = new System.Diagnostics.ProcessStartInfo("dotnet")
        {
            ArgumentList = { typeof(DeterminismTests).Assembly.Location, "--filter-method", $"*.{nameof(The_other_process_writes_its_traces_down)}" },
            Environment = { [TraceFile] = file, ["DOTNET_TieredCompilation"] = "0" },
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        var there = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        File.Delete(file);
        Assert.Equal(Traces(), there);
    }

    [Fact]
    public void The_other_process_writes_its_traces_down()
    {
        if (Environment.GetEnvironmentVariable(TraceFile) is not { } file) return;
        // Nothing else runs in that process, so what nobody awaited is ours.
        using var unobserved = new Polder.Simulation.Checkers.UnobservedExceptions();
        File.WriteAllText(file, Traces());
        Assert.Empty(unobserved.Collect());
    }

    private static string Traces() =>
        string.Join('\n', ShortOnes.Select(name => Catalogue.Find(name)!).Select(scenario => $"{scenario.Name} {scenario.Run(99, realSignatures: false).Trace}"));
}

/// <summary>First contact by each source alone, with the times of OV-5.2.</summary>
public sealed class ContactScenarioTests
{
    public static TheoryData<string, ulong> Contact => ScenarioRuns.Seeds("contact", fresh: 2);

    [Theory, MemberData(nameof(Contact))]
    public void Each_source_alone_suffices(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}

/// <summary>Attackers around one node, threats (a) and (c).</summary>
public sealed class EclipseScenarioTests
{
    public static TheoryData<string, ulong> Eclipse => ScenarioRuns.Seeds("eclipse", fresh: 1);

    [Theory, MemberData(nameof(Eclipse))]
    public void Nobody_is_surrounded(string scenario, ulong seed) => ScenarioRuns.Try(scenario, seed);
}
