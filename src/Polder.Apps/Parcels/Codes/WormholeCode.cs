using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Polder.Apps.Parcels.Codes;

/// <summary>
/// A code that one person tells another: a short number where both meet, and words that are the secret. "7-crossover-clockwork".
/// </summary>
/// <remarks><code>
/// code       = nameplate "-" words
/// nameplate  = ASCII digits, no sign
/// words      = word *( "-" word )        any text without blanks; ours come from <see cref="WordList"/>, one byte a word
/// </code></remarks>
public sealed class WormholeCode
{
    /// <summary>Words of a code when nobody asks for more: 16 bits of secret.</summary>
    public const int WordsDefault = 2;
    /// <summary>Most words that we put into a code.</summary>
    public const int WordsMax = 8;
    /// <summary>Most characters of a code that we read.</summary>
    public const int CharactersMax = 400;
    /// <summary>Most digits of a number that a mailbox server takes.</summary>
    public const int NameplateDigitsMax = 40;

    private WormholeCode(string text, string nameplate) => (Text, Nameplate) = (text, nameplate);

    /// <summary>The whole code as it is typed and told.</summary>
    public string Text { get; }

    /// <summary>The number in front, as text: leading zeros make another number.</summary>
    public string Nameplate { get; }

    /// <summary>What follows the number and its hyphen; empty for a code that holds no secret.</summary>
    public string Words => Text.Length > Nameplate.Length ? Text[(Nameplate.Length + 1)..] : "";

    /// <summary>Words, as far as a guesser of list words is concerned.</summary>
    public int WordCount => Words.Length == 0 ? 0 : Words.Count(letter => letter == '-') + 1;

    /// <summary>The password of the key agreement: the whole code in Unicode form C, in UTF-8.</summary>
    public byte[] Password => Encoding.UTF8.GetBytes(ComposedForm.Of(Text));

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Makes a code for this number from random bytes, one a word; the first word has three syllables.</summary>
    public static WormholeCode Make(string nameplate, ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfZero(random.Length, nameof(random));
        var text = new StringBuilder(nameplate);
        for (var place = 0; place < random.Length; place++) text.Append('-').Append(WordList.AtPlace(place)[random[place]]);
        return TryParse(text.ToString(), out var code, out var problem) ? code : throw new ArgumentException(problem, nameof(nameplate));
    }

    /// <summary>Reads a code exactly as it stands; false, with a sentence that says what to do, when it is none.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out WormholeCode? code, out string problem)
    {
        code = null;
        problem = "";
        var hyphen = text.IndexOf('-', StringComparison.Ordinal);
        var nameplate = hyphen < 0 ? text : text[..hyphen];
        if (text.Length == 0) problem = "A code is needed, such as 7-crossover-clockwork.";
        else if (text.Length > CharactersMax) problem = $"A code has at most {CharactersMax} characters.";
        else if (text.Contains(' ', StringComparison.Ordinal)) problem = "A code has no blanks: write hyphens between the words, as in 7-crossover-clockwork.";
        else if (nameplate.Length == 0 || nameplate.AsSpan().ContainsAnyExceptInRange('0', '9'))
            problem = "A code begins with a number and a hyphen, as in 7-crossover-clockwork.";
        else if (nameplate.Length > NameplateDigitsMax) problem = $"The number of a code has at most {NameplateDigitsMax} digits.";
        else code = new WormholeCode(text, nameplate);
        return code is not null;
    }

    /// <summary>
    /// What a person most likely meant: blanks at the ends go, blanks between words become hyphens, words of the list get small letters.
    /// <paramref name="changed"/> tells whether anything of that was done, so that it can be said.
    /// </summary>
    public static string Tidy(string typed, out bool changed)
    {
        var joined = new StringBuilder(typed.Length);
        var text = typed.AsSpan().Trim();
        for (var i = 0; i < text.Length;)
        {
            var end = i;
            var blank = false;
            while (end < text.Length && (text[end] == '-' || char.IsWhiteSpace(text[end]))) blank |= text[end++] != '-';
            if (end == i) joined.Append(text[i++]);
            else
            {
                // Hyphens alone stay as many as they are: a doubled one is another password.
                if (blank) joined.Append('-');
                else joined.Append(text[i..end]);
                i = end;
            }
        }
        var words = joined.ToString().Split('-');
        for (var i = 1; i < words.Length; i++)
            if (WordList.Contains(words[i])) words[i] = words[i].ToLowerInvariant();
        var tidy = string.Join('-', words);
        changed = tidy != typed;
        return tidy;
    }
}
