using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Sea;

/// <summary>
/// A value of a user graph: a text that is JSON of <c>{":": value, "~": signature}</c>, and with a certificate also <c>"+"</c> and
/// <c>"*"</c>. The signature covers soul, key, value and state (gun.md §12).
/// </summary>
/// <param name="Value">What the application sees.</param>
/// <param name="Signature">Base64.</param>
/// <param name="Writer">Who wrote it where that is not the owner.</param>
/// <param name="Certificate">By what right.</param>
internal sealed record SignedValue(GraphValue Value, string Signature, string? Writer, JsonItem? Certificate)
{
    /// <summary>The forms of 2018 and 2019, for reading: how the signature was made then.</summary>
    public string? OldText { get; init; }

    /// <summary>What is signed: the four fields in this very order, which is the sorted one too.</summary>
    public static string Text(string soul, string key, in GraphValue value, double state)
    {
        var text = new System.Text.StringBuilder("{\"#\":");
        JsonText.Quote(text, soul);
        text.Append(",\".\":");
        JsonText.Quote(text, key);
        text.Append(",\":\":");
        value.WriteTo(text);
        text.Append(",\">\":");
        JsonText.Number(text, state);
        return text.Append('}').ToString();
    }

    /// <summary>Signs a value for a place in a user graph.</summary>
    public static GraphValue Sign(string soul, string key, in GraphValue value, double state, SeaPair pair, JsonItem? certificate = null)
    {
        if (!JsonParser.TryParse(value.ToJson(), out var item)) throw new InvalidOperationException("A value is no JSON.");
        var signature = new JsonItem(SeaSignatures.Sign(Text(soul, key, value, state), pair));
        var signed = certificate is null
            ? JsonItem.Object((":", item), ("~", signature))
            : JsonItem.Object((":", item), ("~", signature), ("+", certificate), ("*", new JsonItem(pair.Pub)));
        return GraphValue.Of(JsonText.Of(signed));
    }

    /// <summary>Reads a stored value of a user graph; null where it is none. Nothing is verified yet.</summary>
    public static SignedValue? Read(in GraphWrite write)
    {
        if (write.Value.AsText is not { } text || SeaText.Parse(text) is not { Kind: JsonKind.Object } item) return null;
        if (item[":"] is { } given && item["~"]?.AsText is { } signature)
        {
            if (!GraphValue.TryFrom(given, out var value)) return null;
            var certificate = item["+"] is { Kind: JsonKind.Object } right && right["m"] is not null && right["s"] is not null ? right : null;
            return new SignedValue(value, signature, item["*"]?.AsText, certificate);
        }
        return item["m"] is { } message && item["s"]?.AsText is { } oldSignature ? ReadOld(write, message, oldSignature) : null;
    }

    /// <summary>The soul that a stored value links to, signed or plain; null where it is no link.</summary>
    public static string? LinkOf(in GraphWrite write)
    {
        if (write.Value.AsLink is { } link) return link;
        return write.Value.AsText is { Length: > 8 } text && text.StartsWith('{') && Read(write) is { } signed ? signed.Value.AsLink : null;
    }

    /// <summary>
    /// 2019: the array [soul, key, value, state], hashed as its comma text. 2018: the JSON text of the value, hashed as the value's own
    /// text, and only with states before 2019, since nothing binds it to its place. Links are left out: their text was "[object Object]",
    /// which covers nothing.
    /// </summary>
    private static SignedValue? ReadOld(in GraphWrite write, JsonItem message, string signature)
    {
        if (message is { Kind: JsonKind.Array, Items: [var soul, var key, var given, { Kind: JsonKind.Number } state] })
        {
            return soul.AsText == write.Soul && key.AsText == write.Key && state.Number == write.State && GraphValue.TryFrom(given, out var value) && OldTextOf(value) is { } text
                ? new SignedValue(value, signature, null, null) { OldText = $"{write.Soul},{write.Key},{text},{NumberText.Of(write.State)}" } : null;
        }
        if (message.Kind != JsonKind.Text || write.State >= SeaLimits.UnboundFormsUntil) return null;
        return GraphValue.TryFrom(SeaText.Parse(message), out var old) && OldTextOf(old) is { } oldText
            ? new SignedValue(old, signature, null, null) { OldText = oldText } : null;
    }

    private static string? OldTextOf(in GraphValue value) => value.Kind switch
    {
        GraphValueKind.Null => "",
        GraphValueKind.Text => value.AsText,
        GraphValueKind.Link => null,
        _ => value.ToJson(),
    };
}

/// <summary>Numbers of SEA.</summary>
internal static class SeaLimits
{
    /// <summary>States from here on (1 January 2019) may not use the form whose signature binds nothing to its place.</summary>
    public const double UnboundFormsUntil = 1546329600000;

    /// <summary>Shortest passphrase of a new account, as gun.js asks for.</summary>
    public const int PassphraseCharactersMin = 8;
}
