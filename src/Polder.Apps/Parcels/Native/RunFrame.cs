using System.Buffers;
using System.Text.Json;

namespace Polder.Apps.Parcels.Native;

/// <summary>A message of a run over a stream: the same three things as in a mailbox.</summary>
/// <remarks><code>
/// length (4, big-endian), then so many bytes, at most 65,536, of JSON: {"side":"6f1c…","phase":"pake","body":"HEX"}
/// </code></remarks>
/// <param name="Side">Who wrote it: 10 hexadecimal digits.</param>
/// <param name="Phase">"pake", "version", "0", "1", …; "again" and "proof" when both meet again.</param>
/// <param name="Body">What it says; from "version" on encrypted.</param>
internal sealed record RunFrame(string Side, string Phase, byte[] Body)
{
    /// <summary>Bytes of the JSON at most.</summary>
    public const int BytesMax = 64 * 1024;

    private const int NameMax = 64;

    /// <summary>The JSON, without its length.</summary>
    public byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("side", Side);
            writer.WriteString("phase", Phase);
            writer.WriteString("body", Convert.ToHexStringLower(Body));
            writer.WriteEndObject();
        }
        return buffer.WrittenCount <= BytesMax ? buffer.WrittenSpan.ToArray() : throw new InvalidOperationException($"A message of a run has at most {BytesMax} bytes.");
    }

    /// <summary>Reads the JSON; null for anything else. Unknown keys are ignored.</summary>
    public static RunFrame? TryRead(ReadOnlySpan<byte> json)
    {
        if (json.Length is 0 or > BytesMax) return null;
        string? side = null, phase = null;
        byte[]? body = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isSide, isPhase, isBody) = (reader.ValueTextEquals("side"u8), reader.ValueTextEquals("phase"u8), reader.ValueTextEquals("body"u8));
                if (!reader.Read()) return null;
                if (!(isSide || isPhase || isBody))
                {
                    reader.Skip();
                    continue;
                }
                if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped) return null;
                if (isBody) body = Convert.FromHexString(reader.ValueSpan.IndexOfAnyExceptInRange((byte)'0', (byte)'f') < 0 ? System.Text.Encoding.ASCII.GetString(reader.ValueSpan) : "x");
                else if (reader.ValueSpan.Length > NameMax) return null;
                else if (isSide) side = reader.GetString();
                else phase = reader.GetString();
            }
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read()) return null;
        }
        catch (Exception problem) when (problem is JsonException or FormatException or InvalidOperationException) { return null; }
        return side is null || phase is null || body is null ? null : new RunFrame(side, phase, body);
    }
}
