namespace Polder.Graph.Sync;

/// <summary>
/// Remembers message ids and whom they came from, in two generations: between one and two <see cref="GraphOptions.IdMemory"/> long,
/// renewed by every sighting, and bounded in number.
/// </summary>
internal sealed class HeardMessages(GraphOptions options)
{
    private Dictionary<string, GraphPeer?> _young = new(StringComparer.Ordinal), _old = new(StringComparer.Ordinal);
    private TimeSpan _turned;

    public int Count => _young.Count + _old.Count;

    /// <summary>Notes an id; false where it is remembered already.</summary>
    public bool TryAdd(string id, GraphPeer? from, TimeSpan now)
    {
        Turn(now);
        if (_young.ContainsKey(id)) return false;
        if (_old.Remove(id, out var before))
        {
            _young[id] = before;
            return false;
        }
        _young[id] = from;
        return true;
    }

    /// <summary>The peer that said it first; null where it is forgotten or was ours.</summary>
    public GraphPeer? From(string id) => _young.TryGetValue(id, out var peer) || _old.TryGetValue(id, out peer) ? peer : null;

    private void Turn(TimeSpan now)
    {
        if (now - _turned < options.IdMemory && _young.Count < options.IdsMax / 2) return;
        if (now - _turned >= 2 * options.IdMemory) _young.Clear();
        (_old, _young) = (_young, _old);
        _young.Clear();
        _turned = now;
    }
}
