using Polder.Graph.Model;

namespace Polder.Graph.Store;

/// <summary>
/// Where a graph is kept. Used on the loop only: reads are synchronous and see everything written before, writes are queued and
/// committed in groups, and <see cref="FlushAsync"/> is the promise that what was written before it survives a crash.
/// It keeps what it is told; which write wins is decided before.
/// </summary>
public interface IGraphStore
{
    /// <summary>The entry of one key, or null.</summary>
    GraphEntry? Find(string soul, string key);

    /// <summary>Keeps the entry of one key in place of what was there. A place that was the owner's stays it, whoever writes there.</summary>
    void Write(in GraphWrite write, GraphRank rank = GraphRank.Own);

    /// <summary>Forgets one key wholly; for data that has expired.</summary>
    void Remove(string soul, string key);

    /// <summary>
    /// Walks the keys of a node in text order (code units), from <paramref name="from"/> on, or backwards from its last key, until
    /// <paramref name="take"/> says false.
    /// </summary>
    void Walk(string soul, string from, bool backwards, Func<string, GraphEntry, bool> take);

    /// <summary>Walks the souls in text order, from <paramref name="from"/> on, or backwards from the last, until <paramref name="take"/> says false.</summary>
    void WalkSouls(string from, bool backwards, Func<string, bool> take);

    /// <summary>How many keys the node has.</summary>
    int CountKeys(string soul);

    /// <summary>Keeps an older write of a key as history; of each key the latest <see cref="HistoryMax"/>.</summary>
    void Archive(in GraphWrite write);

    /// <summary>Older writes of a key, the latest first, as far as they have been flushed.</summary>
    IReadOnlyList<GraphEntry> History(string soul, string key);

    /// <summary>Older writes that are kept of one key.</summary>
    const int HistoryMax = 100;

    /// <summary>Keeps a write from the future until its time comes.</summary>
    void Hold(in GraphWrite write);

    /// <summary>Forgets a held write.</summary>
    void Release(in GraphWrite write);

    /// <summary>All writes that are held.</summary>
    IReadOnlyList<GraphWrite> Held();

    /// <summary>Notes that a peer touched a soul, so that it is asked for it when it comes back.</summary>
    void Touch(string peer, string soul);

    /// <summary>Souls that a peer touched, the latest first, at most <paramref name="count"/>.</summary>
    IReadOnlyList<string> Touched(string peer, int count);

    /// <summary>Bytes in store, roughly.</summary>
    long Bytes { get; }

    /// <summary>Characters that others' entries weigh, roughly.</summary>
    long GuestBytes { get; }

    /// <summary>Others' entries that would go first: of the lowest rank, the oldest.</summary>
    IReadOnlyList<(string Soul, string Key, double State, GraphRank Rank)> Evictable(int count);

    /// <summary>Completes, on the loop, when everything written before is durable; fails where it cannot be.</summary>
    Task FlushAsync();
}
