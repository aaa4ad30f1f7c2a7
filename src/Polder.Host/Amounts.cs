using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Polder.Host;

/// <summary>
/// Amounts of help as people write them: "25MB", or a plain number with a unit of one's own. 1 KB = 1 KiB = 2^10 bytes,
/// 1 MB = 1 MiB = 2^20 bytes and so on, because a bandwidth token is a MiB (specification of bandwidth tokens).
/// </summary>
internal static class Amounts
{
    /// <summary>The unit of amounts of data.</summary>
    public const string Bytes = "bytes";
    /// <summary>Letters of a unit of one's own, at most.</summary>
    public const int UnitLettersMax = 32;

    private static readonly (string Suffix, int Shift)[] Suffixes =
    [
        ("KIB", 10), ("MIB", 20), ("GIB", 30), ("TIB", 40), ("KB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("B", 0),
    ];

    /// <summary>Reads an amount. On failure <paramref name="problem"/> says what is wrong and what to write.</summary>
    public static bool TryParse(string text, string? unit, out long amount, out string unitName, [NotNullWhen(false)] out string? problem)
    {
        (amount, unitName, problem) = (0, unit is null ? Bytes : unit.Trim(), null);
        var upper = text.Trim().ToUpperInvariant();
        var suffix = Array.Find(Suffixes, s => upper.EndsWith(s.Suffix, StringComparison.Ordinal));
        var number = suffix.Suffix is null ? upper : upper[..^suffix.Suffix.Length].TrimEnd();
        if (suffix.Suffix is not null && unit is not null)
            problem = $"\"{text}\" already says its unit, so --unit {unit} is too much. Write {text} alone, or a plain number with --unit.";
        else if (suffix.Suffix is null && unit is null)
            problem = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _)
                ? $"\"{text}\" has no unit. Write 25MB (KB, MB, GB, TB), or a number with a unit of your own: {text} --unit hours."
                : $"\"{text}\" is no amount. Write 25MB (KB, MB, GB, TB), or a number with a unit of your own: 3 --unit hours.";
        else if (unit is not null && (unitName.Length is 0 or > UnitLettersMax || unitName.Any(char.IsControl)))
            problem = $"A unit is a word of at most {UnitLettersMax} letters, for example hours.";
        else if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            problem = $"\"{text}\" is no amount. Write 25MB (KB, MB, GB, TB), or a number with a unit of your own: 3 --unit hours.";
        else if (value > decimal.MaxValue / (1L << suffix.Shift) || value * (1L << suffix.Shift) > long.MaxValue)
            problem = $"\"{text}\" is more than can be counted.";
        else if (value * (1L << suffix.Shift) is var exact && exact != decimal.Truncate(exact))
            problem = suffix.Suffix is null
                ? $"\"{text}\" is no whole number. Use a smaller unit: 90 --unit minutes."
                : $"\"{text}\" is no whole number of bytes.";
        else if (exact < 1) problem = "An amount is above 0.";
        else amount = (long)exact;

        // Data is data however it is written: "100 --unit bytes" and "1 --unit MB" are the same books as 25MB.
        if (problem is null && unit is not null)
        {
            var word = unitName.ToUpperInvariant();
            var known = word is "BYTES" or "BYTE" ? ("B", 0) : Array.Find(Suffixes, s => s.Suffix == word);
            if (known.Item1 is not null)
            {
                if (amount > long.MaxValue >> known.Item2) problem = $"\"{text} {unitName}\" is more than can be counted.";
                else (amount, unitName) = (amount << known.Item2, Bytes);
            }
        }
        return problem is null;
    }

    /// <summary>"25 MB", "3 hours".</summary>
    public static string Format(double amount, string unit)
    {
        if (unit != Bytes) return string.Create(CultureInfo.InvariantCulture, $"{amount:0.##} {unit}");
        var size = Math.Abs(amount);
        var (shift, name) = size >= 1L << 40 ? (40, "TB") : size >= 1 << 30 ? (30, "GB") : size >= 1 << 20 ? (20, "MB") : size >= 1 << 10 ? (10, "KB") : (0, "B");
        return string.Create(CultureInfo.InvariantCulture, $"{amount / (1L << shift):0.##} {name}");
    }
}
