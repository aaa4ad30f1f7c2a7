using System.Globalization;
using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Stock;

namespace Polder.Apps.Parcels.Native;

/// <summary>
/// The rules for the path of an item: parts separated by <c>/</c>, none of which climbs, hides a device or is too long, so that it stays below the
/// folder that the receiver chose, on every system.
/// </summary>
internal static class ItemPath
{
    /// <summary>Parts at most.</summary>
    public const int DepthMax = 32;

    /// <summary>Bytes of a part in UTF-8 at most.</summary>
    public const int PartBytesMax = 255;

    /// <summary>What the files of an unfinished transfer end with; nobody else's may.</summary>
    public const string PartialSuffix = ".polder-part";

    /// <summary>What is wrong with a path, in words; null for nothing.</summary>
    public static string? Problem(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0) return "it is empty";
        // An absurd one is not taken apart first.
        if (path.Length > DepthMax * (PartBytesMax + 1)) return "it is too long";
        var depth = 0;
        foreach (var range in path.AsSpan().Split('/'))
        {
            if (++depth > DepthMax) return $"it is more than {DepthMax} folders deep";
            if (PartProblem(path.AsSpan()[range]) is { } problem) return problem;
        }
        return null;
    }

    /// <summary>What is wrong with one name; null for nothing.</summary>
    public static string? PartProblem(ReadOnlySpan<char> part)
    {
        if (part.IsEmpty) return "a part of it is empty";
        if (part is "." or "..") return "it climbs out of its folder";
        if (part.IndexOfAny('/', '\\') >= 0) return "a name in it holds a separator of paths";
        if (part.Contains('\0')) return "a name in it holds a zero byte";
        if (part.Length > PartBytesMax || Bytes(part) is not { } bytes || bytes > PartBytesMax) return $"a name in it is not text of at most {PartBytesMax} bytes";
        if (SafeName.IsDevice(part)) return "a name in it is that of a device";
        if (part.EndsWith(PartialSuffix, StringComparison.OrdinalIgnoreCase)) return "a name in it is that of an unfinished transfer";
        return null;
    }

    /// <summary>
    /// What two paths that mean one file on some system have in common: NFC, without regard to case. Only for comparing.
    /// </summary>
    public static string Folded(string path) => ComposedForm.Of(ComposedForm.Of(path).ToUpperInvariant());

    /// <summary>The problem of a whole list: the first path that is bad, double, or a file where another has a folder. Null for none.</summary>
    public static string? ListProblem(IEnumerable<string> paths)
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (Problem(path) is { } problem) return $"The path \"{Escaped(path)}\" is refused: {problem}.";
            var folded = Folded(path);
            if (!files.Add(folded) || folders.Contains(folded)) return $"The path \"{Escaped(path)}\" is there twice.";
            for (var at = folded.IndexOf('/', StringComparison.Ordinal); at >= 0; at = folded.IndexOf('/', at + 1))
            {
                var folder = folded[..at];
                if (files.Contains(folder)) return $"The path \"{Escaped(path)}\" needs a folder where there is a file.";
                folders.Add(folder);
            }
        }
        return null;
    }

    /// <summary>Text from others for people: control and direction characters as escapes, at most 200 characters.</summary>
    public static string Escaped(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length > 200) return shown.Append('…').ToString();
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse)
                shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
            else shown.Append(rune.ToString());
        }
        return shown.ToString();
    }

    private static int? Bytes(ReadOnlySpan<char> part)
    {
        var bytes = 0;
        while (!part.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(part, out var rune, out var used) != System.Buffers.OperationStatus.Done) return null;
            bytes += rune.Utf8SequenceLength;
            part = part[used..];
        }
        return bytes;
    }
}
