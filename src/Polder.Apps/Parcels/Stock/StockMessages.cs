using System.Text.Json;
using Polder.Apps.Parcels.Transit;

namespace Polder.Apps.Parcels.Stock;

/// <summary>What one message of the stock dialogue says. With several keys in one message all count; an error ends everything.</summary>
internal readonly record struct StockMessage
{
    /// <summary>The other side gives up, with these words.</summary>
    public string? Error { get; init; }
    /// <summary>Where it can be reached.</summary>
    public TransitHints? Transit { get; init; }
    /// <summary>What it offers.</summary>
    public JsonElement? Offer { get; init; }
    /// <summary>What it answers.</summary>
    public JsonElement? Answer { get; init; }

    /// <summary>Reads a message; null when it is no JSON object, which ends the transfer.</summary>
    public static StockMessage? Read(ReadOnlyMemory<byte> bytes)
    {
        if (JsonText.Parse(bytes) is not { ValueKind: JsonValueKind.Object } message) return null;
        try
        {
            return new StockMessage
            {
                Error = message.TryGetProperty("error", out var error) ? JsonText.Show(error) : null,
                Transit = message.TryGetProperty("transit", out var transit) ? TransitHints.Read(transit) : null,
                Offer = message.TryGetProperty("offer", out var offer) ? offer : null,
                Answer = message.TryGetProperty("answer", out var answer) ? answer : null,
            };
        }
        // A name of a member with half a surrogate pair in it.
        catch (InvalidOperationException) { return null; }
    }

    /// <summary>{"offer":{"message":text}}</summary>
    public static byte[] OfText(string text) => Offering(writer => writer.WriteString("message", text));

    /// <summary>{"offer":{"file":{…}}}</summary>
    public static byte[] OfFile(string name, long bytes) => Offering(writer =>
    {
        writer.WriteStartObject("file");
        writer.WriteString("filename", name);
        writer.WriteNumber("filesize", bytes);
        writer.WriteEndObject();
    });

    /// <summary>{"offer":{"directory":{…}}}; the mode is that of a zip, whether or not anything in it is compressed.</summary>
    public static byte[] OfFolder(string name, long zipBytes, long fileBytes, int files) => Offering(writer =>
    {
        writer.WriteStartObject("directory");
        writer.WriteString("mode", "zipfile/deflated");
        writer.WriteString("dirname", name);
        writer.WriteNumber("zipsize", zipBytes);
        writer.WriteNumber("numbytes", fileBytes);
        writer.WriteNumber("numfiles", files);
        writer.WriteEndObject();
    });

    /// <summary>{"answer":{"message_ack":"ok"}}</summary>
    public static byte[] MessageAck => Answering("message_ack");

    /// <summary>{"answer":{"file_ack":"ok"}}</summary>
    public static byte[] FileAck => Answering("file_ack");

    /// <summary>{"error":words}</summary>
    public static byte[] OfError(string words) => JsonText.Object(writer => writer.WriteString("error", words));

    /// <summary>The last record: {"ack":"ok","sha256":hex}</summary>
    public static byte[] Ack(string sha256) => JsonText.Object(writer =>
    {
        writer.WriteString("ack", "ok");
        writer.WriteString("sha256", sha256);
    });

    private static byte[] Offering(Action<Utf8JsonWriter> what) => JsonText.Object(writer =>
    {
        writer.WriteStartObject("offer");
        what(writer);
        writer.WriteEndObject();
    });

    private static byte[] Answering(string what) => JsonText.Object(writer =>
    {
        writer.WriteStartObject("answer");
        writer.WriteString(what, "ok");
        writer.WriteEndObject();
    });
}
