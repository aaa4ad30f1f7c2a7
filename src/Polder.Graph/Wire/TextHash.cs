namespace Polder.Graph.Wire;

/// <summary>The hash of <c>##</c>: h = 31·h + code unit over UTF-16, wrapping to 32 bits with sign. A hint, no protection.</summary>
public static class TextHash
{
    /// <summary>The hash of a text; 0 for the empty one.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        var hash = 0;
        unchecked
        {
            foreach (var unit in text) hash = 31 * hash + unit;
        }
        return hash;
    }
}
