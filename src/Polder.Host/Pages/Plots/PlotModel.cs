namespace Polder.Host.Pages.Plots;

/// <summary>How the numbers of an axis are laid out.</summary>
public enum PlotScale
{
    /// <summary>Equal steps, equal lengths.</summary>
    Linear,
    /// <summary>Equal factors, equal lengths; what is not above zero is left out.</summary>
    Logarithmic,
    /// <summary>Seconds since 1970 (UTC), with days, months or years at the ticks.</summary>
    Calendar,
}

/// <summary>How a series is drawn.</summary>
public enum PlotKind
{
    /// <summary>A line; its points are marked when they are few.</summary>
    Line,
    /// <summary>What must not be passed: dashed. It does not stretch the axis much; where it lies above the picture, the picture says so.</summary>
    Bound,
    /// <summary>Marks without a line.</summary>
    Dots,
}

/// <summary>A point.</summary>
public readonly record struct PlotPoint(double X, double Y);

/// <summary>An axis.</summary>
/// <param name="Label">What it counts, in words: "Sybils", "records a day".</param>
/// <param name="Unit">Its unit, or "" for plain numbers.</param>
/// <param name="Scale">How it is laid out.</param>
public sealed record PlotAxis(string Label, string Unit = "", PlotScale Scale = PlotScale.Linear)
{
    /// <summary>Where it begins; null for where the data do (a linear vertical axis: at zero, where nothing is below).</summary>
    public double? Min { get; init; }
    /// <summary>Where it ends; null for where the data do.</summary>
    public double? Max { get; init; }
    /// <summary>Label and unit as they are written.</summary>
    public string Title => Unit.Length == 0 ? Label : $"{Label} ({Unit})";
}

/// <summary>A line of a plot.</summary>
/// <param name="Name">As the legend says it.</param>
/// <param name="Points">In order of X. Y that is not a number makes a gap.</param>
/// <param name="Kind">How it is drawn.</param>
public sealed record PlotSeries(string Name, IReadOnlyList<PlotPoint> Points, PlotKind Kind = PlotKind.Line);

/// <summary>A plot: what <c>LinePlot</c> draws, and the table beside it.</summary>
/// <param name="Id">Unique on the page: letters, digits and hyphens.</param>
/// <param name="Title">Its heading.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis.</param>
/// <param name="Series">At most <see cref="SeriesMax"/>; further ones are left out.</param>
public sealed record PlotModel(string Id, string Title, PlotAxis X, PlotAxis Y, IReadOnlyList<PlotSeries> Series)
{
    /// <summary>Series that can be told apart.</summary>
    public const int SeriesMax = 10;
    /// <summary>Points of a series that are drawn; longer ones are thinned evenly.</summary>
    public const int PointsMax = 400;
    /// <summary>Rows of the table; longer ones are thinned evenly.</summary>
    public const int RowsMax = 50;

    /// <summary>A sentence under the heading, or "".</summary>
    public string Caption { get; init; } = "";

    /// <summary>Whether there is anything to draw.</summary>
    public bool IsEmpty => !Series.Any(series => series.Points.Any(point => double.IsFinite(point.X) && double.IsFinite(point.Y)));
}
