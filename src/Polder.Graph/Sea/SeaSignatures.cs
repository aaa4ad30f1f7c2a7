using System.Security.Cryptography;
using Polder.Graph.Json;

namespace Polder.Graph.Sea;

/// <summary>
/// SEA's signatures: ECDSA on P-256 with SHA-256 over the SHA-256 of a text (it is hashed twice), 64 bytes r‖s. Pure.
/// </summary>
internal static class SeaSignatures
{
    private const int SignatureBytes = 64;

    /// <summary>Signs a text; base64.</summary>
    public static string Sign(string text, SeaPair pair)
    {
        using var key = ECDsa.Create(P256.Private(pair.Priv) ?? throw new ArgumentException("The private key is none.", nameof(pair)));
        return Convert.ToBase64String(key.SignHash(SHA256.HashData(SeaText.Digest(text)), DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    /// <summary>Whether the signature covers one of the texts. Anything malformed is simply false.</summary>
    public static bool Verify(string? pub, string? signature, bool oldSignature, params ReadOnlySpan<string> texts)
    {
        if (signature is null || P256.Public(pub) is not { } parameters || Decode(signature, oldSignature) is not { } bytes) return false;
        try
        {
            using var key = ECDsa.Create(parameters);
            foreach (var text in texts)
                if (key.VerifyHash(SHA256.HashData(SeaText.Digest(text)), bytes, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)) return true;
        }
        catch (CryptographicException)
        {
            // A point that is not on the curve.
        }
        return false;
    }

    private static byte[]? Decode(string signature, bool oldSignature)
    {
        if (signature.Length > 4 * SignatureBytes) return null;
        if (SeaText.FromBase64(signature) is { Length: SignatureBytes } bytes) return bytes;
        return oldSignature && signature.Length == SignatureBytes ? SeaText.FromLatin1(signature) : null;
    }

    /// <summary>Signs a value: <c>SEA{"m":…,"s":"…"}</c>, members sorted, so that every gun.js peer can verify it.</summary>
    public static string SignValue(JsonItem value, SeaPair pair)
    {
        if (value.Kind == JsonKind.Text && TryVerify(value.Text, pair.Pub, out _)) return value.Text;
        var message = SeaText.Parse(value);
        return Envelope(message, Sign(SeaText.Plain(message, sorted: true), pair));
    }

    /// <summary>Whether a signed text verifies, and its value, which may be none when <paramref name="pub"/> did not sign it.</summary>
    public static bool TryVerify(string signed, string pub, out JsonItem value)
    {
        value = JsonItem.Null;
        if (SeaText.Parse(signed) is not { Kind: JsonKind.Object } item || item["m"] is not { } message || item["s"]?.AsText is not { } signature) return false;
        if (VerifyMessage(message, signature, pub))
        {
            value = SeaText.Parse(message);
            return true;
        }
        // The form of 2018: m is the JSON text of a value, and the value's own text was hashed. Never for objects, whose text is
        // "[object Object]" whatever is in them.
        if (message.Kind != JsonKind.Text || SeaText.Parse(message) is not { Kind: not (JsonKind.Object or JsonKind.Array) } inner
            || !Verify(pub, signature, oldSignature: true, SeaText.Plain(inner, sorted: false))) return false;
        value = inner;
        return true;
    }

    /// <summary>Whether the message verifies in the order it came, or sorted.</summary>
    public static bool VerifyMessage(JsonItem message, string signature, string pub)
    {
        var asReceived = SeaText.Plain(message, sorted: false);
        var sorted = message.Kind is JsonKind.Object or JsonKind.Array ? SeaText.Plain(message, sorted: true) : asReceived;
        return sorted == asReceived ? Verify(pub, signature, oldSignature: true, asReceived) : Verify(pub, signature, oldSignature: true, asReceived, sorted);
    }

    /// <summary>The text form of a message and its signature.</summary>
    public static string Envelope(JsonItem message, string signature) =>
        "SEA" + JsonText.Of(JsonItem.Object(("m", message), ("s", new JsonItem(signature))), sorted: true);
}
