using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Polder.Ledger.Blocks;

/// <summary>What a <see cref="TransactionValue"/> is.</summary>
public enum TransactionKind
{
    /// <summary>Nothing ("n").</summary>
    Null,
    /// <summary>True or false ("T", "F").</summary>
    Boolean,
    /// <summary>An integer of any size ("i").</summary>
    Integer,
    /// <summary>A 64-bit integer as Kotlin's Long writes it ("J").</summary>
    Long,
    /// <summary>A number with a fraction, 8 bytes, as Python has it ("f").</summary>
    Float,
    /// <summary>A number with a fraction, 4 bytes, as Kotlin has it ("f").</summary>
    Single,
    /// <summary>Text ("s").</summary>
    Text,
    /// <summary>Bytes ("b").</summary>
    Bytes,
    /// <summary>A tuple of items ("t").</summary>
    Tuple,
    /// <summary>A list of items ("l").</summary>
    List,
    /// <summary>A set of items, in the order they came ("L").</summary>
    Set,
    /// <summary>Pairs of key and value, in the order they came ("d").</summary>
    Dictionary,
}

/// <summary>A value inside a transaction: what the two encodings of TrustChain can say. Immutable.</summary>
public sealed class TransactionValue : IEquatable<TransactionValue>
{
    private readonly object? _value;
    private readonly double _number;

    private TransactionValue(TransactionKind kind, object? value = null, double number = 0) => (Kind, _value, _number) = (kind, value, number);

    /// <summary>Nothing.</summary>
    public static TransactionValue Null { get; } = new(TransactionKind.Null);
    /// <summary>Yes.</summary>
    public static TransactionValue True { get; } = new(TransactionKind.Boolean, null, 1);
    /// <summary>No.</summary>
    public static TransactionValue False { get; } = new(TransactionKind.Boolean);

    /// <summary>An integer of any size.</summary>
    public static TransactionValue Integer(BigInteger value) => new(TransactionKind.Integer, value);
    /// <summary>A 64-bit integer in Kotlin's form.</summary>
    public static TransactionValue Long(long value) => new(TransactionKind.Long, (BigInteger)value);
    /// <summary>A double.</summary>
    public static TransactionValue Float(double value) => new(TransactionKind.Float, null, value);
    /// <summary>A single, in Kotlin's form.</summary>
    public static TransactionValue Single(float value) => new(TransactionKind.Single, null, value);
    /// <summary>Text.</summary>
    public static TransactionValue Text(string value) => new(TransactionKind.Text, value);
    /// <summary>Bytes; copied.</summary>
    public static TransactionValue Bytes(ReadOnlySpan<byte> value) => new(TransactionKind.Bytes, value.ToArray());
    /// <summary>A tuple, list or set.</summary>
    public static TransactionValue Sequence(TransactionKind kind, IReadOnlyList<TransactionValue> items) =>
        kind is TransactionKind.Tuple or TransactionKind.List or TransactionKind.Set
            ? new(kind, items) : throw new ArgumentException("A sequence is a tuple, a list or a set.", nameof(kind));
    /// <summary>Pairs, in this order.</summary>
    public static TransactionValue Dictionary(IReadOnlyList<KeyValuePair<TransactionValue, TransactionValue>> pairs) =>
        new(TransactionKind.Dictionary, pairs);
    /// <summary>Pairs with text keys, in this order.</summary>
    public static TransactionValue Dictionary(params ReadOnlySpan<(string Key, TransactionValue Value)> pairs)
    {
        var list = new KeyValuePair<TransactionValue, TransactionValue>[pairs.Length];
        for (var i = 0; i < pairs.Length; i++) list[i] = new(Text(pairs[i].Key), pairs[i].Value);
        return Dictionary(list);
    }

    /// <summary>What it is.</summary>
    public TransactionKind Kind { get; }

    /// <summary>Whether it is <see cref="True"/>.</summary>
    public bool IsTrue => Kind == TransactionKind.Boolean && _number == 1;

    /// <summary>The integer of <see cref="TransactionKind.Integer"/> and <see cref="TransactionKind.Long"/>, or null.</summary>
    public BigInteger? AsInteger => _value is BigInteger value ? value : null;

    /// <summary>The integer when it lies in 0 to 2^63 − 1, or null.</summary>
    public long? AsUInt63 => _value is BigInteger value && value.Sign >= 0 && value <= long.MaxValue ? (long)value : null;

    /// <summary>The number of a float or single, or null.</summary>
    public double? AsNumber => Kind is TransactionKind.Float or TransactionKind.Single ? _number : null;

    /// <summary>The text, or null.</summary>
    public string? AsText => _value as string;

    /// <summary>The bytes; empty when it has none.</summary>
    public ReadOnlySpan<byte> AsBytes => _value as byte[];

    /// <summary>Items of a tuple, list or set; else empty.</summary>
    public IReadOnlyList<TransactionValue> Items => _value as IReadOnlyList<TransactionValue> ?? [];

    /// <summary>Pairs of a dictionary; else empty.</summary>
    public IReadOnlyList<KeyValuePair<TransactionValue, TransactionValue>> Pairs =>
        _value as IReadOnlyList<KeyValuePair<TransactionValue, TransactionValue>> ?? [];

    /// <summary>The value under a text key, or under the same key written as bytes, as old Tribler does; null when there is none.</summary>
    public TransactionValue? this[string key]
    {
        get
        {
            foreach (var (name, value) in Pairs)
            {
                if (name.AsText == key) return value;
                if (name.Kind == TransactionKind.Bytes && Encoding.UTF8.GetString(name.AsBytes) == key) return value;
            }
            return null;
        }
    }

    /// <summary>JSON for people: bytes as "0x…", keys as text, big numbers in full. Not for the wire.</summary>
    public string ToDisplayText()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteDisplay(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <inheritdoc/>
    public bool Equals(TransactionValue? other)
    {
        if (other is null || Kind != other.Kind) return false;
        return Kind switch
        {
            TransactionKind.Bytes => AsBytes.SequenceEqual(other.AsBytes),
            TransactionKind.Tuple or TransactionKind.List or TransactionKind.Set => Items.SequenceEqual(other.Items),
            TransactionKind.Dictionary => Pairs.SequenceEqual(other.Pairs),
            _ => _number.Equals(other._number) && Equals(_value, other._value),
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TransactionValue);

    /// <summary>Salted: for look-ups only.</summary>
    public override int GetHashCode() => Kind switch
    {
        TransactionKind.Bytes => Hash(AsBytes),
        TransactionKind.Tuple or TransactionKind.List or TransactionKind.Set or TransactionKind.Dictionary => HashCode.Combine(Kind, Items.Count, Pairs.Count),
        _ => HashCode.Combine(Kind, _number, _value),
    };

    /// <inheritdoc/>
    public override string ToString() => ToDisplayText();

    private static int Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    private void WriteDisplay(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case TransactionKind.Null: writer.WriteNullValue(); break;
            case TransactionKind.Boolean: writer.WriteBooleanValue(IsTrue); break;
            case TransactionKind.Integer or TransactionKind.Long: writer.WriteRawValue(AsInteger!.Value.ToString(CultureInfo.InvariantCulture)); break;
            case TransactionKind.Float or TransactionKind.Single when double.IsFinite(_number):
                writer.WriteRawValue(DecimalText.Python(_number, Kind == TransactionKind.Single));
                break;
            case TransactionKind.Float or TransactionKind.Single: writer.WriteStringValue(_number.ToString(CultureInfo.InvariantCulture)); break;
            case TransactionKind.Text or TransactionKind.Bytes: writer.WriteStringValue(DisplayName()); break;
            case TransactionKind.Dictionary:
                writer.WriteStartObject();
                foreach (var (key, value) in Pairs)
                {
                    writer.WritePropertyName(key.DisplayName());
                    value.WriteDisplay(writer);
                }
                writer.WriteEndObject();
                break;
            default:
                writer.WriteStartArray();
                foreach (var item in Items) item.WriteDisplay(writer);
                writer.WriteEndArray();
                break;
        }
    }

    private string DisplayName() => Kind switch
    {
        TransactionKind.Text => Readable(AsText!),
        TransactionKind.Bytes => "0x" + Convert.ToHexStringLower(AsBytes),
        _ => ToDisplayText(),
    };

    /// <summary>Half a surrogate pair cannot be written as UTF-8.</summary>
    private static string Readable(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
