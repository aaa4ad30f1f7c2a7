using Polder.Graph.Model;
using Polder.Graph.Store;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Node.Graph;

/// <summary>
/// A graph in a SQLite file. The loop reads by a connection of its own and sees what is not committed yet; one thread commits what has
/// gathered, group by group. What <see cref="FlushAsync"/> promised survives kill -9 and a power cut.
/// </summary>
internal sealed class SqliteGraphStore : IGraphStore, IDisposable
{
    private const int PageRows = 256, WaitingMax = 200_000;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50), RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly Comparer<string> Ordinal = Comparer<string>.Create(string.CompareOrdinal);

    private readonly object _gate = new();
    private readonly NodeLoop _loop;
    private readonly GraphDatabase _reader, _writer;
    private readonly Thread _thread;
    private readonly SortedDictionary<string, SortedDictionary<string, Pending>> _pending = new(Ordinal);
    private readonly NodeCache _cache = new();
    private readonly Dictionary<string, List<string>> _touching = new(StringComparer.Ordinal);
    private GraphBatch _open = new(1);
    private bool _wanted, _stopping, _isDisposed;
    private long _usedBytes, _guestBytes;

    private SqliteGraphStore(string path, NodeLoop loop)
    {
        _loop = loop;
        _writer = GraphDatabase.Open(path);
        _writer.Prune();
        _reader = GraphDatabase.Open(path);
        (_usedBytes, _guestBytes) = (_writer.UsedBytes, _writer.GuestBytes);
        _thread = new Thread(Work, 256 * 1024) { IsBackground = true, Name = "polder graph store" };
        _thread.Start();
    }

    /// <summary>Opens the file. A damaged one is set aside: what others hold of it comes back from them.</summary>
    public static SqliteGraphStore Open(string path, NodeLoop loop)
    {
        try { return new SqliteGraphStore(path, loop); }
        catch (StorageException problem) when (problem.IsDamage)
        {
            foreach (var suffix in (string[])["", "-wal", "-shm"])
                if (File.Exists(path + suffix)) File.Move(path + suffix, path + ".damaged" + suffix, overwrite: true);
            return new SqliteGraphStore(path, loop);
        }
        catch (StorageException problem) { throw new NodeStartException(problem.Message, problem); }
    }

    /// <inheritdoc/>
    public long Bytes => Volatile.Read(ref _usedBytes);

    /// <summary>Groups committed.</summary>
    public long Commits { get; private set; }

    /// <inheritdoc/>
    public GraphEntry? Find(string soul, string key)
    {
        if (Whole(soul) is { } whole) return whole.TryGetValue(key, out var entry) ? entry : null;
        return _pending.TryGetValue(soul, out var node) && node.TryGetValue(key, out var pending) ? pending.Entry : _reader.Find(soul, key);
    }

    /// <inheritdoc/>
    public void Write(in GraphWrite write, GraphRank rank = GraphRank.Own) => Expect(write.Soul, write.Key, write.Entry, Add(GraphStep.Write, write, rank));

    /// <inheritdoc/>
    public long GuestBytes => Volatile.Read(ref _guestBytes);

    /// <inheritdoc/>
    public IReadOnlyList<(string Soul, string Key, double State, GraphRank Rank)> Evictable(int count) => _reader.Evictable(count);

    /// <inheritdoc/>
    public void Remove(string soul, string key) => Expect(soul, key, null, Add(GraphStep.Remove, new GraphWrite(soul, key, 0, default)));

    /// <inheritdoc/>
    public void Archive(in GraphWrite write) => Add(GraphStep.Archive, write);

    /// <inheritdoc/>
    public IReadOnlyList<GraphEntry> History(string soul, string key) => _reader.History(soul, key);

    /// <inheritdoc/>
    public void Hold(in GraphWrite write) => Add(GraphStep.Hold, write);

    /// <inheritdoc/>
    public void Release(in GraphWrite write) => Add(GraphStep.Release, write);

    /// <inheritdoc/>
    public IReadOnlyList<GraphWrite> Held() => _reader.Held();

    /// <inheritdoc/>
    public int CountKeys(string soul) => Whole(soul) is { } whole ? whole.Count : _reader.Count(soul) + (_pending.TryGetValue(soul, out var node) ? node.Values.Count(static pending => pending.Entry is not null) : 0);

    /// <inheritdoc/>
    public void Touch(string peer, string soul)
    {
        if (!_touching.TryGetValue(peer, out var souls)) _touching.Add(peer, souls = []);
        souls.Add(soul);
        Add(GraphStep.Touch, new GraphWrite(soul, peer, 0, default));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Touched(string peer, int count) =>
        [.. (_touching.TryGetValue(peer, out var recent) ? recent.AsEnumerable().Reverse() : []).Concat(_reader.Touched(peer, count)).Distinct(StringComparer.Ordinal).Take(count)];

    /// <inheritdoc/>
    public void Walk(string soul, string from, bool backwards, Func<string, GraphEntry, bool> take)
    {
        var pending = _pending.TryGetValue(soul, out var node)
            ? new Queue<KeyValuePair<string, Pending>>((backwards ? node.Reverse() : node).Where(pair => string.CompareOrdinal(pair.Key, from) >= 0)) : new();
        var sign = backwards ? -1 : 1;
        var next = backwards ? null : from;
        while (true)
        {
            var page = _reader.Page(soul, next, backwards, PageRows);
            foreach (var (key, entry) in page)
            {
                if (backwards && string.CompareOrdinal(key, from) < 0)
                {
                    _ = TakeUntil(null);
                    return;
                }
                if (!TakeUntil(key)) return;
                if (node is not null && node.ContainsKey(key)) continue;
                if (!take(key, entry)) return;
            }
            if (page.Count < PageRows)
            {
                _ = TakeUntil(null);
                return;
            }
            // Backwards the page ends before this key; forwards the next begins right behind it.
            next = backwards ? page[^1].Key : page[^1].Key + '\0';
        }

        // What is pending up to this key, or all of it.
        bool TakeUntil(string? key)
        {
            while (pending.TryPeek(out var first) && (key is null || sign * string.CompareOrdinal(first.Key, key) <= 0))
            {
                pending.Dequeue();
                if (first.Value.Entry is { } entry && !take(first.Key, entry)) return false;
            }
            return true;
        }
    }

    /// <inheritdoc/>
    public void WalkSouls(string from, bool backwards, Func<string, bool> take)
    {
        var names = _pending.Where(static node => node.Value.Values.Any(static pending => pending.Entry is not null)).Select(static node => node.Key)
            .Where(soul => string.CompareOrdinal(soul, from) >= 0);
        var pending = new Queue<string>(backwards ? names.Reverse() : names);
        var sign = backwards ? -1 : 1;
        var next = backwards ? null : from;
        while (true)
        {
            var stored = _reader.Soul(next, backwards);
            if (stored is not null && string.CompareOrdinal(stored, from) < 0) stored = null;
            while (pending.TryPeek(out var first) && (stored is null || sign * string.CompareOrdinal(first, stored) <= 0))
            {
                pending.Dequeue();
                if (first != stored && !take(first)) return;
            }
            if (stored is null || !take(stored)) return;
            next = backwards ? stored : stored + '\0';
        }
    }

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (_isDisposed) return Task.FromException(new IOException("The node has stopped."));
            _wanted = true;
            Monitor.PulseAll(_gate);
            return (_open.Safe ??= new TaskCompletionSource()).Task;
        }
    }

    /// <summary>Commits what is left and ends the writing thread; reads go on until <see cref="Dispose"/>.</summary>
    public void StopWriting()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopWriting();
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }
        _writer.Dispose();
        _reader.Dispose();
    }

    private long Add(GraphStep step, in GraphWrite write, GraphRank rank = GraphRank.Own)
    {
        lock (_gate)
        {
            // The disk sets the pace of whoever does not wait for acknowledgements.
            while (_open.Operations.Count >= WaitingMax && !_stopping) Monitor.Wait(_gate);
            _open.Operations.Add(new GraphOperation(step, write, rank));
            if (_open.Operations.Count == 1) Monitor.PulseAll(_gate);
            return _open.Serial;
        }
    }

    private void Expect(string soul, string key, GraphEntry? entry, long serial)
    {
        if (!_pending.TryGetValue(soul, out var node)) _pending.Add(soul, node = new(Ordinal));
        node[key] = new Pending(entry, serial);
        _cache.Note(soul, key, entry);
    }

    /// <summary>A small node with all its keys, from the cache or into it; null for a large one.</summary>
    private Dictionary<string, GraphEntry>? Whole(string soul)
    {
        if (_cache.TryGet(soul, out var node)) return node;
        var page = _reader.Page(soul, "", backwards: false, NodeCache.KeysMax + 1);
        if (page.Count <= NodeCache.KeysMax)
        {
            node = new Dictionary<string, GraphEntry>(page.Count, StringComparer.Ordinal);
            foreach (var (key, entry) in page) node[key] = entry;
            if (_pending.TryGetValue(soul, out var pending))
                foreach (var (key, change) in pending)
                {
                    if (change.Entry is { } entry) node[key] = entry;
                    else node.Remove(key);
                }
        }
        _cache.Add(soul, node);
        return node;
    }

    private void Work()
    {
        while (true)
        {
            GraphBatch batch;
            lock (_gate)
            {
                while (_open.Operations.Count == 0 && !_wanted && !_stopping) Monitor.Wait(_gate);
                if (!_wanted && !_stopping) _ = Monitor.Wait(_gate, GatherFor);
                if (_stopping && _open.Operations.Count == 0 && _open.Safe is null) return;
                batch = _open;
                _open = new GraphBatch(batch.Serial + 1);
                _wanted = false;
                Monitor.PulseAll(_gate);
            }
            Commit(batch);
        }
    }

    private void Commit(GraphBatch batch)
    {
        while (true)
        {
            try
            {
                if (batch.Operations.Count > 0)
                {
                    _writer.Commit(batch);
                    Volatile.Write(ref _usedBytes, _writer.UsedBytes);
                    Volatile.Write(ref _guestBytes, _writer.GuestBytes);
                    Commits++;
                }
                var safe = batch.Safe;
                _loop.Post(() => Settled(batch, safe));
                return;
            }
            catch (StorageException problem)
            {
                // Who waits is told; the writes are tried again, so that they are not lost when the disk has room again.
                var safe = batch.Safe;
                batch.Safe = null;
                if (safe is not null) _loop.Post(() => safe.TrySetException(problem));
                lock (_gate)
                {
                    if (_stopping) return;
                    _ = Monitor.Wait(_gate, RetryAfter);
                }
            }
        }
    }

    private void Settled(GraphBatch batch, TaskCompletionSource? safe)
    {
        foreach (var (step, write, _) in batch.Operations)
        {
            if (step == GraphStep.Touch)
            {
                _touching.Remove(write.Key);
                continue;
            }
            if (step is not (GraphStep.Write or GraphStep.Remove) || !_pending.TryGetValue(write.Soul, out var node)) continue;
            if (!node.TryGetValue(write.Key, out var pending) || pending.Serial > batch.Serial) continue;
            node.Remove(write.Key);
            if (node.Count == 0) _pending.Remove(write.Soul);
        }
        safe?.TrySetResult();
    }

    private readonly record struct Pending(GraphEntry? Entry, long Serial);
}
