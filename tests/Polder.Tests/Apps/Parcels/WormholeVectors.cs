using System.Text.Json;
using Polder.Tests.Architecture;

namespace Polder.Tests.Apps.Parcels;

/// <summary>Reads tests/vectors/wormhole.</summary>
internal static class WormholeVectors
{
    public static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Repository.PathOf("tests", "vectors", "wormhole", file)));
        return document.RootElement.Clone();
    }

    public static byte[] Hex(this JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static IEnumerable<string> Conversations =>
        Directory.GetFiles(Repository.PathOf("tests", "vectors", "wormhole"), "conversation-*.json").Order(StringComparer.Ordinal).Select(file => Path.GetFileName(file));
}
