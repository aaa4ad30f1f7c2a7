namespace Polder.Graph.Sea;

/// <summary>Whose a soul is (vectors sea-soul-pub.json).</summary>
public static class SoulOwner
{
    /// <summary>
    /// The public key that owns a soul, or null for a soul that is nobody's: the first two words, joined by a point, of what stands
    /// between the first and the second "~". It may be no key at all; then nobody can write there.
    /// </summary>
    public static string? Of(string soul)
    {
        ArgumentNullException.ThrowIfNull(soul);
        var start = soul.IndexOf('~', StringComparison.Ordinal);
        if (start < 0) return null;
        var text = soul.AsSpan(start + 1);
        var end = text.IndexOf('~');
        if (end >= 0) text = text[..end];
        var first = WordLength(text);
        if (text.Length == 0 || first == text.Length) return null;
        var second = text[(first + 1)..];
        return string.Concat(text[..first], ".", second[..WordLength(second)]);
    }

    private static int WordLength(ReadOnlySpan<char> text)
    {
        var i = 0;
        while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] is '-' or '_')) i++;
        return i;
    }
}
