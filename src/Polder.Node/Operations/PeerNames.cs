using Polder.Identity;

namespace Polder.Node.Operations;

/// <summary>Finds who is meant by a short name, a public key, or the beginning of either.</summary>
internal static class PeerNames
{
    private const int ListedMax = 8;
    /// <summary>So many of the store's peers are looked at when a name is ambiguous.</summary>
    public const int CandidatesMax = 1000;

    public static PeerName Of(PublicKey key) => new(key.ToString(), key.ShortName);

    public static PeerName Of(ReadOnlySpan<byte> key) =>
        PublicKey.TryParse(key, out var known) ? Of(known) : new(Convert.ToHexStringLower(key), "unknown form");

    /// <exception cref="OperationRefusedException">Nobody or several are meant; the message lists them.</exception>
    public static PublicKey Resolve(string text, IEnumerable<PublicKey> known)
    {
        var wanted = text.Trim().ToLowerInvariant();
        if (wanted.Length == 0) throw new OperationRefusedException(RefusalKind.BadInput, "Say who: a short name, a public key, or the beginning of either. Who is there: polder peers");
        var letters = wanted.Replace("-", "", StringComparison.Ordinal);
        if (!letters.All(char.IsAsciiLetterOrDigit))
            throw new OperationRefusedException(RefusalKind.BadInput, $"\"{text}\" is no name and no key. A name is like ab-cd-ef-gh-ij, a key is {2 * KeyFormat.Bytes} hex digits; the beginning of either will do.");
        var found = new SortedSet<PublicKey>();
        foreach (var key in known)
        {
            var hex = key.ToString();
            // A whole key means nobody else; a whole name may, in theory, be shared.
            if (hex == wanted) return key;
            if (hex.StartsWith(wanted, StringComparison.Ordinal)
                || key.ShortName.Replace("-", "", StringComparison.Ordinal).StartsWith(letters, StringComparison.Ordinal)) found.Add(key);
        }
        if (found.Count == 1) return found.Min!;
        if (found.Count == 0)
            throw new OperationRefusedException(RefusalKind.NotFound, $"Nobody known here is called \"{Shortened(text)}\". Who is known: polder peers. To meet somebody: polder run --join HOST:PORT");
        var names = found.Take(ListedMax).Select(key => $"{key.ShortName} ({key.ToString()[20..32]}…)");
        var more = found.Count > ListedMax ? $" and {found.Count - ListedMax} more" : "";
        throw new OperationRefusedException(RefusalKind.BadInput, $"\"{Shortened(text)}\" may be any of {found.Count}: {string.Join(", ", names)}{more}. Give more of the name.");
    }

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..37] + "…";
}
