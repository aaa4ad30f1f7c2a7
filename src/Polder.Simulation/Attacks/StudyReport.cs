using System.Globalization;
using System.Text;

namespace Polder.Simulation.Attacks;

/// <summary>What a study found: figures to plot, and for each claim whether it holds. Immutable; the same for the same settings.</summary>
/// <param name="Name">Which study.</param>
/// <param name="About">One sentence.</param>
/// <param name="Settings">What it ran with, everything filled in.</param>
/// <param name="Panels">Figures, the most telling first.</param>
/// <param name="Findings">Claims, and what became of them.</param>
/// <param name="Lines">What else it has to tell.</param>
public sealed record StudyReport(
    string Name, string About, StudySettings Settings, IReadOnlyList<StudyPanel> Panels, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Lines)
{
    /// <summary>Whether everything came out as the specification says, where it says something.</summary>
    public bool IsAsStated => Findings.All(static finding => finding.Holds || !finding.IsStated);

    /// <summary>Every point of every panel, a line each: panel, series, kind, x, y. Numbers with a point.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder("panel,series,kind,x,y\n");
        foreach (var panel in Panels)
            foreach (var series in panel.Series)
                foreach (var (x, y) in series.Points)
                    text.Append(Cell(panel.Id)).Append(',').Append(Cell(series.Name)).Append(',').Append(series.IsBound ? "bound" : "measured").Append(',')
                        .Append(x.ToString("R", CultureInfo.InvariantCulture)).Append(',').Append(double.IsFinite(y) ? y.ToString("R", CultureInfo.InvariantCulture) : "").Append('\n');
        return text.ToString();
    }

    private static string Cell(string text) =>
        text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}

/// <summary>A figure: series over one axis.</summary>
/// <param name="Id">Short name: letters, digits and hyphens.</param>
/// <param name="Title">Its heading.</param>
/// <param name="XLabel">What the horizontal axis counts.</param>
/// <param name="YLabel">What the vertical axis counts.</param>
/// <param name="Series">What is drawn; bounds among them.</param>
public sealed record StudyPanel(string Id, string Title, string XLabel, string YLabel, IReadOnlyList<StudySeries> Series)
{
    /// <summary>A sentence under the heading.</summary>
    public string Caption { get; init; } = "";
    /// <summary>Whether the horizontal axis is logarithmic.</summary>
    public bool IsXLogarithmic { get; init; }
    /// <summary>Whether the vertical axis is logarithmic.</summary>
    public bool IsYLogarithmic { get; init; }
}

/// <summary>A series of a figure.</summary>
/// <param name="Name">As the legend says it.</param>
/// <param name="Points">In order of X.</param>
/// <param name="IsBound">Whether it is what must not be passed.</param>
/// <param name="IsCloud">Whether its points are no line.</param>
public sealed record StudySeries(string Name, IReadOnlyList<StudyPoint> Points, bool IsBound = false, bool IsCloud = false);

/// <summary>A point of a series.</summary>
public readonly record struct StudyPoint(double X, double Y);

/// <summary>A claim, and what became of it.</summary>
/// <param name="Claim">What is claimed, as one clause: "Sybils gain at most (1−a)/a of the attacker's own score".</param>
/// <param name="Expected">The bound or the published shape, in figures.</param>
/// <param name="Measured">What this run gave.</param>
/// <param name="Holds">Whether it holds here.</param>
/// <param name="IsStated">Whether the specification states it. What it states and does not hold is a fault; what it does not state is only told.</param>
/// <param name="Because">Why it does not hold, or what it means that it does.</param>
public sealed record Finding(string Claim, string Expected, string Measured, bool Holds, bool IsStated, string Because = "");
