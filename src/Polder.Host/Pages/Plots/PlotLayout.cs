using System.Globalization;
using System.Text;

namespace Polder.Host.Pages.Plots;

/// <summary>Where everything of a plot lies in a picture of a certain size. Sizes are units of the picture's own grid.</summary>
internal sealed class PlotLayout
{
    private const double LetterWidth = 6.7, Top = 30, Bottom = 42, Right = 14;
    private const int LineMarksMax = 24;
    // A bound further above the data than this stays out of the picture.
    private const double BoundStretch = 3;

    private readonly PlotModel _plot;
    private readonly (double Min, double Max) _x, _y;

    public PlotLayout(PlotModel plot, double width, double height)
    {
        (_plot, Width, Height) = (plot, width, height);
        var (xMin, xMax) = Range(plot.X, plot.Series, static point => point.X);
        var drawn = plot.Series.Where(series => series.Kind != PlotKind.Bound).ToList();
        if (drawn.Count == 0) drawn = [.. plot.Series];
        var (yMin, yMax) = Range(plot.Y, drawn, static point => point.Y);
        foreach (var bound in plot.Series.Where(series => series.Kind == PlotKind.Bound))
        {
            var highest = bound.Points.Select(static point => point.Y).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Max();
            if (highest <= Math.Max(yMax, 0) * BoundStretch || plot.Y.Scale == PlotScale.Logarithmic && highest > 0) yMax = Math.Max(yMax, highest);
        }
        if (plot.Y is { Scale: PlotScale.Linear, Min: null } && yMin > 0) yMin = 0;

        InnerHeight = height - Top - Bottom;
        var vertical = PlotTicks.Of(plot.Y.Scale, yMin, yMax, Math.Max(3, (int)(InnerHeight / 44)), round: plot.Y.Max is null);
        _y = (vertical.Min, vertical.Max);
        YTicks = [.. vertical.Ticks.Select(tick => (tick, PlotTicks.Text(plot.Y.Scale, tick, vertical.Ticks)))];
        Left = 12 + LetterWidth * Math.Max(2, YTicks.Count == 0 ? 0 : YTicks.Max(tick => tick.Text.Length));
        InnerWidth = width - Left - Right;
        var horizontal = PlotTicks.Of(plot.X.Scale, xMin, xMax, Math.Max(3, (int)(InnerWidth / 72)), round: false);
        _x = (horizontal.Min, horizontal.Max);
        XTicks = [.. horizontal.Ticks.Select(tick => (tick, PlotTicks.Text(plot.X.Scale, tick, horizontal.Ticks)))];
    }

    public double Width { get; }
    public double Height { get; }
    public double Left { get; }
    public double InnerTop { get; } = Top;
    public double InnerWidth { get; }
    public double InnerHeight { get; }
    public IReadOnlyList<(double Value, string Text)> XTicks { get; }
    public IReadOnlyList<(double Value, string Text)> YTicks { get; }

    /// <summary>Inside the frame, from its left edge.</summary>
    public double X(double value) => Part(_plot.X.Scale, value, _x) * InnerWidth;

    /// <summary>Inside the frame, from its upper edge.</summary>
    public double Y(double value) => (1 - Part(_plot.Y.Scale, value, _y)) * InnerHeight;

    /// <summary>The line of a series; gaps where there is no number.</summary>
    public string Path(PlotSeries series)
    {
        var path = new StringBuilder();
        var pen = false;
        foreach (var point in Thinned(series.Points))
        {
            if (!IsShown(point))
            {
                pen = false;
                continue;
            }
            path.Append(pen ? 'L' : 'M').Append(Text(X(point.X))).Append(' ').Append(Text(Y(point.Y)));
            pen = true;
        }
        return path.ToString();
    }

    /// <summary>The marks of a series: every point, or some of many, so that a line can be told by its shape too.</summary>
    public IEnumerable<(double X, double Y)> Marks(PlotSeries series) => series.Kind == PlotKind.Bound ? []
        : Thinned(series.Points, series.Kind == PlotKind.Line && series.Points.Count > LineMarksMax ? LineMarksMax / 2 : PlotModel.PointsMax).Where(IsShown).Select(point => (X(point.X), Y(point.Y)));

    /// <summary>Bounds that lie above the picture, with their lowest value.</summary>
    public IEnumerable<(PlotSeries Series, double Least)> Above() =>
        from series in _plot.Series
        where series.Kind == PlotKind.Bound
        let least = series.Points.Where(point => point.X >= _x.Min && point.X <= _x.Max).Select(static point => point.Y).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Min()
        where least > _y.Max * (1 + 1e-9)
        select (series, least);

    /// <summary>A number as an attribute of a picture.</summary>
    public static string Text(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>At most <see cref="PlotModel.PointsMax"/> of them, evenly, the last one among them.</summary>
    public static IEnumerable<T> Thinned<T>(IReadOnlyList<T> points, int most = PlotModel.PointsMax)
    {
        if (points.Count <= most) return points;
        return Enumerable.Range(0, most).Select(i => points[(int)((long)i * (points.Count - 1) / (most - 1))]);
    }

    private bool IsShown(PlotPoint point) => double.IsFinite(point.X) && double.IsFinite(point.Y)
        && (_plot.X.Scale != PlotScale.Logarithmic || point.X > 0) && (_plot.Y.Scale != PlotScale.Logarithmic || point.Y > 0);

    private static double Part(PlotScale scale, double value, (double Min, double Max) range) => scale == PlotScale.Logarithmic
        ? (Math.Log10(Math.Max(value, 1e-300)) - Math.Log10(range.Min)) / (Math.Log10(range.Max) - Math.Log10(range.Min))
        // What lies far outside is cut off by the frame; a picture wants numbers of ordinary size.
        : Math.Clamp((value - range.Min) / (range.Max - range.Min), -10, 10);

    private static (double Min, double Max) Range(PlotAxis axis, IEnumerable<PlotSeries> series, Func<PlotPoint, double> of)
    {
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var one in series)
            foreach (var value in one.Points.Select(of))
            {
                if (!double.IsFinite(value) || axis.Scale == PlotScale.Logarithmic && value <= 0) continue;
                (min, max) = (Math.Min(min, value), Math.Max(max, value));
            }
        if (min > max) (min, max) = axis.Scale == PlotScale.Logarithmic ? (1, 10) : (0, 1);
        return (axis.Min ?? min, axis.Max ?? max);
    }
}
