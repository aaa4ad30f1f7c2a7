using System.Text;

namespace Polder.Apps.Parcels.Stock;

/// <summary>Names that others give to files: what of them may be written on this disk.</summary>
public static class SafeName
{
    /// <summary>Bytes of a name in UTF-8.</summary>
    public const int BytesMax = 255;

    private static readonly string[] Devices = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

    /// <summary>The last part of what was given, after "/" and "\"; null when it is no name for a file, with why.</summary>
    public static string? OfFile(string given, out string problem)
    {
        var name = given[(given.LastIndexOfAny(['/', '\\']) + 1)..];
        problem = WhyNot(name) ?? "";
        return problem.Length == 0 ? name : null;
    }

    /// <summary>The parts of a path inside a folder; null when one of them is no name, or the path begins at a root.</summary>
    public static string[]? OfPath(string given, out string problem)
    {
        // A folder's entry ends in a slash.
        var parts = (given.EndsWith('/') ? given[..^1] : given).Split('/', '\\');
        problem = parts.Length > PartsMax ? $"it is more than {PartsMax} folders deep" : "";
        foreach (var part in parts) if (problem.Length == 0) problem = WhyNot(part) ?? "";
        return problem.Length == 0 ? parts : null;
    }

    /// <summary>Folders in folders.</summary>
    public const int PartsMax = 64;

    /// <summary>Why this part of a path is no name for a file; null when it is one.</summary>
    public static string? WhyNot(string part)
    {
        if (part.Length == 0) return "its name is empty";
        if (part is "." or "..") return $"its name is \"{part}\"";
        if (part.Contains('\0', StringComparison.Ordinal)) return "its name holds a NUL";
        if (part.AsSpan().ContainsAny('/', '\\')) return "its name is a path";
        if (Encoding.UTF8.GetByteCount(part) > BytesMax) return $"its name has more than {BytesMax} bytes";
        // Half a surrogate pair cannot be written as UTF-8.
        for (var i = 0; i < part.Length; i++)
            if (char.IsSurrogate(part[i]) && !(char.IsHighSurrogate(part[i]) && i + 1 < part.Length && char.IsLowSurrogate(part[++i]))) return "its name is no Unicode text";
        if (IsDevice(part)) return "its name is a device of Windows";
        return null;
    }

    /// <summary>CON, NUL, COM1 and their like, with an extension or without, in any case: Windows takes "con.txt" and "CON ." for the console, too.</summary>
    public static bool IsDevice(ReadOnlySpan<char> part)
    {
        var dot = part.IndexOfAny('.', ':');
        var name = (dot < 0 ? part : part[..dot]).TrimEnd(' ');
        foreach (var device in Devices)
            if (name.Equals(device, StringComparison.OrdinalIgnoreCase)) return true;
        // The superscript digits count, too.
        return name.Length == 4 && (name.StartsWith("com", StringComparison.OrdinalIgnoreCase) || name.StartsWith("lpt", StringComparison.OrdinalIgnoreCase))
            && name[3] is (>= '0' and <= '9') or '¹' or '²' or '³';
    }
}
