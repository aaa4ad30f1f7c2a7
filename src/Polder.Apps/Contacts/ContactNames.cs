using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Polder.Apps.Parcels.Codes;

namespace Polder.Apps.Contacts;

/// <summary>The rules for names of people: what may be one, and when two look the same.</summary>
public static class ContactNames
{
    /// <summary>Bytes of a name in UTF-8.</summary>
    public const int BytesMax = 64;

    /// <summary>Reads a name that the owner typed: composed (NFC), trimmed, white space as single spaces. False for what is empty, too long or cannot be seen.</summary>
    public static bool TryRead(string? text, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (text is null || text.Length > 4 * BytesMax || !TryCompose(text, out var composed)) return false;
        foreach (var letter in composed)
            if (IsHidden(letter)) return false;
        var clean = Squeeze(composed);
        if (clean.Length == 0 || Encoding.UTF8.GetByteCount(clean) > BytesMax) return false;
        name = clean;
        return true;
    }

    /// <summary>What a stranger calls itself, made fit to be shown: without control and direction characters, cut to length. Null when nothing is left.</summary>
    public static string? Tame(string? text)
    {
        if (text is null) return null;
        if (text.Length > 4 * BytesMax) text = text[..(4 * BytesMax)];
        var seen = new StringBuilder(text.Length);
        foreach (var letter in text)
            if (char.IsWhiteSpace(letter)) seen.Append(' ');
            else if (!IsHidden(letter)) seen.Append(letter);
        if (!TryCompose(seen.ToString(), out var composed)) return null;
        var clean = Squeeze(composed);
        while (Encoding.UTF8.GetByteCount(clean) > BytesMax) clean = clean[..^(char.IsLowSurrogate(clean[^1]) ? 2 : 1)];
        clean = clean.TrimEnd();
        return clean.Length == 0 ? null : clean;
    }

    /// <summary>Whether two names are one to a reader: without regard to case.</summary>
    public static bool Same(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    /// <summary>Control, format, line and direction characters: they change how the text around them is read.</summary>
    private static bool IsHidden(char letter) => char.IsControl(letter)
        || char.GetUnicodeCategory(letter) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;

    private static bool TryCompose(string text, out string composed)
    {
        composed = "";
        // A lone half of a pair is no letter, and cannot be composed.
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[++i])) return false;
        }
        composed = ComposedForm.Of(text);
        return true;
    }

    private static string Squeeze(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
