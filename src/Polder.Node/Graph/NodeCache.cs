using Polder.Graph.Model;

namespace Polder.Node.Graph;

/// <summary>
/// Whole small nodes that were looked at lately, with what is not committed yet: a message writes several keys of one node, and applications
/// write the same nodes again, or new ones; either way one look into the file serves many. Two generations, bounded by what they weigh.
/// </summary>
internal sealed class NodeCache
{
    /// <summary>Keys of a node that is kept whole; larger ones are looked up key by key.</summary>
    public const int KeysMax = 64;

    private const int WeightMax = 2 * 1024 * 1024, NodeWeight = 100;

    private Dictionary<string, Dictionary<string, GraphEntry>?> _young = new(StringComparer.Ordinal), _old = new(StringComparer.Ordinal);
    private int _weight;

    /// <summary>Whether the node is known; null for one that is too large.</summary>
    public bool TryGet(string soul, out Dictionary<string, GraphEntry>? node)
    {
        if (_young.TryGetValue(soul, out node)) return true;
        if (!_old.Remove(soul, out node)) return false;
        Add(soul, node);
        return true;
    }

    /// <summary>Keeps a node as it was read, or null where it is too large.</summary>
    public void Add(string soul, Dictionary<string, GraphEntry>? node)
    {
        _young[soul] = node;
        _weight += NodeWeight + soul.Length;
        if (node is not null)
            foreach (var (key, entry) in node) _weight += NodeWeight + key.Length + entry.Value.Weight;
        if (_weight < WeightMax) return;
        (_old, _young, _weight) = (_young, _old, 0);
        _young.Clear();
    }

    /// <summary>A key of the node changes; null when it goes.</summary>
    public void Note(string soul, string key, GraphEntry? entry)
    {
        if (!TryGet(soul, out var node) || node is null) return;
        if (entry is not { } now) node.Remove(key);
        else
        {
            node[key] = now;
            _weight += NodeWeight + now.Value.Weight;
            if (node.Count > KeysMax) Add(soul, null);
        }
    }
}
