using System.Globalization;
using System.Text;

namespace Polder.Ledger.Blocks;

/// <summary>Floating-point numbers as the two families write and read them. Both use the shortest digits that give the number back.</summary>
internal static class DecimalText
{
    /// <summary>Python's repr: 4.2, 1e+21, 1e-05, 10.0.</summary>
    public static string Python(double value, bool single = false)
    {
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        var (sign, digits, exponent) = Take(value, single);
        if (exponent is >= -4 and < 16) return sign + Plain(digits, exponent);
        var text = new StringBuilder(sign).Append(digits[0]);
        if (digits.Length > 1) text.Append('.').Append(digits, 1, digits.Length - 1);
        return text.Append('e').Append(exponent < 0 ? '-' : '+')
            .Append(Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)).ToString();
    }

    /// <summary>The JVM's Float.toString: 4.2, 1.0E21, 1.0E-5.</summary>
    public static string Jvm(float value)
    {
        if (!float.IsFinite(value)) return float.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        var (sign, digits, exponent) = Take(value, single: true);
        if (exponent is >= -3 and < 7) return sign + Plain(digits, exponent);
        return $"{sign}{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}E{exponent}";
    }

    /// <summary>Python's float(): white space around, underscores between digits, inf and nan.</summary>
    public static bool TryReadPython(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        text = TrimPython(text);
        if (text.IsEmpty || text.Length > TransactionCodec.NumberBytesMax) return false;
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '_') clean.Append((char)text[i]);
            else if (i == 0 || i == text.Length - 1 || !char.IsAsciiDigit((char)text[i - 1]) || !char.IsAsciiDigit((char)text[i + 1])) return false;
        }
        var bare = clean.ToString();
        switch (bare.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity" when bare.Length - bare.TrimStart('+', '-').Length <= 1:
                value = bare[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
                return true;
            case "nan" when bare.Length <= 4:
                value = double.NaN;
                return true;
        }
        return IsPlainNumber(bare) && double.TryParse(bare, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The JVM's Float.parseFloat, without its hexadecimal form.</summary>
    public static bool TryReadJvm(ReadOnlySpan<byte> text, out float value)
    {
        value = 0;
        if (text.Length > TransactionCodec.NumberBytesMax) return false;
        var bare = Encoding.Latin1.GetString(text).Trim();
        switch (bare)
        {
            case "NaN" or "+NaN" or "-NaN": value = float.NaN; return true;
            case "Infinity" or "+Infinity": value = float.PositiveInfinity; return true;
            case "-Infinity": value = float.NegativeInfinity; return true;
        }
        if (bare.Length > 1 && bare[^1] is 'f' or 'F' or 'd' or 'D') bare = bare[..^1];
        return IsPlainNumber(bare) && float.TryParse(bare, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Without the white space that Python's int() and float() overlook.</summary>
    public static ReadOnlySpan<byte> TrimPython(ReadOnlySpan<byte> text) => text.Trim(" \t\n\r\v\f"u8);

    private static bool IsPlainNumber(string text)
    {
        foreach (var letter in text)
            if (!char.IsAsciiDigit(letter) && letter is not ('+' or '-' or '.' or 'e' or 'E')) return false;
        return text.Length > 0 && char.IsAsciiDigit(text[^1]) || text.EndsWith('.');
    }

    private static string Plain(string digits, int exponent)
    {
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1
            ? digits + new string('0', exponent + 1 - digits.Length) + ".0"
            : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>Sign, significant digits without zeros at the ends, and the power of ten of the first digit.</summary>
    private static (string Sign, string Digits, int Exponent) Take(double value, bool single)
    {
        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0) return (sign, "0", 0);
        // Up to 17 digits: the shortest that round-trip, in the form d.dddE+nnn.
        var shortest = single ? Math.Abs((float)value).ToString("R", CultureInfo.InvariantCulture) : Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var split = shortest.IndexOf('E', StringComparison.Ordinal);
        var power = split < 0 ? 0 : int.Parse(shortest.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = split < 0 ? shortest : shortest[..split];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var before = point < 0 ? mantissa.Length : point;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = all.Length - all.TrimStart('0').Length;
        return (sign, all.Trim('0'), power + before - 1 - leading);
    }
}
