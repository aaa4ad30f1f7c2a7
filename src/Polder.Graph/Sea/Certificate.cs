using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Sea;

/// <summary>A right to write into somebody's graph, signed by him: who, until when, where (gun.md §14).</summary>
internal static class Certificate
{
    public const string Failed = "Certificate verification fail.", Expired = "Certificate expired.";

    /// <summary>What a certificate says about a write by <paramref name="writer"/>; null where it allows it. Its signature is checked by the caller.</summary>
    public static string? Check(JsonItem message, string writer, in GraphWrite write)
    {
        if (message["e"] is { } expiry && ExpiryOf(expiry) is { } end && write.State > end) return Expired;
        if (message["c"] is not { } who || !Names(who, writer)) return Failed;
        if (message["w"] is not { } rights) return Failed;
        var slash = write.Soul.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : write.Soul[(slash + 1)..];
        foreach (var right in rights.Kind == JsonKind.Array ? rights.Items : [rights])
        {
            if (!Allows(right, path, write.Key)) continue;
            return right["+"]?.AsText?.Contains('*', StringComparison.Ordinal) == true && path.Length > 0
                && !path.Contains(writer, StringComparison.Ordinal) && !write.Key.Contains(writer, StringComparison.Ordinal)
                    ? $"Path \"{path}\" or key \"{write.Key}\" must contain string \"{writer}\"." : null;
        }
        return Failed;
    }

    /// <summary>The node that holds the writers who are blocked, or null.</summary>
    public static string? BlockSoul(JsonItem message, string owner) => message["wb"]?.AsText switch
    {
        null or "" => null,
        ['~', ..] soul => soul,
        var path => $"~{owner}/{path}",
    };

    /// <summary>Makes the signed text of a certificate; fields in text order, so that it verifies everywhere.</summary>
    public static string Issue(SeaPair authority, IReadOnlyList<string> who, JsonItem? write, JsonItem? read = null, double? expiry = null, string? writeBlock = null, string? readBlock = null)
    {
        if (who.Count == 0 || (write is null && read is null)) throw new ArgumentException("A certificate names somebody and a place.");
        var members = new List<KeyValuePair<string, JsonItem>>
        {
            new("c", who.Contains("*") ? new JsonItem("*") : who.Count == 1 ? new JsonItem(who[0]) : new JsonItem([.. who.Select(static pub => new JsonItem(pub))])),
        };
        if (expiry is { } end) members.Add(new("e", new JsonItem(end)));
        if (read is not null) members.Add(new("r", read));
        if (readBlock is not null) members.Add(new("rb", new JsonItem(readBlock)));
        if (write is not null) members.Add(new("w", write));
        if (writeBlock is not null) members.Add(new("wb", new JsonItem(writeBlock)));
        var message = new JsonItem(members);
        return SeaSignatures.Envelope(message, SeaSignatures.Sign(JsonText.Of(message, sorted: true), authority));
    }

    private static double? ExpiryOf(JsonItem expiry) => expiry.Kind switch
    {
        JsonKind.Number => expiry.Number,
        JsonKind.Text when double.TryParse(expiry.Text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number) => number,
        // An expiry that cannot be read protects nobody: the right is over.
        _ => double.NegativeInfinity,
    };

    private static bool Names(JsonItem who, string writer) => who.Kind switch
    {
        // gun.js looks for "*" anywhere in the text; a public key never holds one.
        JsonKind.Text => who.Text == writer || who.Text.Contains('*', StringComparison.Ordinal),
        JsonKind.Array => who.Items.Exists(item => item.AsText is { } name && (name == writer || name == "*")),
        _ => false,
    };

    private static bool Allows(JsonItem right, string path, string key)
    {
        if (right.Kind == JsonKind.Text) return (path.Length > 0 ? path + "/" + key : key) == right.Text;
        if (right.Kind != JsonKind.Object) return false;
        var (ofPath, ofKey) = (right["#"], right["."]);
        if (ofPath is null && ofKey is null) return Matches(right, path.Length > 0 ? path + "/" + key : key);
        // gun.js lets a matching path do where a key is given too; both are required here.
        return (ofPath is null || Matches(ofPath, path) || (ofKey is null && Matches(ofPath, path.Length > 0 ? path + "/" + key : key)))
            && (ofKey is null || Matches(ofKey, key));
    }

    private static bool Matches(JsonItem lex, string text) => Lexical.TryFrom(lex, out var query) && query.Matches(text);
}
