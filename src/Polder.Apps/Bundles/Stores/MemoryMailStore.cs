namespace Polder.Apps.Bundles.Stores;

/// <summary>
/// What survives a crash of a node whose mail store is in memory: everything that was flushed. Keep the platter, throw the
/// <see cref="MemoryMailStore"/> away, and open a new one on it: that is a crash and a restart.
/// </summary>
public sealed class MailPlatter
{
    internal SortedDictionary<(MailShelf Shelf, string Key), byte[]> Things { get; } = new(MailKeys.Comparer);

    /// <summary>Bytes of all things, keys included.</summary>
    public long Bytes => Things.Sum(static thing => (long)thing.Key.Key.Length / 2 + thing.Value.Length);
}

/// <summary>A mail store in memory, over a platter that may belong to a disk which fails.</summary>
public sealed class MemoryMailStore : IMailStore
{
    private readonly MailPlatter _platter;
    private readonly Func<int, Task<int>>? _commit;
    private readonly Dictionary<(MailShelf Shelf, string Key), byte[]?> _pending = [];
    private List<((MailShelf Shelf, string Key) Name, byte[]? Value)> _queued = [];
    private Task? _committing, _next;

    /// <summary>A store on this platter. <paramref name="commit"/> is asked before a flush of so many changes is called safe, and answers how many of them are: a torn flush keeps none.</summary>
    public MemoryMailStore(MailPlatter? platter = null, Func<int, Task<int>>? commit = null) => (_platter, _commit) = (platter ?? new MailPlatter(), commit);

    /// <inheritdoc/>
    public IEnumerable<MailThing> Load()
    {
        foreach (var ((shelf, key), value) in _platter.Things.ToArray())
            if (shelf != MailShelf.Sealed) yield return new MailThing(shelf, Convert.FromHexString(key), value);
    }

    /// <inheritdoc/>
    public byte[]? Read(MailShelf shelf, ReadOnlySpan<byte> key)
    {
        var name = (shelf, Convert.ToHexString(key));
        return _pending.TryGetValue(name, out var value) ? value : _platter.Things.GetValueOrDefault(name);
    }

    /// <inheritdoc/>
    public void Put(MailShelf shelf, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value) => Queue(shelf, key, value.ToArray());

    /// <inheritdoc/>
    public void Remove(MailShelf shelf, ReadOnlySpan<byte> key) => Queue(shelf, key, null);

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        if (_queued.Count == 0) return _committing ?? Task.CompletedTask;
        return _committing is null ? Start() : _next ??= StartNextAsync();
    }

    private void Queue(MailShelf shelf, ReadOnlySpan<byte> key, byte[]? value)
    {
        var name = (shelf, Convert.ToHexString(key));
        _pending[name] = value;
        _queued.Add((name, value));
    }

    private async Task StartNextAsync()
    {
        while (_committing is { } running)
        {
            try { await running; }
            // Whoever asked for that one is told; what it could not write is in the queue again, before ours.
            catch (IOException) { }
        }
        _next = null;
        if (_queued.Count > 0) await Start();
    }

    private Task Start()
    {
        var commit = CommitAsync();
        _committing = commit.IsCompleted ? null : commit;
        return commit;
    }

    private async Task CommitAsync()
    {
        var changes = _queued;
        _queued = [];
        try
        {
            // All or none, as a transaction: what was torn is not there.
            if (_commit is not null && await _commit(changes.Count) < changes.Count) throw new IOException("The disk kept only a part of what was written. It is tried again.");
            foreach (var (name, value) in changes)
            {
                if (value is null) _platter.Things.Remove(name);
                else _platter.Things[name] = value;
                if (_pending.TryGetValue(name, out var newest) && ReferenceEquals(newest, value)) _pending.Remove(name);
            }
        }
        catch (IOException)
        {
            _queued.InsertRange(0, changes);
            throw;
        }
        finally
        {
            _committing = null;
        }
    }
}

internal static class MailKeys
{
    public static IComparer<(MailShelf Shelf, string Key)> Comparer { get; } = Comparer<(MailShelf Shelf, string Key)>.Create(static (a, b) =>
        a.Shelf != b.Shelf ? a.Shelf.CompareTo(b.Shelf) : string.CompareOrdinal(a.Key, b.Key));
}
