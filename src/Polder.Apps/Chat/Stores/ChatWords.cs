using System.Text;

namespace Polder.Apps.Chat;

/// <summary>The words of a text as they are searched: letters and digits, lower case, cut at a length.</summary>
internal static class ChatWords
{
    public static IReadOnlyList<string> Of(string text)
    {
        var words = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark)
            {
                if (word.Length < ChatLimits.WordLettersMax) word.Append(Rune.ToLowerInvariant(rune).ToString());
            }
            else if (!End()) return words;
        }
        End();
        return words;

        bool End()
        {
            if (word.Length > 0 && known.Add(word.ToString())) words.Add(word.ToString());
            word.Clear();
            return words.Count < ChatLimits.WordsMax;
        }
    }

    /// <summary>Whether a text has, for every word asked for, one that begins with it.</summary>
    public static bool Match(string text, IReadOnlyList<string> words)
    {
        var own = Of(text);
        return words.All(word => own.Any(one => one.StartsWith(word, StringComparison.Ordinal)));
    }
}
