using System.Globalization;

namespace Polder.Simulation.Attacks;

/// <summary>Collects points by series, in the order of the first.</summary>
internal sealed class Curves
{
    private readonly List<(string Name, bool IsBound, List<StudyPoint> Points)> _curves = [];

    /// <summary>A measured point; what is no number is left out.</summary>
    public void Add(string name, double x, double y)
    {
        if (double.IsFinite(y)) Find(name, isBound: false).Add(new StudyPoint(x, y));
    }

    /// <summary>A point of a bound.</summary>
    public void Bound(string name, double x, double y) => Find(name, isBound: true).Add(new StudyPoint(x, y));

    /// <summary>The largest measured value of a series; 0 when it has none.</summary>
    public double Highest(string name) => Find(name, isBound: false).Where(static point => double.IsFinite(point.Y)).Select(static point => point.Y).DefaultIfEmpty().Max();

    /// <summary>The last measured value of a series.</summary>
    public double Last(string name) => Find(name, isBound: false) is [.., var last] ? last.Y : double.NaN;

    /// <summary>The first measured value of a series.</summary>
    public double First(string name) => Find(name, isBound: false) is [var first, ..] ? first.Y : double.NaN;

    /// <summary>The points of a series.</summary>
    public IReadOnlyList<StudyPoint> Of(string name) => Find(name, isBound: false);

    /// <summary>The series, those that were measured first.</summary>
    public IReadOnlyList<StudySeries> Series =>
        [.. _curves.Where(static curve => curve.Points.Count > 0).OrderBy(static curve => curve.IsBound).Select(static curve => new StudySeries(curve.Name, [.. curve.Points], curve.IsBound))];

    private List<StudyPoint> Find(string name, bool isBound)
    {
        foreach (var curve in _curves)
            if (curve.Name == name && curve.IsBound == isBound) return curve.Points;
        _curves.Add((name, isBound, []));
        return _curves[^1].Points;
    }
}

/// <summary>How studies say numbers.</summary>
internal static class Say
{
    /// <summary>Three figures that count: "0.712", "112", "1,200".</summary>
    public static string Number(double value) => !double.IsFinite(value) ? "–"
        : Math.Abs(value) >= 100 || value == Math.Truncate(value) ? value.ToString("#,0", CultureInfo.InvariantCulture)
        : value.ToString(Math.Abs(value) >= 10 ? "0.#" : Math.Abs(value) >= 1 ? "0.##" : Math.Abs(value) >= 0.0005 ? "0.###" : "0.#e0", CultureInfo.InvariantCulture);
}
