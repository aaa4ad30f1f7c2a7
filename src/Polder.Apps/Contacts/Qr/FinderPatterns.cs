namespace Polder.Apps.Contacts.Qr;

/// <summary>The middle of a corner pattern.</summary>
/// <param name="X">In pixels; .5 is the middle of the first.</param>
/// <param name="Y">Likewise.</param>
/// <param name="Module">Pixels of a module.</param>
/// <param name="Seen">In how many rows it was seen.</param>
internal readonly record struct FinderPattern(double X, double Y, double Module, int Seen);

/// <summary>Looks for the three corners of a QR code: dark, light, dark, light and dark in the proportions 1:1:3:1:1, along the rows and across them.</summary>
internal static class FinderPatterns
{
    /// <summary>Patterns that are looked at further, those seen most often first.</summary>
    public const int Max = 12;

    private const int FoundMax = 256;

    public static List<FinderPattern> Find(InkMap ink)
    {
        var found = new List<FinderPattern>();
        Span<int> runs = stackalloc int[5];
        for (var y = 0; y < ink.Height && found.Count < FoundMax; y++)
        {
            var row = ink.Row(y);
            runs.Clear();
            var run = 0;
            for (var x = 0; x <= row.Length; x++)
            {
                // Behind the last pixel everything is another colour, so that a pattern may end there.
                if (x < row.Length && x > 0 && row[x] == row[x - 1])
                {
                    run++;
                    continue;
                }
                if (x > 0)
                {
                    // The last five runs; a pattern ends with a dark one.
                    for (var i = 0; i < 4; i++) runs[i] = runs[i + 1];
                    runs[4] = run;
                    if (row[x - 1] && HasProportions(runs)) Look(ink, found, x, y, runs);
                }
                run = 1;
            }
        }
        return [.. found.Where(static pattern => pattern.Seen >= 2 || pattern.Module < 2).OrderByDescending(static pattern => pattern.Seen).Take(Max)];
    }

    /// <summary>Checks a pattern across and along, and adds it to those that were found.</summary>
    private static void Look(InkMap ink, List<FinderPattern> found, int end, int y, ReadOnlySpan<int> runs)
    {
        var size = runs[0] + runs[1] + runs[2] + runs[3] + runs[4];
        var x = end - runs[4] - runs[3] - runs[2] / 2.0;
        if (Across(ink, (int)x, y, 0, 1, size) is not { } down || Across(ink, (int)x, (int)down.Middle, 1, 0, size) is not { } along) return;
        var module = (down.Size + along.Size) / 14.0;
        for (var i = 0; i < found.Count; i++)
        {
            var other = found[i];
            if (Math.Abs(other.X - along.Middle) > other.Module || Math.Abs(other.Y - down.Middle) > other.Module || Math.Abs(other.Module - module) > Math.Max(1, other.Module * 0.4)) continue;
            var seen = other.Seen + 1;
            found[i] = new FinderPattern(
                (other.X * other.Seen + along.Middle) / seen, (other.Y * other.Seen + down.Middle) / seen, (other.Module * other.Seen + module) / seen, seen);
            return;
        }
        found.Add(new FinderPattern(along.Middle, down.Middle, module, 1));
    }

    /// <summary>The same proportions through a point in a direction: the middle on that axis, and the size; null where they are not there.</summary>
    private static (double Middle, int Size)? Across(InkMap ink, int x, int y, int stepX, int stepY, int expected)
    {
        if (!ink[x, y]) return null;
        Span<int> runs = stackalloc int[5];
        runs.Clear();
        var (back, forth) = (0, 1);
        while (Dark(-back) && Inside(-back)) { runs[2]++; back++; }
        while (!Dark(-back) && Inside(-back) && runs[1] <= expected) { runs[1]++; back++; }
        while (Dark(-back) && Inside(-back) && runs[0] <= expected) { runs[0]++; back++; }
        while (Dark(forth) && Inside(forth)) { runs[2]++; forth++; }
        while (!Dark(forth) && Inside(forth) && runs[3] <= expected) { runs[3]++; forth++; }
        while (Dark(forth) && Inside(forth) && runs[4] <= expected) { runs[4]++; forth++; }
        var size = runs[0] + runs[1] + runs[2] + runs[3] + runs[4];
        if (!HasProportions(runs) || 5 * Math.Abs(size - expected) >= 3 * expected) return null;
        var at = stepX != 0 ? x : y;
        return (at + forth - runs[4] - runs[3] - runs[2] / 2.0, size);

        bool Dark(int steps) => ink[x + steps * stepX, y + steps * stepY];
        bool Inside(int steps) => x + steps * stepX >= 0 && y + steps * stepY >= 0 && x + steps * stepX < ink.Width && y + steps * stepY < ink.Height;
    }

    private static bool HasProportions(ReadOnlySpan<int> runs)
    {
        var size = 0;
        foreach (var run in runs)
        {
            if (run == 0) return false;
            size += run;
        }
        if (size < 7) return false;
        var (module, slack) = (size / 7.0, size / 14.0 + 0.01);
        return Math.Abs(module - runs[0]) < slack && Math.Abs(module - runs[1]) < slack && Math.Abs(3 * module - runs[2]) < 3 * slack
            && Math.Abs(module - runs[3]) < slack && Math.Abs(module - runs[4]) < slack;
    }
}
