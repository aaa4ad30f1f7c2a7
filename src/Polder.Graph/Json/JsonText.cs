using System.Text;
using Polder.Graph.Model;

namespace Polder.Graph.Json;

/// <summary>
/// Writes JSON exactly as <c>JSON.stringify</c> does: what ties compare, hashes count and signatures cover. Two flavours: members as
/// they came (browsers) and members sorted by text (gun.js relays).
/// </summary>
internal static class JsonText
{
    private const string Hex = "0123456789abcdef";

    /// <summary>The text of an item.</summary>
    public static string Of(JsonItem item, bool sorted = false)
    {
        var text = new StringBuilder();
        Write(text, item, sorted);
        return text.ToString();
    }

    public static void Write(StringBuilder text, JsonItem item, bool sorted)
    {
        switch (item.Kind)
        {
            case JsonKind.True: text.Append("true"); break;
            case JsonKind.False: text.Append("false"); break;
            case JsonKind.Number: Number(text, item.Number); break;
            case JsonKind.Text: Quote(text, item.Text); break;
            case JsonKind.Array: WriteArray(text, item, sorted); break;
            case JsonKind.Object: WriteObject(text, item, sorted); break;
            default: text.Append("null"); break;
        }
    }

    public static void Number(StringBuilder text, double number)
    {
        Span<char> digits = stackalloc char[NumberText.CharactersMax];
        text.Append(digits[..NumberText.Write(number, digits)]);
    }

    /// <summary>A text in quotes; controls and lone surrogates escaped, everything else raw.</summary>
    public static void Quote(StringBuilder text, ReadOnlySpan<char> value)
    {
        text.Append('"');
        while (value.Length > 0)
        {
            var plain = PlainLength(value);
            if (plain > 0) text.Append(value[..plain]);
            if (plain == value.Length) break;
            Escape(text, value[plain]);
            value = value[(plain + 1)..];
        }
        text.Append('"');
    }

    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2);
        Quote(text, value);
        return text.ToString();
    }

    private static int PlainLength(ReadOnlySpan<char> value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c is '"' or '\\' or < ' ') return i;
            if (!char.IsSurrogate(c)) continue;
            if (!char.IsHighSurrogate(c) || i + 1 >= value.Length || !char.IsLowSurrogate(value[i + 1])) return i;
            i++;
        }
        return value.Length;
    }

    private static void Escape(StringBuilder text, char c)
    {
        switch (c)
        {
            case '"': text.Append("\\\""); break;
            case '\\': text.Append("\\\\"); break;
            case '\b': text.Append("\\b"); break;
            case '\f': text.Append("\\f"); break;
            case '\n': text.Append("\\n"); break;
            case '\r': text.Append("\\r"); break;
            case '\t': text.Append("\\t"); break;
            default: text.Append("\\u").Append(Hex[c >> 12]).Append(Hex[(c >> 8) & 15]).Append(Hex[(c >> 4) & 15]).Append(Hex[c & 15]); break;
        }
    }

    private static void WriteArray(StringBuilder text, JsonItem item, bool sorted)
    {
        text.Append('[');
        for (var i = 0; i < item.Items.Count; i++)
        {
            if (i > 0) text.Append(',');
            Write(text, item.Items[i], sorted);
        }
        text.Append(']');
    }

    private static void WriteObject(StringBuilder text, JsonItem item, bool sorted)
    {
        text.Append('{');
        var first = true;
        foreach (var (name, value) in Ordered(item, sorted))
        {
            if (!first) text.Append(',');
            first = false;
            Quote(text, name);
            text.Append(':');
            Write(text, value, sorted);
        }
        text.Append('}');
    }

    /// <summary>
    /// Members as JavaScript lists them: of a name given twice the first place and the last value; integer-like names first, by
    /// number; or all by text.
    /// </summary>
    public static List<KeyValuePair<string, JsonItem>> Ordered(JsonItem item, bool sorted)
    {
        var members = item.Members;
        if (members.Count < 2) return members;
        var places = new Dictionary<string, int>(members.Count, StringComparer.Ordinal);
        var list = new List<KeyValuePair<string, JsonItem>>(members.Count);
        foreach (var member in members)
        {
            if (places.TryGetValue(member.Key, out var place)) list[place] = member;
            else
            {
                places.Add(member.Key, list.Count);
                list.Add(member);
            }
        }
        if (sorted) list.Sort(static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        else if (list.Exists(static member => IndexOf(member.Key) >= 0))
            list = [.. list.Where(static member => IndexOf(member.Key) >= 0).OrderBy(static member => IndexOf(member.Key)), .. list.Where(static member => IndexOf(member.Key) < 0)];
        return list;
    }

    /// <summary>The number that an integer-like name stands for, −1 for other names.</summary>
    private static long IndexOf(string name) =>
        name.Length is > 0 and <= 10 && (name == "0" || name[0] is >= '1' and <= '9') && long.TryParse(name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && number < uint.MaxValue ? number : -1;
}
