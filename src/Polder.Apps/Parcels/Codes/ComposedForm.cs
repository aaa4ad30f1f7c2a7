using System.Globalization;
using System.Text;

namespace Polder.Apps.Parcels.Codes;

/// <summary>
/// Unicode Normalization Form C (Unicode Standard Annex 15). The runtime's own is switched off with the rest of its culture tables
/// (invariant globalization), so the two tables that it needs are carried here.
/// </summary>
internal static class ComposedForm
{
    private const int HangulS = 0xAC00, HangulL = 0x1100, HangulV = 0x1161, HangulT = 0x11A7;
    private const int HangulLCount = 19, HangulVCount = 21, HangulTCount = 28, HangulSCount = 11172;

    private static readonly Lazy<Tables> Data = new(Tables.Load);

    /// <summary>The text in form C. Text of ASCII and Latin-1 comes back as it is.</summary>
    public static string Of(string text)
    {
        // Below U+0300 every character is composed already and nothing combines.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF')) return text;
        var tables = Data.Value;
        var points = new List<(int Point, byte Class)>(text.Length + 8);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, tables, points);
        Order(points);
        return Compose(points, tables);
    }

    private static void Decompose(int point, Tables tables, List<(int Point, byte Class)> points)
    {
        if (point - HangulS is >= 0 and < HangulSCount)
        {
            var index = point - HangulS;
            points.Add((HangulL + index / (HangulVCount * HangulTCount), 0));
            points.Add((HangulV + index % (HangulVCount * HangulTCount) / HangulTCount, 0));
            if (index % HangulTCount > 0) points.Add((HangulT + index % HangulTCount, 0));
        }
        else if (tables.Parts.TryGetValue(point, out var parts))
        {
            Decompose(parts.First, tables, points);
            if (parts.Second != 0) Decompose(parts.Second, tables, points);
        }
        else
        {
            points.Add((point, tables.Classes.GetValueOrDefault(point)));
        }
    }

    /// <summary>Puts each run of marks into the order of their classes; equal ones stay in theirs.</summary>
    private static void Order(List<(int Point, byte Class)> points)
    {
        for (var start = 0; start < points.Count;)
        {
            if (points[start].Class == 0) { start++; continue; }
            var end = start + 1;
            while (end < points.Count && points[end].Class != 0) end++;
            if (end - start > 1)
            {
                var run = points.GetRange(start, end - start).OrderBy(mark => mark.Class).ToList();
                for (var i = 0; i < run.Count; i++) points[start + i] = run[i];
            }
            start = end;
        }
    }

    private static string Compose(List<(int Point, byte Class)> points, Tables tables)
    {
        var composed = new List<(int Point, byte Class)>(points.Count);
        var starter = -1;
        foreach (var next in points)
        {
            // A mark is blocked from its starter by anything between them of the same or a higher class, or by another starter.
            var blocked = starter < 0 || (composed.Count - 1 > starter && composed[^1].Class >= next.Class);
            if (!blocked && Pair(composed[starter].Point, next.Point, tables) is var made and not 0)
            {
                composed[starter] = (made, composed[starter].Class);
                continue;
            }
            if (next.Class == 0) starter = composed.Count;
            composed.Add(next);
        }
        var text = new StringBuilder(composed.Count);
        foreach (var (point, _) in composed) text.Append(new Rune(point).ToString());
        return text.ToString();
    }

    private static int Pair(int first, int second, Tables tables)
    {
        if (first - HangulL is >= 0 and < HangulLCount && second - HangulV is >= 0 and < HangulVCount)
            return HangulS + ((first - HangulL) * HangulVCount + (second - HangulV)) * HangulTCount;
        if (first - HangulS is >= 0 and < HangulSCount && (first - HangulS) % HangulTCount == 0 && second - HangulT is > 0 and < HangulTCount)
            return first + (second - HangulT);
        return tables.Pairs.GetValueOrDefault((first, second));
    }

    private sealed class Tables
    {
        public Dictionary<int, (int First, int Second)> Parts { get; } = [];
        public Dictionary<(int First, int Second), int> Pairs { get; } = [];
        public Dictionary<int, byte> Classes { get; } = [];

        /// <summary>Lines "C5=0041 030A" (a pair that composes), "212B!00C5" (one that only decomposes) and "300-314:230" (a class).</summary>
        public static Tables Load()
        {
            var tables = new Tables();
            using var reader = new StreamReader(typeof(ComposedForm).Assembly.GetManifestResourceStream("unicode-composition.txt")!);
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith('#')) continue;
                if (line.IndexOf(':') is var colon and > 0)
                {
                    var range = line[..colon].Split('-');
                    var mark = byte.Parse(line.AsSpan(colon + 1), CultureInfo.InvariantCulture);
                    for (var point = Hex(range[0]); point <= Hex(range[^1]); point++) tables.Classes[point] = mark;
                    continue;
                }
                var sign = line.IndexOfAny(['=', '!']);
                var parts = line[(sign + 1)..].Split(' ');
                var pair = (Hex(parts[0]), parts.Length > 1 ? Hex(parts[1]) : 0);
                tables.Parts[Hex(line[..sign])] = pair;
                if (line[sign] == '=') tables.Pairs[pair] = Hex(line[..sign]);
            }
            return tables;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
