using System.Security.Cryptography;
using System.Text;
using Polder.Graph.Json;

namespace Polder.Graph.Sea;

/// <summary>How SEA turns values into texts and back.</summary>
internal static class SeaText
{
    private const string Prefix = "SEA{";

    /// <summary>
    /// SEA's value parsing: a text that begins with <c>SEA{</c> loses three characters, then any text that is JSON becomes what it says.
    /// </summary>
    public static JsonItem Parse(string text)
    {
        if (text.StartsWith(Prefix, StringComparison.Ordinal)) text = text[(Prefix.Length - 1)..];
        return JsonParser.TryParse(text, out var item) ? item : new JsonItem(text);
    }

    /// <summary>The same for a value of any kind: only texts are looked into.</summary>
    public static JsonItem Parse(JsonItem value) => value.Kind == JsonKind.Text ? Parse(value.Text) : value;

    /// <summary>What is hashed or encrypted for a value: a text itself, JSON of anything else.</summary>
    public static string Plain(JsonItem value, bool sorted) => value.Kind == JsonKind.Text ? value.Text : JsonText.Of(value, sorted);

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Digest(string text) => SHA256.HashData(Utf8(text));

    /// <summary>Base64 of the standard alphabet, padding optional; null for anything else.</summary>
    public static byte[]? FromBase64(string text)
    {
        if (text.Length == 0) return [];
        var length = text.Length;
        while (length > 0 && text[length - 1] == '=') length--;
        if (length % 4 == 1 || text.AsSpan(0, length).ContainsAnyExcept(Alphabet)) return null;
        var padded = string.Concat(text.AsSpan(0, length), "===".AsSpan(0, (4 - length % 4) % 4));
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var written) ? bytes[..written] : null;
    }

    private static readonly System.Buffers.SearchValues<char> Alphabet =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /// <summary>Bytes written as characters U+0000 to U+00FF, as before 2019; null for anything else.</summary>
    public static byte[]? FromLatin1(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] > 0xFF) return null;
            bytes[i] = (byte)text[i];
        }
        return bytes;
    }
}
