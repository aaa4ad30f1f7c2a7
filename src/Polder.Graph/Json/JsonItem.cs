namespace Polder.Graph.Json;

/// <summary>What a JSON item is.</summary>
internal enum JsonKind : byte
{
    Null, True, False, Number, Text, Array, Object,
    /// <summary>A word that is no JSON, such as <c>-Infinity</c>, which gun.js relays write; poisons only the message that holds it.</summary>
    Bare,
}

/// <summary>One item of a parsed JSON text. Member order is kept, since signatures may cover it.</summary>
internal sealed class JsonItem
{
    private static readonly List<KeyValuePair<string, JsonItem>> NoMembers = [];
    private static readonly List<JsonItem> NoItems = [];

    public static readonly JsonItem Null = new(JsonKind.Null), True = new(JsonKind.True), False = new(JsonKind.False);

    private JsonItem(JsonKind kind) => Kind = kind;
    public JsonItem(double number) => (Kind, Number) = (JsonKind.Number, number);
    public JsonItem(string text) => (Kind, Text) = (JsonKind.Text, text);
    public JsonItem(List<JsonItem> items) => (Kind, Items) = (JsonKind.Array, items);
    public JsonItem(List<KeyValuePair<string, JsonItem>> members) => (Kind, Members) = (JsonKind.Object, members);

    public JsonKind Kind { get; }
    public double Number { get; }
    public string Text { get; } = "";
    public List<JsonItem> Items { get; } = NoItems;

    /// <summary>Members as they came; of two with one name the later counts, as in JavaScript.</summary>
    public List<KeyValuePair<string, JsonItem>> Members { get; } = NoMembers;

    public static JsonItem Bare(string word) => new(JsonKind.Bare, word);
    private JsonItem(JsonKind kind, string text) => (Kind, Text) = (kind, text);

    /// <summary>The text, or null for anything else.</summary>
    public string? AsText => Kind == JsonKind.Text ? Text : null;

    /// <summary>What JavaScript's "if" takes for true.</summary>
    public bool IsTruthy => Kind switch
    {
        JsonKind.Null or JsonKind.False or JsonKind.Bare => false,
        JsonKind.Number => Number != 0,
        JsonKind.Text => Text.Length > 0,
        _ => true,
    };

    /// <summary>The member of that name, or null.</summary>
    public JsonItem? this[string name]
    {
        get
        {
            for (var i = Members.Count - 1; i >= 0; i--)
                if (string.Equals(Members[i].Key, name, StringComparison.Ordinal)) return Members[i].Value;
            return null;
        }
    }

    public static JsonItem Object(params ReadOnlySpan<(string Name, JsonItem Value)> members)
    {
        var list = new List<KeyValuePair<string, JsonItem>>(members.Length);
        foreach (var (name, value) in members) list.Add(new(name, value));
        return new JsonItem(list);
    }

    /// <summary>Whether a bare word stands anywhere in it.</summary>
    public bool HasBareWord()
    {
        switch (Kind)
        {
            case JsonKind.Bare: return true;
            case JsonKind.Array:
                foreach (var item in Items) if (item.HasBareWord()) return true;
                return false;
            case JsonKind.Object:
                foreach (var member in Members) if (member.Value.HasBareWord()) return true;
                return false;
            default: return false;
        }
    }
}
