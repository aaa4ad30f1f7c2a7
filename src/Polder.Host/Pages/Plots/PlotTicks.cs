using System.Globalization;

namespace Polder.Host.Pages.Plots;

/// <summary>Where an axis has its ticks, and how they are written.</summary>
internal static class PlotTicks
{
    private static readonly int[] Days = [1, 2, 7, 14];
    private static readonly int[] Months = [1, 2, 3, 6, 12, 24, 60, 120];

    /// <summary>A range that ends at ticks, and these: about <paramref name="wanted"/>.</summary>
    public static (double Min, double Max, IReadOnlyList<double> Ticks) Of(PlotScale scale, double min, double max, int wanted, bool round) => scale switch
    {
        PlotScale.Logarithmic => Logarithmic(min, max, wanted),
        PlotScale.Calendar => Calendar(min, max, wanted),
        _ => Linear(min, max, wanted, round),
    };

    /// <summary>A tick in words.</summary>
    public static string Text(PlotScale scale, double value, IReadOnlyList<double> ticks)
    {
        if (scale == PlotScale.Calendar)
        {
            var time = Time(value);
            var span = ticks.Count < 2 ? 0 : ticks[1] - ticks[0];
            return time.ToString(span >= 300 * 86400 ? "yyyy" : span >= 27 * 86400 ? "MMM yyyy" : "d MMM", CultureInfo.InvariantCulture);
        }
        return Number(value);
    }

    /// <summary>Short: "0.05", "1,500", "20k", "3.5M", "2e-7".</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 1e-4 => value.ToString("0.##e0", CultureInfo.InvariantCulture),
        < 1 => value.ToString("0.####", CultureInfo.InvariantCulture),
        < 10_000 => value.ToString("#,0.##", CultureInfo.InvariantCulture),
        < 1e6 => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + "k",
        < 1e9 => (value / 1e6).ToString("0.#", CultureInfo.InvariantCulture) + "M",
        < 1e12 => (value / 1e9).ToString("0.#", CultureInfo.InvariantCulture) + "G",
        _ => value.ToString("0.#e0", CultureInfo.InvariantCulture),
    };

    /// <summary>For a table: four figures.</summary>
    public static string Exact(PlotScale scale, double value) => !double.IsFinite(value) ? "–"
        : scale == PlotScale.Calendar ? Time(value).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        : value == Math.Truncate(value) && Math.Abs(value) < 1e15 ? value.ToString("#,0", CultureInfo.InvariantCulture)
        : Math.Abs(value) is >= 1000 and < 1e15 ? value.ToString("#,0.#", CultureInfo.InvariantCulture)
        : value.ToString("G4", CultureInfo.InvariantCulture);

    private static (double, double, IReadOnlyList<double>) Linear(double min, double max, int wanted, bool round)
    {
        if (max <= min) (min, max) = min == 0 ? (0, 1) : (min - Math.Abs(min) / 2, min + Math.Abs(min) / 2);
        var step = Step((max - min) / Math.Max(1, wanted));
        if (round) (min, max) = (Math.Floor(min / step + 1e-9) * step, Math.Ceiling(max / step - 1e-9) * step);
        var ticks = new List<double>();
        for (var k = Math.Ceiling(min / step - 1e-9); k * step <= max + step * 1e-6; k++) ticks.Add(Clean(k * step, step));
        return (min, max, ticks);
    }

    // 1, 2 or 5 of a power of ten, the first that is not below.
    private static double Step(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        foreach (var factor in (ReadOnlySpan<double>)[1, 2, 5])
            if (factor * power >= least * 0.999999) return factor * power;
        return 10 * power;
    }

    // 0.30000000000000004 is 0.3.
    private static double Clean(double value, double step) => Math.Abs(value) < step * 1e-9 ? 0 : double.Parse(value.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static (double, double, IReadOnlyList<double>) Logarithmic(double min, double max, int wanted)
    {
        min = Math.Max(min, 1e-300);
        max = Math.Max(max, min * 1.0001);
        var (low, high) = ((int)Math.Floor(Math.Log10(min) + 1e-9), (int)Math.Ceiling(Math.Log10(max) - 1e-9));
        if (high <= low) high = low + 1;
        var ticks = new List<double>();
        if (high - low <= 2)
        {
            for (var power = low; power <= high; power++)
                foreach (var factor in (ReadOnlySpan<double>)[1, 2, 5])
                    if (factor * Math.Pow(10, power) is var tick && tick <= Math.Pow(10, high) * 1.0001) ticks.Add(Clean(tick, tick));
            // As close to the data as a tick of this kind is.
            var from = Math.Clamp(ticks.FindLastIndex(tick => tick <= min * 1.0001), 0, ticks.Count - 2);
            var to = ticks.FindIndex(tick => tick >= max * 0.9999) is var found and >= 0 ? Math.Max(found, from + 1) : ticks.Count - 1;
            ticks = ticks.GetRange(from, to - from + 1);
            return (ticks[0], ticks[^1], ticks);
        }
        var every = Math.Max(1, (int)Math.Ceiling((high - low) / (double)Math.Max(2, wanted)));
        for (var power = low; power <= high; power += every) ticks.Add(Clean(Math.Pow(10, power), Math.Pow(10, power)));
        return (Math.Pow(10, low), Math.Pow(10, high), ticks);
    }

    // Of the years that a calendar has.
    private static DateTimeOffset Time(double seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(seconds, -62e9, 250e9));

    private static (double, double, IReadOnlyList<double>) Calendar(double min, double max, int wanted)
    {
        (min, max) = (Time(min).ToUnixTimeSeconds(), Time(max).ToUnixTimeSeconds());
        if (max <= min) (min, max) = (min - 43200, min + 43200);
        var (begin, days) = (Time(min), (max - min) / 86400);
        var ticks = new List<double>();
        if (Days.FirstOrDefault(step => days / step <= wanted) is var step and > 0)
        {
            var day = Math.Ceiling(min / 86400);
            for (; day * 86400 <= max; day += step) ticks.Add(day * 86400);
            return (min, max, ticks);
        }
        var months = Months.FirstOrDefault(every => days / 30.4 / every <= wanted, 240);
        var first = begin.Year * 12 + begin.Month - 1;
        for (var month = (first + months - 1) / months * months; month / 12 < 9999; month += months)
        {
            double tick = new DateTimeOffset(month / 12, month % 12 + 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();
            if (tick > max) break;
            if (tick >= min) ticks.Add(tick);
        }
        return (min, max, ticks);
    }
}
