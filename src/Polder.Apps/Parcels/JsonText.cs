using System.Text;
using System.Text.Json;

namespace Polder.Apps.Parcels;

/// <summary>Reads what others wrote as JSON without ever throwing.</summary>
internal static class JsonText
{
    /// <summary>The text of a string element; null for every other kind, and for one with half a surrogate pair in it.</summary>
    public static string? Of(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String) return null;
        try { return element.GetString(); }
        catch (InvalidOperationException) { return null; }
    }

    /// <summary>The text of a member; null when there is none, or it is no object.</summary>
    public static string? Of(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? Of(value) : null;

    /// <summary>A member; false when there is none, or it is no object.</summary>
    public static bool TryGet(JsonElement element, string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value);
    }

    /// <summary>A whole JSON text as an element of its own; null when it is none.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            return document.RootElement.Clone();
        }
        catch (JsonException) { return null; }
    }

    /// <summary>Writes a JSON object.</summary>
    public static byte[] Object(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>A JSON value as short text for a sentence.</summary>
    public static string Show(JsonElement element, int charactersMax = 200)
    {
        var text = Of(element) ?? element.GetRawText();
        return text.Length <= charactersMax ? text : string.Concat(text.AsSpan(0, charactersMax), "…");
    }

    /// <summary>UTF-8 bytes as text.</summary>
    public static string Utf8(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
