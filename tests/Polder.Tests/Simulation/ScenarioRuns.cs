using System.Globalization;
using System.Reflection;
using Polder.Runtime;
using Polder.Simulation;
using Polder.Simulation.Scenarios;
using Polder.Tests.Architecture;

namespace Polder.Tests.Simulation;

/// <summary>Which seeds a test run tries, and how one is tried.</summary>
internal static class ScenarioRuns
{
    /// <summary>One run in so many is done twice.</summary>
    private const int DoubledOneIn = 20;

    /// <summary>
    /// The fixed seeds of a scenario, then fresh ones. Fresh seeds come from the commit, so that repeating a test run repeats its
    /// seeds; POLDER_SEEDS=10 makes ten times as many.
    /// </summary>
    public static TheoryData<string, ulong> Seeds(string scenario, int fresh)
    {
        var data = new TheoryData<string, ulong>();
        var known = Catalogue.Find(scenario) ?? throw new InvalidOperationException($"There is no scenario {scenario}.");
        foreach (var seed in known.Seeds.Concat(Regressions(scenario)).Distinct()) data.Add(scenario, seed);
        var multiple = int.TryParse(Environment.GetEnvironmentVariable("POLDER_SEEDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 1;
        var commit = typeof(World).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "none";
        var random = Prng.Derive(0, $"fresh seeds of {scenario} at {commit}");
        // Nine digits: enough to be fresh, short enough to type.
        for (var i = 0; i < fresh * multiple; i++) data.Add(scenario, (ulong)random.Next(1_000_000_000));
        return data;
    }

    /// <summary>The seeds of seeds.txt.</summary>
    private static IEnumerable<ulong> Regressions(string scenario)
    {
        foreach (var line in File.ReadLines(Repository.PathOf("tests", "Polder.Tests", "Simulation", "seeds.txt")))
            if (!line.StartsWith('#') && line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var name, var seed, ..] && name == scenario)
                yield return ulong.Parse(seed, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    public static void Try(string scenario, ulong seed)
    {
        var story = Catalogue.Find(scenario)!;
        var result = story.Run(seed);
        foreach (var line in result.Lines) TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Prng.Derive(seed, "doubled?").Chance(1.0 / DoubledOneIn)) Assert.Equal(result.Trace, story.Run(seed).Trace);
    }
}
