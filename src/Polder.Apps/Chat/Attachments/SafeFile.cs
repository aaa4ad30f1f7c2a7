using System.Globalization;
using System.Text;

namespace Polder.Apps.Chat;

/// <summary>What may be done with a file from somebody else: its name on our disk, and whether it is a picture that a browser may draw.</summary>
internal static class SafeFile
{
    private static readonly HashSet<string> DeviceNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    /// <summary>
    /// A name for a file as it may be written: the last part after / and \, without control and direction characters, no "." or "..", no
    /// device of Windows, at most 255 bytes (wormhole.md §7). What is left of nothing is called "file".
    /// </summary>
    public static string NameOf(string told)
    {
        var last = told[(told.LastIndexOfAny(['/', '\\']) + 1)..];
        var clean = new StringBuilder(last.Length);
        foreach (var letter in last.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate) continue;
            clean.Append(letter.Value is '<' or '>' or ':' or '"' or '|' or '?' or '*' ? "_" : letter.ToString());
        }
        var name = clean.ToString().Trim().TrimEnd('.', ' ');
        while (Encoding.UTF8.GetByteCount(name) > ChatLimits.NameBytesMax)
        {
            // The ending says what it is: it stays while it is short.
            var dot = name.LastIndexOf('.');
            var keep = dot > 0 && name.Length - dot <= 16 ? dot : name.Length;
            var cut = keep >= 2 && char.IsLowSurrogate(name[keep - 1]) ? 2 : 1;
            name = name.Remove(keep - cut, cut);
        }
        var stem = name.Split('.')[0].Trim();
        if (name.Length == 0 || name is "." or "..") return "file";
        return DeviceNames.Contains(stem) ? "_" + name : name;
    }

    /// <summary>
    /// The type of a picture by its first bytes: only what browsers draw without running anything. Never SVG or HTML, whatever anybody
    /// calls it. Null: to be saved, not shown.
    /// </summary>
    public static string? PictureType(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10])) return "image/png";
        if (first.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "image/jpeg";
        if (first.StartsWith("GIF87a"u8) || first.StartsWith("GIF89a"u8)) return "image/gif";
        if (first.Length >= 12 && first.StartsWith("RIFF"u8) && first[8..12].SequenceEqual("WEBP"u8)) return "image/webp";
        return null;
    }

    /// <summary>Whether a name looks like a picture: then it is fetched and looked at without being asked for.</summary>
    public static bool LooksLikePicture(string name) => Path.GetExtension(name).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" or ".gif" or ".webp";
}
