using System.Text.Json;
using Polder.Graph.Json;
using Polder.Graph.Model;
using Polder.Graph.Sea;

namespace Polder.Tests.Graph;

/// <summary>The golden vectors of tests/vectors/gun.</summary>
internal static class GunVectors
{
    private static readonly string Folder = Find();

    public static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, file + ".json")));
        return document.RootElement.Clone();
    }

    public static SeaPair Pair(string name)
    {
        var key = Read("sea-keys").GetProperty("keys").GetProperty(name);
        return new SeaPair(key.Text("pub"), key.Text("priv"), key.Text("epub"), key.Text("epriv"));
    }

    public static string Text(this JsonElement item, string name) => Raw(item.GetProperty(name));

    /// <summary>A text with its lone surrogates, which System.Text.Json refuses to hand out.</summary>
    public static string Raw(JsonElement text) => JsonParser.TryParse(text.GetRawText(), out var item) ? item.Text : throw new InvalidDataException(text.GetRawText());

    public static JsonItem Item(JsonElement item) => JsonParser.TryParse(item.GetRawText(), out var parsed) ? parsed : throw new InvalidDataException(item.GetRawText());

    public static JsonItem Item(string json) => JsonParser.TryParse(json, out var parsed) ? parsed : throw new InvalidDataException(json);

    public static bool TryItem(string json, out JsonItem item) => JsonParser.TryParse(json, out item);

    public static GraphValue Value(JsonElement value) => GraphValue.TryFrom(Item(value), out var read) ? read : throw new InvalidDataException(value.GetRawText());

    public static GraphEntry? Entry(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Null ? null : new GraphEntry(entry.GetProperty("state").GetDouble(), Value(entry.GetProperty("value")));

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "tests", "vectors", "gun"))) return Path.Combine(folder.FullName, "tests", "vectors", "gun");
        return Environment.GetEnvironmentVariable("POLDER_GUN_VECTORS") ?? throw new DirectoryNotFoundException("tests/vectors/gun");
    }
}
