using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Polder.Host.Api;
using Polder.Host.Pages.Plots;
using Polder.Host.Pages.Simulator;
using Polder.Node.Operations;
using Polder.Simulation;
using Polder.Simulation.Attacks;

namespace Polder.Host.Commands.Worlds;

/// <summary>polder sim attack, polder sim experiment.</summary>
internal static class StudyCommands
{
    public static Command Attack(SharedOptions shared, Surroundings surroundings) => Create(shared, surroundings, "attack",
        "An attack on trust, in growing strength: what the attacker gains, beside the bound that is printed for it.", Studies.Attacks, Studies.FindAttack);

    public static Command Experiment(SharedOptions shared, Surroundings surroundings) => Create(shared, surroundings, "experiment",
        "A published experiment again, R1 to R9: its shape beside what is measured here.", Studies.Experiments, Studies.FindExperiment);

    /// <summary>The command line that repeats a report.</summary>
    public static string Repeat(string kind, StudyReport report) => $"polder sim {kind} {report.Name}{report.Settings.Arguments()}";

    private static Command Create(
        SharedOptions shared, Surroundings surroundings, string kind, string description, IReadOnlyList<Study> all, Func<string, Study?> find)
    {
        var name = new Argument<string?>("NAME") { Description = $"Which. Without it: the list. There are {string.Join(", ", all.Select(study => study.Name))}.", Arity = ArgumentArity.ZeroOrOne };
        var seed = new Option<ulong?>("--seed") { Description = "Where everything random comes from: the same seed, the same output. Default: a fresh one.", HelpName = "N" };
        var variant = new Option<string?>("--variant") { Description = "Which form of it, where there are several: the list names them.", HelpName = "NAME" };
        var peers = new Option<int?>("--peers") { Description = "How many honest peers.", HelpName = "N" };
        var max = new Option<int?>("--max") { Description = "How far the attacker's strength grows: false identities, requests, records.", HelpName = "N" };
        var stop = new Option<double?>("--stop") { Description = "Probability that a walk ends at a step, a in (1−a)/a.", HelpName = "A" };
        var full = new Option<bool>("--full") { Description = "At the published size, which takes longer." };
        var csv = new Option<string?>("--csv") { Description = "Write every point into this file: panel, series, kind, x, y.", HelpName = "FILE" };
        var html = new Option<string?>("--html") { Description = "Write a page with plots into this file; it needs nothing else.", HelpName = "FILE" };
        var command = new Command(kind, description) { name, variant, seed, peers, max, stop, full, csv, html };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (terminal, json) = (surroundings.Terminal, parsed.GetValue(shared.Json));
            if (parsed.GetValue(name) is not { } wanted) return List(terminal, json, kind, all);
            if (find(wanted) is not { } study)
            {
                var nearest = Complaints.Nearest(wanted, all.Select(one => one.Name));
                throw new OperationRefusedException(RefusalKind.NotFound,
                    $"There is no {kind} \"{wanted}\".{(nearest is null ? "" : $" Did you mean {nearest}?")} See: polder sim {kind}");
            }
            var settings = new StudySettings(parsed.GetValue(seed) ?? (ulong)RandomNumberGenerator.GetInt32(int.MaxValue))
            {
                Variant = parsed.GetValue(variant), Peers = parsed.GetValue(peers), Max = parsed.GetValue(max), Stop = parsed.GetValue(stop), Full = parsed.GetValue(full),
            };
            if (study.Complaint(settings) is { } complaint) throw new OperationRefusedException(RefusalKind.BadInput, $"--{complaint.Field}: {complaint.Message}");
            StudyReport report;
            try
            {
                report = await terminal.WaitAsync($"Playing {study.Name}", say => Task.Run(() => study.Run(settings, what => say($"Playing {study.Name}: {what}"), cancellation), cancellation)).ConfigureAwait(false);
            }
            catch (SimulationFailedException failure)
            {
                terminal.Problem($"The simulator found a fault while playing {study.Name}.");
                terminal.Note(failure.Message);
                return CommandLine.OurFailure;
            }
            var view = StudyView.Of(kind, report);
            if (parsed.GetValue(csv) is { } table) ResultFiles.Write(table, report.ToCsv());
            if (parsed.GetValue(html) is { } page)
                ResultFiles.Write(page, await StandaloneModel.DrawAsync(StudyPlots.TitleOf(kind, report.Name), typeof(StudyResultView), new StudyOutcome(kind, report)).ConfigureAwait(false));
            if (json) terminal.Json(view, HostJson.Default.StudyView);
            else Write(terminal, view);
            return report.IsAsStated ? CommandLine.Done : CommandLine.OurFailure;
        });
        return command;
    }

    private static void Write(Terminal terminal, StudyView view)
    {
        terminal.Say(terminal.Strong(view.About));
        foreach (var panel in view.Panels)
        {
            terminal.Say();
            terminal.Say(terminal.Strong(panel.Title));
            if (panel.Caption.Length > 0) terminal.Say(terminal.Faint(panel.Caption));
            var rows = panel.Series.SelectMany(series => series.Points.Select(point => point.X)).Distinct().Order().ToList();
            terminal.Table([">" + panel.XLabel, .. panel.Series.Select(series => ">" + series.Name)], PlotLayout.Thinned(rows, 12).Select(x => (IReadOnlyList<string>)
                [PlotTicks.Exact(PlotScale.Linear, x), .. panel.Series.Select(series => series.Points.Any(point => point.X == x) ? PlotTicks.Exact(PlotScale.Linear, series.Points.First(point => point.X == x).Y) : "–")]));
        }
        terminal.Say();
        foreach (var finding in view.Findings)
        {
            terminal.Say($"{terminal.Strong(finding.Holds ? "holds         " : finding.IsStated ? "DOES NOT HOLD " : "does not hold ")} {finding.Claim}");
            terminal.Say(terminal.Faint($"               expected {finding.Expected}; measured {finding.Measured}{(finding.Because.Length > 0 ? $"; {(finding.Holds ? "" : "because ")}{finding.Because}" : "")}"));
        }
        foreach (var line in view.Lines) terminal.Say(line);
        terminal.Say();
        terminal.Say(view.AsStated ? "Everything came out as the specification states." : terminal.Strong("Something did not come out as the specification states."));
        terminal.Say($"repeat  {view.Repeat}");
    }

    private static int List(Terminal terminal, bool json, string kind, IReadOnlyList<Study> all)
    {
        if (json)
        {
            terminal.Json([.. all.Select(StudyInfo.Of)], HostJson.Default.IReadOnlyListStudyInfo);
            return CommandLine.Done;
        }
        terminal.Table([kind, "what it shows", "--variant", ">--peers", ">--max"], all.Select(study => (IReadOnlyList<string>)
            [study.Name, study.About, study.Variants.Count == 0 ? "–" : string.Join(", ", study.Variants), Number(study.Peers), study.Strength is { } strength ? Number(strength) : "–"]));
        terminal.Say();
        terminal.Say($"Play one: polder sim {kind} {all[0].Name} --seed 7");
        return CommandLine.Done;

        static string Number(StudyNumber number) => number.Default.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>A report as scripts read it. Nothing in it differs between two runs of the same settings.</summary>
internal sealed record StudyView(
    string Kind, string Name, string About, ulong Seed, int? Peers, int? Max, string? Variant, double? Stop, bool Full, bool AsStated,
    IReadOnlyList<Finding> Findings, IReadOnlyList<StudyPanel> Panels, IReadOnlyList<string> Lines, string Repeat)
{
    public static StudyView Of(string kind, StudyReport report) => new(kind, report.Name, report.About, report.Settings.Seed, report.Settings.Peers, report.Settings.Max,
        report.Settings.Variant, report.Settings.Stop, report.Settings.Full, report.IsAsStated, report.Findings, report.Panels, report.Lines, StudyCommands.Repeat(kind, report));
}

/// <summary>What can be played.</summary>
internal sealed record StudyInfo(string Name, string About, IReadOnlyList<string> Variants, StudyNumber Peers, StudyNumber? Max, double? Stop)
{
    public static StudyInfo Of(Study study) => new(study.Name, study.About, study.Variants, study.Peers, study.Strength, study.StopDefault);
}
