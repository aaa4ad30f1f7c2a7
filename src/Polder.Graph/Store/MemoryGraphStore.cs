using Polder.Graph.Model;

namespace Polder.Graph.Store;

/// <summary>A graph in memory: for tests, simulations, and nodes that keep nothing.</summary>
public sealed class MemoryGraphStore : IGraphStore
{
    private static readonly Comparer<string> Ordinal = Comparer<string>.Create(string.CompareOrdinal);

    private readonly SortedDictionary<string, SortedDictionary<string, GraphEntry>> _nodes = new(Ordinal);
    private readonly HashSet<GraphWrite> _held = [];
    private readonly Dictionary<(string Soul, string Key), List<GraphEntry>> _history = [];
    private readonly Dictionary<(string Soul, string Key), (GraphRank Rank, double State, int Weight)> _guests = [];
    private readonly Dictionary<string, List<string>> _touched = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public GraphEntry? Find(string soul, string key) =>
        _nodes.TryGetValue(soul, out var node) && node.TryGetValue(key, out var entry) ? entry : null;

    /// <inheritdoc/>
    public long GuestBytes { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Soul, string Key, double State, GraphRank Rank)> Evictable(int count) =>
        [.. _guests.OrderBy(static guest => guest.Value.Rank).ThenBy(static guest => guest.Value.State).ThenBy(static guest => guest.Key.Soul, Ordinal).ThenBy(static guest => guest.Key.Key, Ordinal).Take(count)
            .Select(static guest => (guest.Key.Soul, guest.Key.Key, guest.Value.State, guest.Value.Rank))];

    /// <inheritdoc/>
    public void Write(in GraphWrite write, GraphRank rank = GraphRank.Own)
    {
        var wasGuest = _guests.Remove((write.Soul, write.Key), out var guest);
        GuestBytes -= guest.Weight;
        if (rank != GraphRank.Own && (wasGuest || Find(write.Soul, write.Key) is null))
        {
            _guests[(write.Soul, write.Key)] = (rank, write.State, write.Weight);
            GuestBytes += write.Weight;
        }
        if (!_nodes.TryGetValue(write.Soul, out var node)) _nodes.Add(write.Soul, node = new(Ordinal));
        Bytes += write.Weight - (node.TryGetValue(write.Key, out var old) ? new GraphWrite(write.Soul, write.Key, 0, old.Value).Weight : 0);
        node[write.Key] = write.Entry;
    }

    /// <inheritdoc/>
    public void Remove(string soul, string key)
    {
        if (!_nodes.TryGetValue(soul, out var node) || !node.Remove(key, out var old)) return;
        Bytes -= new GraphWrite(soul, key, 0, old.Value).Weight;
        _guests.Remove((soul, key), out var guest);
        GuestBytes -= guest.Weight;
        if (node.Count == 0) _nodes.Remove(soul);
    }

    /// <inheritdoc/>
    public void Walk(string soul, string from, bool backwards, Func<string, GraphEntry, bool> take)
    {
        if (!_nodes.TryGetValue(soul, out var node)) return;
        // A copy: whoever takes may write.
        foreach (var (key, entry) in (backwards ? node.Reverse() : node).ToList())
        {
            if (string.CompareOrdinal(key, from) < 0)
            {
                if (backwards) return;
                continue;
            }
            if (!take(key, entry)) return;
        }
    }

    /// <inheritdoc/>
    public void WalkSouls(string from, bool backwards, Func<string, bool> take)
    {
        foreach (var soul in (backwards ? _nodes.Keys.Reverse() : _nodes.Keys).ToList())
        {
            if (string.CompareOrdinal(soul, from) < 0)
            {
                if (backwards) return;
                continue;
            }
            if (!take(soul)) return;
        }
    }

    /// <inheritdoc/>
    public int CountKeys(string soul) => _nodes.TryGetValue(soul, out var node) ? node.Count : 0;

    /// <inheritdoc/>
    public void Archive(in GraphWrite write)
    {
        if (!_history.TryGetValue((write.Soul, write.Key), out var history)) _history.Add((write.Soul, write.Key), history = []);
        if (history.Contains(write.Entry)) return;
        history.Add(write.Entry);
        history.Sort(static (one, other) => other.State.CompareTo(one.State));
        if (history.Count > IGraphStore.HistoryMax) history.RemoveAt(IGraphStore.HistoryMax);
    }

    /// <inheritdoc/>
    public IReadOnlyList<GraphEntry> History(string soul, string key) => _history.TryGetValue((soul, key), out var history) ? [.. history] : [];

    /// <inheritdoc/>
    public void Hold(in GraphWrite write) => _held.Add(write);

    /// <inheritdoc/>
    public void Release(in GraphWrite write) => _held.Remove(write);

    /// <inheritdoc/>
    public IReadOnlyList<GraphWrite> Held() => [.. _held];

    /// <inheritdoc/>
    public void Touch(string peer, string soul)
    {
        if (!_touched.TryGetValue(peer, out var souls)) _touched.Add(peer, souls = []);
        souls.Remove(soul);
        souls.Add(soul);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Touched(string peer, int count) =>
        _touched.TryGetValue(peer, out var souls) ? [.. souls.AsEnumerable().Reverse().Take(count)] : [];

    /// <inheritdoc/>
    public Task FlushAsync() => Task.CompletedTask;
}
