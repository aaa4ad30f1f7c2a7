using System.Text;
using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Wire;

/// <summary>Writes the <c>put</c> of a message as gun.js relays do, everything sorted by text, so that its hash is theirs.</summary>
internal sealed class PutText
{
    private readonly SortedDictionary<string, List<KeyValuePair<string, GraphEntry>>> _nodes = new(StringComparer.Ordinal);

    /// <summary>Characters that it will have, roughly.</summary>
    public int Weight { get; private set; }

    public bool IsEmpty => _nodes.Count == 0;

    /// <summary>Adds one key of a node. Keys of one node come in any order.</summary>
    public void Add(string soul, string key, in GraphEntry entry)
    {
        if (!_nodes.TryGetValue(soul, out var node)) _nodes.Add(soul, node = []);
        node.Add(new(key, entry));
        Weight += 2 * key.Length + entry.Value.Weight + 24;
    }

    /// <summary>The text, and its hash.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Weight + 64);
        text.Append('{');
        var firstNode = true;
        foreach (var (soul, node) in _nodes)
        {
            if (!firstNode) text.Append(',');
            firstNode = false;
            WriteNode(text, soul, node);
        }
        return text.Append('}').ToString();
    }

    private static void WriteNode(StringBuilder text, string soul, List<KeyValuePair<string, GraphEntry>> node)
    {
        node.Sort(static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        JsonText.Quote(text, soul);
        text.Append(":{");
        var (first, metaWritten) = (true, false);
        foreach (var (key, entry) in node)
        {
            if (!metaWritten && string.CompareOrdinal(key, "_") > 0)
            {
                WriteMeta(text, soul, node, ref first);
                metaWritten = true;
            }
            if (!first) text.Append(',');
            first = false;
            JsonText.Quote(text, key);
            text.Append(':');
            entry.Value.WriteTo(text);
        }
        if (!metaWritten) WriteMeta(text, soul, node, ref first);
        text.Append('}');
    }

    private static void WriteMeta(StringBuilder text, string soul, List<KeyValuePair<string, GraphEntry>> node, ref bool first)
    {
        if (!first) text.Append(',');
        first = false;
        text.Append("\"_\":{\"#\":");
        JsonText.Quote(text, soul);
        text.Append(",\">\":{");
        for (var i = 0; i < node.Count; i++)
        {
            if (i > 0) text.Append(',');
            JsonText.Quote(text, node[i].Key);
            text.Append(':');
            JsonText.Number(text, node[i].Value.State);
        }
        text.Append("}}");
    }
}
