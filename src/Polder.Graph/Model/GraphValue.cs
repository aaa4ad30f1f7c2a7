using System.Text;
using Polder.Graph.Json;

namespace Polder.Graph.Model;

/// <summary>What a value is.</summary>
public enum GraphValueKind : byte
{
    /// <summary>Nothing: this is how a key is deleted.</summary>
    Null,
    /// <summary>true or false.</summary>
    Boolean,
    /// <summary>A finite number.</summary>
    Number,
    /// <summary>A text of any length.</summary>
    Text,
    /// <summary>The soul of another node.</summary>
    Link,
}

/// <summary>A value of one key: null, a truth value, a finite number, a text, or a link to another soul (spec gun.md §1).</summary>
public readonly struct GraphValue : IEquatable<GraphValue>
{
    private readonly string? _text;
    private readonly double _number;

    private GraphValue(GraphValueKind kind, string? text, double number) => (Kind, _text, _number) = (kind, text, number);

    /// <summary>What it is.</summary>
    public GraphValueKind Kind { get; }

    /// <summary>Nothing; writing it deletes a key.</summary>
    public static GraphValue Null => default;

    /// <summary>A truth value.</summary>
    public static GraphValue Of(bool value) => new(GraphValueKind.Boolean, null, value ? 1 : 0);

    /// <summary>A finite number; others throw.</summary>
    public static GraphValue Of(double value) => double.IsFinite(value)
        ? new(GraphValueKind.Number, null, value) : throw new ArgumentOutOfRangeException(nameof(value), "Only finite numbers can be kept.");

    /// <summary>A text.</summary>
    public static GraphValue Of(string text) => new(GraphValueKind.Text, text ?? throw new ArgumentNullException(nameof(text)), 0);

    /// <summary>A link to another soul, which is not empty.</summary>
    public static GraphValue LinkTo(string soul)
    {
        ArgumentException.ThrowIfNullOrEmpty(soul);
        return new(GraphValueKind.Link, soul, 0);
    }

    /// <summary>A text as a value.</summary>
    public static implicit operator GraphValue(string text) => Of(text);

    /// <summary>A number as a value.</summary>
    public static implicit operator GraphValue(double number) => Of(number);

    /// <summary>A truth value as a value.</summary>
    public static implicit operator GraphValue(bool value) => Of(value);

    /// <summary>Whether it is nothing.</summary>
    public bool IsNull => Kind == GraphValueKind.Null;

    /// <summary>The text, or null where it is none.</summary>
    public string? AsText => Kind == GraphValueKind.Text ? _text : null;

    /// <summary>The soul it links to, or null where it is no link.</summary>
    public string? AsLink => Kind == GraphValueKind.Link ? _text : null;

    /// <summary>The number, or null where it is none.</summary>
    public double? AsNumber => Kind == GraphValueKind.Number ? _number : null;

    /// <summary>The truth value, or null where it is none.</summary>
    public bool? AsBoolean => Kind == GraphValueKind.Boolean ? _number != 0 : null;

    /// <summary>Characters that it takes, roughly: what quotas and read budgets count.</summary>
    public int Weight => _text?.Length ?? 9;

    /// <summary>As <c>JSON.stringify</c> writes it: what ties compare and hashes cover.</summary>
    public string ToJson()
    {
        var text = new StringBuilder();
        WriteTo(text);
        return text.ToString();
    }

    internal void WriteTo(StringBuilder text)
    {
        switch (Kind)
        {
            case GraphValueKind.Null: text.Append("null"); break;
            case GraphValueKind.Boolean: text.Append(_number != 0 ? "true" : "false"); break;
            case GraphValueKind.Number: JsonText.Number(text, _number); break;
            case GraphValueKind.Text: JsonText.Quote(text, _text!); break;
            default:
                text.Append("{\"#\":");
                JsonText.Quote(text, _text!);
                text.Append('}');
                break;
        }
    }

    /// <summary>Order of equal states: JSON texts by UTF-16 code unit. The greater one stays.</summary>
    internal static int CompareTie(in GraphValue one, in GraphValue other) =>
        one.Equals(other) ? 0 : string.CompareOrdinal(one.ToJson(), other.ToJson());

    /// <summary>The value that a JSON item stands for; false for what a key may not hold.</summary>
    internal static bool TryFrom(JsonItem item, out GraphValue value)
    {
        value = default;
        switch (item.Kind)
        {
            case JsonKind.Null: return true;
            case JsonKind.True: value = Of(true); return true;
            case JsonKind.False: value = Of(false); return true;
            case JsonKind.Number when double.IsFinite(item.Number): value = new(GraphValueKind.Number, null, item.Number); return true;
            case JsonKind.Text: value = Of(item.Text); return true;
            case JsonKind.Object when item.Members is [{ Key: "#", Value: { Kind: JsonKind.Text, Text.Length: > 0 } soul }]:
                value = LinkTo(soul.Text);
                return true;
            default: return false;
        }
    }

    /// <summary>The value whose JSON text this is; false for anything else.</summary>
    public static bool TryParse(string json, out GraphValue value)
    {
        value = default;
        return JsonParser.TryParse(json, out var item) && TryFrom(item, out value);
    }

    /// <inheritdoc/>
    public bool Equals(GraphValue other) => Kind == other.Kind && _number == other._number && string.Equals(_text, other._text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GraphValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, _number, _text);

    /// <summary>Whether both are the same value.</summary>
    public static bool operator ==(GraphValue one, GraphValue other) => one.Equals(other);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(GraphValue one, GraphValue other) => !one.Equals(other);

    /// <inheritdoc/>
    public override string ToString() => ToJson();
}
