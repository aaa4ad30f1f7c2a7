using System.Text.Json;
using Polder.Identity;
using Polder.Net;
using Polder.Tests.Architecture;

namespace Polder.Tests.Overlay;

/// <summary>The golden data that the overlay shares with others.</summary>
internal static class Vectors
{
    public static JsonElement Community { get; } = Load("ipv8", "ipv8_community.json");
    public static JsonElement Dht { get; } = Load("ipv8", "ipv8_dht.json");
    public static JsonElement Discovery { get; } = Load("ipv8", "ipv8_discovery.json");
    public static JsonElement Keys { get; } = Load("ipv8", "ipv8_keys.json");
    public static JsonElement Serialization { get; } = Load("ipv8", "ipv8_serialization.json");
    public static JsonElement Kotlin { get; } = Load("kotlin", "kotlin_packets.json");

    public static byte[] Hex(JsonElement element) => Convert.FromHexString(element.GetString()!);

    public static byte[] Hex(this JsonElement element, string name) => Hex(element.GetProperty(name));

    public static JsonElement Named(this JsonElement list, string beginning)
    {
        foreach (var item in list.EnumerateArray())
            if (item.GetProperty("name").GetString()!.StartsWith(beginning, StringComparison.Ordinal)) return item;
        throw new KeyNotFoundException(beginning);
    }

    public static KeyPair Person(string name)
    {
        var people = Keys.EnumerateObject().First(property => property.Value.ValueKind == JsonValueKind.Array
            && property.Value.GetArrayLength() > 0 && property.Value[0].TryGetProperty("private_bin", out _)).Value;
        Assert.True(KeyPair.TryImport(people.Named(name).Hex("private_bin"), out var pair));
        return pair;
    }

    public static Endpoint Address(string text) => Endpoint.TryParse(text, out var endpoint) ? endpoint : throw new ArgumentException(text);

    private static JsonElement Load(string folder, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "vectors", folder, file)));
        return document.RootElement.Clone();
    }
}
