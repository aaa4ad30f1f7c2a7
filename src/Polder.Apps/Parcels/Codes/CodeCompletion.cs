namespace Polder.Apps.Parcels.Codes;

/// <summary>What Tab offers while a code is typed.</summary>
public static class CodeCompletion
{
    /// <summary>Numbers that begin with what is typed, each with its hyphen.</summary>
    public static IReadOnlyList<string> Nameplates(string typed, IEnumerable<string> listed) =>
        [.. listed.Where(id => id.StartsWith(typed, StringComparison.Ordinal)).Select(id => id + "-").Order(StringComparer.Ordinal)];

    /// <summary>What can stand after the number's hyphen: the words typed so far, the last of them completed, a hyphen behind while more words are wanted.</summary>
    public static IReadOnlyList<string> Words(string typed, int wordsWanted = WormholeCode.WordsDefault)
    {
        var place = typed.Count(letter => letter == '-');
        var start = typed.LastIndexOf('-') + 1;
        var (before, piece) = (typed[..start], typed[start..]);
        var after = place + 1 < wordsWanted ? "-" : "";
        return [.. WordList.AtPlace(place).Where(word => word.StartsWith(piece, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(word => before + word + after)];
    }
}
