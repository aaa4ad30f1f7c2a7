using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Polder.Ledger.Blocks;

/// <summary>The JSON profile of transactions (AnyDex, and full Polder nodes among themselves): one object, keys in insertion order, no spaces.</summary>
public static class TransactionJson
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Encodes a dictionary with text keys. Throws for what JSON cannot say: bytes, other keys, infinite numbers.</summary>
    public static byte[] Encode(TransactionValue value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Compact)) Write(writer, value);
        return stream.ToArray();
    }

    /// <summary>Decodes one JSON object. Refuses a key twice, nesting above <see cref="TransactionCodec.DepthMax"/>, numbers above <see cref="TransactionCodec.NumberBytesMax"/> characters. Never throws.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> data, [NotNullWhen(true)] out TransactionValue? value)
    {
        value = null;
        if (data is not [(byte)'{', ..] || !Utf8.IsValid(data)) return false;
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = TransactionCodec.DepthMax });
        try
        {
            if (reader.Read()) value = ReadValue(ref reader);
            if (value is not null && reader.Read()) value = null;
        }
        // The framework's reader tells of bad text only by throwing; signatures were checked before anybody gets here.
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            value = null;
        }
        return value is not null;
    }

    private static void Write(Utf8JsonWriter writer, TransactionValue value)
    {
        switch (value.Kind)
        {
            case TransactionKind.Null: writer.WriteNullValue(); break;
            case TransactionKind.Boolean: writer.WriteBooleanValue(value.IsTrue); break;
            case TransactionKind.Integer or TransactionKind.Long: writer.WriteRawValue(value.AsInteger!.Value.ToString(CultureInfo.InvariantCulture)); break;
            case TransactionKind.Float or TransactionKind.Single when double.IsFinite(value.AsNumber!.Value):
                writer.WriteRawValue(DecimalText.Python(value.AsNumber.Value, value.Kind == TransactionKind.Single));
                break;
            case TransactionKind.Text: writer.WriteStringValue(value.AsText); break;
            case TransactionKind.List or TransactionKind.Tuple:
                writer.WriteStartArray();
                foreach (var item in value.Items) Write(writer, item);
                writer.WriteEndArray();
                break;
            case TransactionKind.Dictionary:
                writer.WriteStartObject();
                foreach (var (key, item) in value.Pairs)
                {
                    writer.WritePropertyName(key.AsText ?? throw new ArgumentException("JSON has only text keys.", nameof(value)));
                    Write(writer, item);
                }
                writer.WriteEndObject();
                break;
            default: throw new ArgumentException($"JSON cannot say a {value.Kind}.", nameof(value));
        }
    }

    private static TransactionValue? ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null: return TransactionValue.Null;
            case JsonTokenType.True: return TransactionValue.True;
            case JsonTokenType.False: return TransactionValue.False;
            case JsonTokenType.String: return TransactionValue.Text(reader.GetString()!);
            case JsonTokenType.Number:
                if (reader.ValueSpan.Length > TransactionCodec.NumberBytesMax) return null;
                var text = Encoding.ASCII.GetString(reader.ValueSpan);
                return BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
                    ? TransactionValue.Integer(integer)
                    : TransactionValue.Float(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            case JsonTokenType.StartArray:
                var items = new List<TransactionValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (ReadValue(ref reader) is not { } item) return null;
                    items.Add(item);
                }
                return TransactionValue.Sequence(TransactionKind.List, items);
            case JsonTokenType.StartObject:
                var pairs = new List<KeyValuePair<TransactionValue, TransactionValue>>();
                var keys = new HashSet<string>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = reader.GetString()!;
                    if (!keys.Add(key) || !reader.Read() || ReadValue(ref reader) is not { } item) return null;
                    pairs.Add(new(TransactionValue.Text(key), item));
                }
                return TransactionValue.Dictionary(pairs);
            default: return null;
        }
    }
}
