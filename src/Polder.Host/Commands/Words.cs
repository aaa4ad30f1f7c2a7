using System.Globalization;
using Polder.Identity;

namespace Polder.Host.Commands;

/// <summary>Small words of the commands.</summary>
internal static class Words
{
    /// <summary>"1 block", "2 blocks".</summary>
    public static string Count(long number, string thing, string? things = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {(number == 1 ? thing : things ?? thing + "s")}");

    /// <summary>"HEX.SEQ" as people may type it: "ab-cd-ef-gh-ij.7".</summary>
    public static string Block(string id)
    {
        var dot = id.LastIndexOf('.');
        return dot > 0 && PublicKey.TryParseHex(id[..dot], out var key) ? key.ShortName + id[dot..] : id;
    }
}
