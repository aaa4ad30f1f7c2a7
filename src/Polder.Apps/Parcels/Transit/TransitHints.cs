using System.Globalization;
using System.Text.Json;

namespace Polder.Apps.Parcels.Transit;

/// <summary>An address where the other side, or its relay, can be reached by TCP.</summary>
/// <param name="Host">A name or address.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Priority">Among relays, higher ones are tried first.</param>
public readonly record struct TransitHint(string Host, int Port, double Priority = 0)
{
    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>Reads "tcp:HOST:PORT", with ":priority=F" behind it or not, and plain "HOST:PORT"; null for anything else.</summary>
    public static TransitHint? Parse(string text)
    {
        var priority = 0.0;
        if (text.StartsWith("tcp:", StringComparison.Ordinal))
        {
            text = text[4..];
            const string Word = ":priority=";
            if (text.IndexOf(Word, StringComparison.Ordinal) is var at and >= 0)
            {
                if (!double.TryParse(text.AsSpan(at + Word.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out priority)) return null;
                text = text[..at];
            }
        }
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || text.LastIndexOf(':') != colon) return null;
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? new TransitHint(text[..colon], port, priority) : null;
    }
}

/// <summary>Where a side says that it can be reached: the value of "transit" in the dialogue.</summary>
/// <param name="Direct">Its own addresses.</param>
/// <param name="Relays">Relays that it will be at.</param>
public sealed record TransitHints(IReadOnlyList<TransitHint> Direct, IReadOnlyList<TransitHint> Relays)
{
    /// <summary>Hints that we read of another; the rest is dropped.</summary>
    public const int Max = 16;

    /// <summary>None at all.</summary>
    public static TransitHints None { get; } = new([], []);

    /// <summary>Reads the value of "transit". What is strange in it is left out and spoils nothing else.</summary>
    public static TransitHints Read(JsonElement transit)
    {
        var (direct, relays) = (new List<TransitHint>(), new List<TransitHint>());
        if (!JsonText.TryGet(transit, "hints-v1", out var hints) || hints.ValueKind != JsonValueKind.Array) return None;
        foreach (var hint in hints.EnumerateArray())
        {
            if (direct.Count + relays.Count >= Max) break;
            if (ReadDirect(hint) is { } here) direct.Add(here);
            else if (JsonText.Of(hint, "type") == "relay-v1" && JsonText.TryGet(hint, "hints", out var inner) && inner.ValueKind == JsonValueKind.Array)
                relays.AddRange(inner.EnumerateArray().Take(Max).Select(ReadDirect).OfType<TransitHint>().Take(Max - direct.Count - relays.Count));
        }
        return new TransitHints(direct, [.. relays.OrderByDescending(relay => relay.Priority)]);
    }

    /// <summary>One direct hint; null for every other type and for one without a usable name or port.</summary>
    internal static TransitHint? ReadDirect(JsonElement hint)
    {
        if (JsonText.Of(hint, "type") != "direct-tcp-v1" || JsonText.Of(hint, "hostname") is not { Length: > 0 and <= 255 } host) return null;
        if (!JsonText.TryGet(hint, "port", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out var port) || port is < 1 or > 65535) return null;
        var priority = JsonText.TryGet(hint, "priority", out var weight) && weight.ValueKind == JsonValueKind.Number && weight.TryGetDouble(out var value) && double.IsFinite(value) ? value : 0;
        return new TransitHint(host, port, priority);
    }

    /// <summary>The dialogue's message {"transit": …}.</summary>
    public byte[] Write() => JsonText.Object(writer =>
    {
        writer.WriteStartObject("transit");
        writer.WriteStartArray("abilities-v1");
        foreach (var ability in (string[])["direct-tcp-v1", "relay-v1"])
        {
            writer.WriteStartObject();
            writer.WriteString("type", ability);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("hints-v1");
        foreach (var hint in Direct) Write(writer, hint);
        foreach (var relay in Relays)
        {
            writer.WriteStartObject();
            writer.WriteString("type", "relay-v1");
            writer.WriteStartArray("hints");
            Write(writer, relay);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, TransitHint hint)
    {
        writer.WriteStartObject();
        writer.WriteString("type", "direct-tcp-v1");
        writer.WriteNumber("priority", hint.Priority);
        writer.WriteString("hostname", hint.Host);
        writer.WriteNumber("port", hint.Port);
        writer.WriteEndObject();
    }
}
