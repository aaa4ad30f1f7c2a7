using System.Globalization;
using Polder.Host.Pages.Plots;
using Polder.Simulation.Attacks;
using Polder.Simulation.Scenarios;

namespace Polder.Host.Pages.Simulator;

/// <summary>A report of a study and what kind of study it is: attack or experiment.</summary>
public sealed record StudyOutcome(string Kind, StudyReport Report);

/// <summary>A scenario that was played, and how to play it again.</summary>
public sealed record ScenarioOutcome(ScenarioResult Result, string Repeat);

/// <summary>Figures of the simulator as plots.</summary>
internal static class StudyPlots
{
    /// <summary>"Attack: sybil", "Experiment R5".</summary>
    public static string TitleOf(string kind, string name) => kind == "attack" ? $"Attack: {name}" : $"Experiment {name}";

    /// <summary>A figure of a study.</summary>
    public static PlotModel Of(StudyPanel panel) => new("plot-" + panel.Id, panel.Title,
        new PlotAxis(panel.XLabel, Scale: panel.IsXLogarithmic ? PlotScale.Logarithmic : PlotScale.Linear),
        new PlotAxis(panel.YLabel, Scale: panel.IsYLogarithmic ? PlotScale.Logarithmic : PlotScale.Linear),
        [.. panel.Series.Select(series => new PlotSeries(series.Name, [.. series.Points.Select(point => new PlotPoint(point.X, point.Y))],
            series.IsBound ? PlotKind.Bound : series.IsCloud ? PlotKind.Dots : PlotKind.Line))])
        { Caption = panel.Caption };

    /// <summary>How a run of a scenario went: nodes and peers, datagrams, bytes, planned work.</summary>
    public static IReadOnlyList<PlotModel> Of(SimulationSeries series)
    {
        // Short runs in seconds, long ones in minutes.
        var last = series.Rows.Count == 0 ? 0 : series.Rows[^1][0];
        var (unit, by) = last > 300 ? ("min", 60.0) : ("s", 1.0);
        var time = new PlotAxis("virtual time", unit);
        return
        [
            Plot("peers", "Who knows whom", "", ("running", "nodes that run", 1), ("peers_mean", "peers a node knows, mean", 1), ("peers_min", "peers, least", 1)),
            Plot("datagrams", "Datagrams", "a second", ("sent_per_second", "sent", 1), ("delivered_per_second", "delivered", 1), ("dropped_per_second", "dropped", 1)),
            Plot("bytes", "Bytes delivered", "kB a second", ("bytes_per_second", "all nodes together", 1e-3)),
            Plot("planned", "Work planned", "events", ("planned", "timers and datagrams on their way", 1)),
        ];

        PlotModel Plot(string id, string title, string label, params ReadOnlySpan<(string Column, string Name, double Factor)> columns)
        {
            var lines = new List<PlotSeries>();
            foreach (var (column, name, factor) in columns)
            {
                var index = series.Columns.ToList().IndexOf(column);
                if (index >= 0) lines.Add(new PlotSeries(name, [.. series.Rows.Select(row => new PlotPoint(row[0] / by, row[index] * factor))]));
            }
            return new PlotModel("plot-" + id, title, time, new PlotAxis(label.Length == 0 ? "nodes" : label), lines);
        }
    }

    /// <summary>"holds", "does not hold": also the names of the style.</summary>
    public static string MarkOf(Finding finding) => finding.Holds ? "valid" : finding.IsStated ? "invalid" : "partial";

    /// <summary>Seconds of work, short.</summary>
    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString(time.TotalSeconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
