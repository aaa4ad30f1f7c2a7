using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Polder.Benchmarks;
using Polder.Host.Api;
using Polder.Host.Pages.Simulator;
using Polder.Node.Operations;
using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Host.Commands.Worlds;

/// <summary>polder sim, polder bench.</summary>
internal static class LaboratoryCommands
{
    /// <summary>Virtual time between two rows of a series.</summary>
    public static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(5);

    public static Command Sim(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Argument<string?>("NAME") { Description = "Which scenario, or a file that describes one. Without it: the list.", Arity = ArgumentArity.ZeroOrOne };
        var seed = new Option<ulong?>("--seed") { Description = "Where everything random comes from: the same seed, the same run. Default: a fresh one.", HelpName = "N" };
        var nodes = new Option<int?>("--nodes") { Description = "How many nodes, where the scenario does not need a certain number.", HelpName = "N" };
        var twice = new Option<bool>("--twice") { Description = "Run it twice and compare: a difference is a fault of ours." };
        var csv = new Option<string?>("--csv") { Description = "Write how the run went over virtual time into this file.", HelpName = "FILE" };
        var html = new Option<string?>("--html") { Description = "Write a page with plots of that into this file; it needs nothing else.", HelpName = "FILE" };
        nodes.Validators.Add(result => { if (result.GetValue(nodes) is < 2 or > 100_000) result.AddError("--nodes is 2 to 100000."); });
        var command = new Command("sim", "A scenario in the simulator: the same code as a real node, on virtual time, with faults, from a seed.")
        {
            name, seed, nodes, twice, csv, html, StudyCommands.Attack(shared, surroundings), StudyCommands.Experiment(shared, surroundings),
        };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, json) = (surroundings.Terminal, parsed.GetValue(shared.Json));
            if (parsed.GetValue(name) is not { } wanted) return List(terminal, json);
            if ((Catalogue.Find(wanted) ?? ReadFile(wanted)) is not { } scenario)
            {
                var nearest = Complaints.Nearest(wanted, Catalogue.All.Select(s => s.Name));
                throw new OperationRefusedException(RefusalKind.NotFound,
                    $"There is no scenario \"{wanted}\".{(nearest is null ? "" : $" Did you mean {nearest}?")} See: polder sim");
            }
            var from = parsed.GetValue(seed) ?? (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);
            var repeat = string.Create(CultureInfo.InvariantCulture, $"polder sim {scenario.Name} --seed {from}{(parsed.GetValue(nodes) is { } n ? $" --nodes {n}" : "")}");
            var clock = Stopwatch.StartNew();
            try
            {
                var result = await terminal.WaitAsync($"Playing {scenario.Name} from seed {from}",
                    () => Task.Run(() => scenario.Run(from, parsed.GetValue(nodes), sampleEvery: parsed.GetValue(csv) is null && parsed.GetValue(html) is null ? null : SampleInterval), stop)).WaitAsync(stop).ConfigureAwait(false);
                if (parsed.GetValue(csv) is { } table && result.Series is { } series) ResultFiles.Write(table, series.ToCsv());
                if (parsed.GetValue(html) is { } page)
                    ResultFiles.Write(page, await StandaloneModel.DrawAsync($"Scenario {scenario.Name}", typeof(ScenarioResultView), new ScenarioOutcome(result, repeat)).ConfigureAwait(false));
                if (parsed.GetValue(twice))
                {
                    var again = await terminal.WaitAsync("Playing it again", () => Task.Run(() => scenario.Run(from, parsed.GetValue(nodes)), stop)).WaitAsync(stop).ConfigureAwait(false);
                    if (again.Trace != result.Trace) return Fail($"Two runs of one seed differ: {result.Trace} and {again.Trace}.");
                }
                if (json)
                {
                    terminal.Json(new SimView(scenario.Name, from, true, result.Trace, result.Virtual.TotalSeconds, result.Steps, result.Datagrams,
                        clock.Elapsed.TotalSeconds, result.RealSignatures, result.Lines, repeat), HostJson.Default.SimView);
                    return CommandLine.Done;
                }
                foreach (var line in result.Lines) terminal.Say(line);
                terminal.Say(string.Create(CultureInfo.InvariantCulture,
                    $"{terminal.Strong("It holds.")} {result.Virtual.TotalMinutes:0.#} virtual minutes, {result.Datagrams} datagrams, {result.Steps} steps in {clock.Elapsed.TotalSeconds:0.0} s{(result.RealSignatures ? ", real signatures" : "")}."));
                terminal.Say($"trace   {result.Trace}");
                terminal.Say($"repeat  {repeat}");
                return CommandLine.Done;
            }
            catch (SimulationFailedException failure)
            {
                return Fail(failure.Message);
            }

            int Fail(string what)
            {
                if (json) terminal.Json(new SimView(scenario.Name, from, false, "", 0, 0, 0, clock.Elapsed.TotalSeconds, false, what.Split('\n'), repeat), HostJson.Default.SimView);
                else
                {
                    terminal.Problem($"{scenario.Name} does not hold from seed {from}.");
                    terminal.Note(what);
                    terminal.Note($"repeat  {repeat}");
                }
                return CommandLine.OurFailure;
            }
        });
        return command;
    }

    /// <summary>A scenario from a file; null when there is no such file.</summary>
    private static Scenario? ReadFile(string path)
    {
        if (!File.Exists(path)) return null;
        string text;
        try { text = File.ReadAllText(path); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be read: {problem.Message}");
        }
        return ScenarioFile.TryRead(path, text, out var error) ?? throw new OperationRefusedException(RefusalKind.BadInput, $"{path}, {error}");
    }

    public static Command Bench(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Argument<string?>("NAME") { Description = "Which measurement. Without it: all.", Arity = ArgumentArity.ZeroOrOne };
        var full = new Option<bool>("--full") { Description = "Whole sizes, such as a ledger of 139 million records: hours, and 60 GB of disk. Ctrl+C ends it cleanly." };
        var command = new Command("bench", "What this machine does in a second, each figure beside its limit, measured in the same run.") { name, full };
        command.SetAction(async (parsed, stop) =>
        {
            BenchScale.IsFull = parsed.GetValue(full);
            var (terminal, json, wanted) = (surroundings.Terminal, parsed.GetValue(shared.Json), parsed.GetValue(name));
            var chosen = Figures.All.Where(measurement => wanted is null || measurement.Name == wanted || measurement.Name.StartsWith(wanted + "-", StringComparison.Ordinal)).ToList();
            if (chosen.Count == 0)
                throw new OperationRefusedException(RefusalKind.NotFound,
                    $"There is no measurement \"{wanted}\". There are: {string.Join(", ", Figures.All.Select(m => m.Name))}.");
            var figures = new List<FigureView>();
            foreach (var measurement in chosen)
            {
                var some = await terminal.WaitAsync($"Measuring {measurement.Name}: {measurement.What}",
                    say => Task.Run(() => measurement.RunAsync(say, stop), stop)).ConfigureAwait(false);
                figures.AddRange(some.Select(figure => new FigureView(
                    figure.Name, figure.Value, figure.Unit, figure.Limit, figure.Share, figure.Wanted, figure.Met, measurement.Name)));
            }
            if (json) terminal.Json(figures, HostJson.Default.IReadOnlyListFigureView);
            else
            {
                terminal.Table(["figure", ">value", "unit", ">limit", ">share", "wanted", "met"], figures.Select(figure => (IReadOnlyList<string>)
                [
                    figure.Figure, Number(figure.Value), figure.Unit, figure.Limit is { } limit ? Number(limit) : "–",
                    figure.Share is { } share ? share.ToString("0.00", CultureInfo.InvariantCulture) : "–", figure.Wanted ?? "–",
                    figure.Met switch { true => "yes", false => "NO", null => "–" },
                ]));
            }
            return figures.Any(figure => figure.Met == false) ? CommandLine.OurFailure : CommandLine.Done;
        });
        return command;
    }

    private static int List(Terminal terminal, bool json)
    {
        if (json)
        {
            terminal.Json([.. Catalogue.All.Select(s => new ScenarioView(s.Name, s.Description, s.NodesDefault, s.Seeds))], HostJson.Default.IReadOnlyListScenarioView);
            return CommandLine.Done;
        }
        terminal.Table(["scenario", ">nodes", "what it proves"], Catalogue.All.Select(s => (IReadOnlyList<string>)
            [s.Name, s.NodesDefault.ToString(CultureInfo.InvariantCulture), s.Description]));
        terminal.Say();
        terminal.Say("Play one: polder sim NAME --seed 7      attacks on trust: polder sim attack      published experiments: polder sim experiment");
        return CommandLine.Done;
    }

    private static string Number(double value) =>
        value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.##", CultureInfo.InvariantCulture);
}

/// <summary>A run of a scenario.</summary>
internal sealed record SimView(
    string Scenario, ulong Seed, bool Holds, string Trace, double VirtualSeconds, long Steps, long Datagrams, double Seconds,
    bool RealSignatures, IReadOnlyList<string> Lines, string Repeat);

/// <summary>A scenario of the catalogue.</summary>
internal sealed record ScenarioView(string Name, string Description, int Nodes, IReadOnlyList<ulong> Seeds);

/// <summary>A figure as scripts read it.</summary>
internal sealed record FigureView(
    string Figure, double Value, string Unit, double? Limit, double? Share, string? Wanted, bool? Met, string Measurement);
