using System.Text;
using System.Text.Json;
using Polder.Identity;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>What kind of thing somebody handed over to be added as a contact.</summary>
public enum ContactTextKind
{
    /// <summary>Nothing that is known; <see cref="ContactText.Problem"/> says why.</summary>
    Nothing,
    /// <summary>A key, with or without a name.</summary>
    Key,
    /// <summary>An invitation, "peer:…".</summary>
    Invitation,
    /// <summary>A code to be said aloud, "7-crossover-clockwork".</summary>
    SpokenCode,
}

/// <summary>
/// What people hand to each other, read from one text: an invitation or a link to one, the contact code of the TrustChain SuperApp
/// (<c>{"public_key": hex, "name": text}</c>), a bare key in hex, or a spoken code.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Key">Whose key; null where it is another thing.</param>
/// <param name="Name">What the person calls itself; null: it does not say.</param>
/// <param name="Text">The invitation or the spoken code, cleaned; else empty.</param>
/// <param name="Problem">Why it is nothing, as a sentence that says what to do; else empty.</param>
public sealed record ContactText(ContactTextKind Kind, PublicKey? Key, string? Name, string Text, string Problem)
{
    /// <summary>Letters of a text at most.</summary>
    public const int LettersMax = 4096;

    private const int KeyDigits = 2 * KeyFormat.Bytes;

    /// <summary>The contact code of the SuperApp (superapp-protocols §3): JSON of the key in hex and the name.</summary>
    public static string Write(PublicKey key, string name)
    {
        ArgumentNullException.ThrowIfNull(key);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("public_key", key.ToString());
            writer.WriteString("name", name);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Reads what somebody handed over. Never throws.</summary>
    public static ContactText Read(string? text)
    {
        text = text?.Trim() ?? "";
        if (text.Length == 0) return Bad("Nothing was given. Give an invitation (peer:…), a contact's QR code, a public key, or a spoken code.");
        if (text.Length > LettersMax) return Bad($"This is longer than any contact ({LettersMax} letters at most).");
        // "http://127.0.0.1:8095/join#peer:…": what stands behind the # never leaves the browser.
        if (text.LastIndexOf('#') is >= 0 and var hash && text.StartsWith("http", StringComparison.OrdinalIgnoreCase)) text = text[(hash + 1)..].Trim();
        if (text.StartsWith(Invitation.Scheme, StringComparison.OrdinalIgnoreCase)) return new(ContactTextKind.Invitation, null, null, text, "");
        if (text[..Math.Min(text.Length, 1)] == "{") return ReadJson(text);
        var digits = string.Concat(text.Where(static letter => !char.IsWhiteSpace(letter)));
        if (digits.Length >= 40 && digits.All(char.IsAsciiHexDigit)) return ReadKey(digits, null);
        return IsSpokenCode(text) ? new(ContactTextKind.SpokenCode, null, null, CleanCode(text), "")
            : Bad("This is no contact. A contact is an invitation (peer:…), a QR code of a person, a public key of 148 hex digits, or a spoken code like 7-crossover-clockwork.");
    }

    /// <summary>"7-crossover-clockwork" has a number and at least two words.</summary>
    private static bool IsSpokenCode(string text)
    {
        var parts = CleanCode(text).Split('-');
        return parts.Length is >= 3 and <= 6 && parts[0].Length is >= 1 and <= 6 && parts[0].All(char.IsAsciiDigit)
            && parts.Skip(1).All(static part => part.Length is >= 2 and <= 16 && part.All(char.IsAsciiLetterLower));
    }

    private static string CleanCode(string text) =>
        string.Join('-', text.ToLowerInvariant().Split(['-', ' ', '\t', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));

    private static ContactText ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            var root = document.RootElement;
            var type = Property(root, "type");
            if (type is not (null or "contact"))
                return Bad(type switch
                {
                    "transfer" => "This QR code asks for a payment. It is no contact.",
                    "creation" or "destruction" => "This QR code belongs to a bank's exchange of EuroTokens. It is no contact.",
                    "presentation" => "This QR code shows an attestation. It is no contact.",
                    _ => "This QR code is for something else than a contact.",
                });
            if (Property(root, "public_key") is not { } key) return Bad("This QR code names no public_key, so it is no contact.");
            return ReadKey(key.Trim(), Property(root, "name"));
        }
        // A lone surrogate escape is found only when the text is taken out.
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return Bad("This begins like the QR code of a contact, but a part is missing or damaged. Scan it again.");
        }
    }

    private static string? Property(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ContactText ReadKey(string digits, string? name)
    {
        if (digits.Length != KeyDigits) return Bad($"A public key has {KeyDigits} hex digits; this one has {digits.Length}. Copy it again, whole.");
        if (!PublicKey.TryParseHex(digits, out var key)) return Bad("This is no public key of this network: it does not begin with \"LibNaCLPK:\" (4c69624e…) or has a letter that is no hex digit.");
        return key.IsSound() ? new(ContactTextKind.Key, key, ContactNames.Tame(name), "", "") : Bad(ContactRefusal.ForgedKey.Explain());
    }

    private static ContactText Bad(string problem) => new(ContactTextKind.Nothing, null, null, "", problem);
}
