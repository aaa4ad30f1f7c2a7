using System.Globalization;

namespace Polder.Graph.Model;

/// <summary>
/// Numbers as JavaScript writes them: the shortest digits that read back to the same double, exponent form from 1e21 up and
/// below 1e-6, "0" for minus zero. Signatures and ties cover this text, so it must be exact (ECMA-262, Number::toString).
/// </summary>
public static class NumberText
{
    /// <summary>Longest text of a double: sign, 17 digits, point, leading zeros or exponent.</summary>
    internal const int CharactersMax = 32;

    private const int PlainDigitsMax = 21, LeadingZerosMax = 6;

    /// <summary>The text of a finite number; "null" for what JSON cannot say (NaN, ±Infinity).</summary>
    public static string Of(double number)
    {
        Span<char> text = stackalloc char[CharactersMax];
        return new string(text[..Write(number, text)]);
    }

    /// <summary>Writes the text and gives its length; <paramref name="to"/> holds at least <see cref="CharactersMax"/>.</summary>
    internal static int Write(double number, Span<char> to)
    {
        if (!double.IsFinite(number)) return Put("null", to);
        if (number == 0) return Put("0", to);
        int written;
        if (number is > -1e15 and < 1e15 && number == Math.Floor(number))
        {
            ((long)number).TryFormat(to, out written, default, CultureInfo.InvariantCulture);
            return written;
        }
        Span<char> shortest = stackalloc char[CharactersMax];
        number.TryFormat(shortest, out var length, "R", CultureInfo.InvariantCulture);
        Span<char> digits = stackalloc char[CharactersMax];
        var (count, point) = Digits(shortest[..length], digits);
        written = 0;
        if (number < 0) to[written++] = '-';
        return written + Lay(digits[..count], point, to[written..]);
    }

    /// <summary>The significant digits of .NET's text, and where the point stands: value = 0.d1d2… × 10^point.</summary>
    private static (int Count, int Point) Digits(ReadOnlySpan<char> text, Span<char> digits)
    {
        var (count, point, seenPoint, exponent) = (0, 0, false, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '.') seenPoint = true;
            else if (c == 'E')
            {
                exponent = int.Parse(text[(i + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                break;
            }
            else if (c is >= '0' and <= '9')
            {
                if (count == 0 && c == '0')
                {
                    if (seenPoint) point--;
                    continue;
                }
                digits[count++] = c;
                if (!seenPoint) point++;
            }
        }
        while (count > 1 && digits[count - 1] == '0') count--;
        return (count, point + exponent);
    }

    private static int Lay(ReadOnlySpan<char> digits, int point, Span<char> to)
    {
        var written = 0;
        if (point is > 0 and <= PlainDigitsMax)
        {
            for (var i = 0; i < Math.Max(point, digits.Length); i++)
            {
                if (i == point) to[written++] = '.';
                to[written++] = i < digits.Length ? digits[i] : '0';
            }
            return written;
        }
        if (point is <= 0 and > -LeadingZerosMax)
        {
            written = Put("0.", to);
            for (var i = point; i < 0; i++) to[written++] = '0';
            digits.CopyTo(to[written..]);
            return written + digits.Length;
        }
        to[written++] = digits[0];
        if (digits.Length > 1)
        {
            to[written++] = '.';
            digits[1..].CopyTo(to[written..]);
            written += digits.Length - 1;
        }
        var exponent = point - 1;
        to[written++] = 'e';
        to[written++] = exponent < 0 ? '-' : '+';
        Math.Abs(exponent).TryFormat(to[written..], out var length, default, CultureInfo.InvariantCulture);
        return written + length;
    }

    private static int Put(string text, Span<char> to)
    {
        text.CopyTo(to);
        return text.Length;
    }
}
