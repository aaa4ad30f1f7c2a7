namespace Polder.Graph.Exchange;

/// <summary>
/// A topic: a part of the graph that a node keeps together with others. "notes" is the node "notes", all below it ("notes/…"), the same places in
/// users' graphs ("~pub/notes", "~pub/notes/…"), and what these link to, however far. "~pub" is a user's whole graph, "~@alias" the accounts of an alias.
/// </summary>
public static class TopicName
{
    /// <summary>Longest name in characters.</summary>
    public const int CharactersMax = 512;

    /// <summary>What is wrong with a name, in words; null where it will do.</summary>
    public static string? Check(string? name) => string.IsNullOrWhiteSpace(name) ? "A topic needs a name: the first part of the souls that it holds, such as notes."
        : name.Length > CharactersMax ? $"A topic's name has at most {CharactersMax} characters."
        : name.EndsWith('/') ? "A topic's name does not end with \"/\": what is below it belongs to it anyway."
        : name is "~" or "~@" ? "That would be everybody: name a key or an alias." : null;

    /// <summary>Whether a soul belongs by its name.</summary>
    internal static bool Has(string name, string soul)
    {
        // What expires in a minute is not carried about.
        if (soul.Contains("<?", StringComparison.Ordinal)) return false;
        if (Below(name, soul)) return true;
        if (name[0] == '~' || soul[0] != '~') return false;
        var slash = soul.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && Below(name, soul.AsSpan(slash + 1));
    }

    private static bool Below(string name, ReadOnlySpan<char> soul) => soul.StartsWith(name, StringComparison.Ordinal) && (soul.Length == name.Length || soul[name.Length] == '/');
}
