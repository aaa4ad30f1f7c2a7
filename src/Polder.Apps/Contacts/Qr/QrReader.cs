using Polder.Apps.Contacts.Pictures;

namespace Polder.Apps.Contacts.Qr;

/// <summary>
/// Reads a QR code (ISO/IEC 18004) out of a picture: one that a program drew, or a photograph taken about straight. Sizes 1 to 40, any level of protection,
/// turned any way, mirrored or white on black. Takes time, and may run on any thread.
/// </summary>
public static class QrReader
{
    /// <summary>Triples of corners that are tried in one view of the picture.</summary>
    private const int TriesMax = 24;

    /// <summary>The text of a code in the picture; null when none is found, or too much of it is damaged.</summary>
    public static string? Read(GreyPicture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var drawn = InkMap.ByOneLimit(picture);
        if (Read(drawn) is { } text) return text;
        var seen = InkMap.BySurroundings(picture);
        return Read(seen) ?? Read(drawn.Inverted()) ?? Read(seen.Inverted());
    }

    private static string? Read(InkMap ink)
    {
        var patterns = FinderPatterns.Find(ink);
        var tries = 0;
        foreach (var (a, b, c) in Triples(patterns))
        {
            foreach (var code in QrSampler.Sample(ink, patterns[a], patterns[b], patterns[c]))
            {
                if (code.Read() is { } text) return text;
                if (code.Mirrored().Read() is { } mirrored) return mirrored;
            }
            if (++tries == TriesMax) break;
        }
        return null;
    }

    /// <summary>Triples of patterns of about one size, the most alike first.</summary>
    private static IEnumerable<(int A, int B, int C)> Triples(List<FinderPattern> patterns)
    {
        var triples = new List<(double Difference, int A, int B, int C)>();
        for (var a = 0; a < patterns.Count; a++)
            for (var b = a + 1; b < patterns.Count; b++)
                for (var c = b + 1; c < patterns.Count; c++)
                {
                    var (one, two, three) = (patterns[a].Module, patterns[b].Module, patterns[c].Module);
                    var (least, most) = (Math.Min(one, Math.Min(two, three)), Math.Max(one, Math.Max(two, three)));
                    if (most <= 1.8 * least + 1) triples.Add(((most - least) / most, a, b, c));
                }
        return triples.OrderBy(static triple => triple.Difference).Select(static triple => (triple.A, triple.B, triple.C));
    }
}
