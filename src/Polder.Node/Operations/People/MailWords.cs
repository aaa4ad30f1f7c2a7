using System.Globalization;
using Polder.Apps.Bundles.Files;

namespace Polder.Node.Operations.People;

/// <summary>Bundles in words.</summary>
internal static class MailWords
{
    public static string Of(MailBundleTaken taken, string? fromName)
    {
        var parts = new List<string>();
        Add(taken.LettersForUs, "letter for you", "letters for you");
        Add(taken.LettersToCarry, "letter to carry for others", "letters to carry for others");
        Add(taken.Blocks, "block", "blocks");
        Add(taken.Addresses, "address", "addresses");
        var from = fromName is null ? "" : $" From {fromName}.";
        var refused = taken.LettersRefused == 0 ? ""
            : taken.LettersRefused == 1 ? " One letter was not taken: out of time, no room, or not for this node." : string.Create(CultureInfo.InvariantCulture, $" {taken.LettersRefused} letters were not taken: out of time, no room, or not for this node.");
        var news = parts.Count == 0 ? "Nothing new in it: everything was here already." : $"New: {string.Join(", ", parts)}.";
        if (parts.Count == 0 && taken.LettersKnown == 0) news = "Nothing new in it.";
        return news + from + refused;

        void Add(int count, string one, string many)
        {
            if (count > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many)}"));
        }
    }
}
