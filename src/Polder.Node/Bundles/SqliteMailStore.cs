using Polder.Apps.Bundles.Stores;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Node.Bundles;

/// <summary>
/// The mail-bag's store in a database of its own, "mail.db". One thread writes: what gathered while it flushed goes with the next commit, all or none of
/// it. Everything else is called on the loop.
/// </summary>
/// <remarks><code>
/// things(shelf INTEGER, name BLOB, value BLOB)   shelves but the sealed letters; primary key shelf, name; without rowid
/// boxes(name BLOB, value BLOB)                   sealed letters; unique name
/// </code></remarks>
internal sealed class SqliteMailStore : IMailStore, IDisposable
{
    private const int VersionNow = 1;

    private readonly object _gate = new();
    private readonly string _path;
    private readonly NodeLoop _loop;
    private readonly Database _reader;
    private readonly Statement _readThing, _readBox;
    private readonly Dictionary<(MailShelf Shelf, string Name), (long Version, byte[]? Value)> _pending = [];
    private readonly Thread _thread;
    private List<Change> _queued = [];
    private List<TaskCompletionSource> _waiting = [];
    private bool _wanted, _stopping;
    private long _version;

    private readonly record struct Change(MailShelf Shelf, byte[] Name, byte[]? Value, long Version);

    private SqliteMailStore(string path, NodeLoop loop)
    {
        (_path, _loop) = (path, loop);
        using (var database = OpenWriter(path)) CheckAndCreate(database, path);
        _reader = Database.Open(path, readOnly: true);
        _readThing = _reader.Prepare("SELECT value FROM things WHERE shelf = ? AND name = ?");
        _readBox = _reader.Prepare("SELECT value FROM boxes WHERE name = ?");
        _thread = new Thread(Work, 256 * 1024) { IsBackground = true, Name = "polder mail" };
        _thread.Start();
    }

    /// <summary>Where a damaged database was put; null normally.</summary>
    public string? SetAside { get; private init; }

    /// <summary>For tests: runs before a commit and may throw what a disk would.</summary>
    internal Action? BeforeCommit { get; set; }

    /// <summary>Opens or creates it. A damaged one is put aside, so that the node starts; what it held is lost to this node, not to those who carry it.</summary>
    /// <exception cref="IOException">It cannot be opened, or is of a newer program.</exception>
    public static SqliteMailStore Open(string path, NodeLoop loop, DateTimeOffset now)
    {
        try
        {
            var store = new SqliteMailStore(path, loop);
            // A page that cannot be read shows itself here, where nothing depends on it yet.
            try { _ = store.Load().Count(); }
            catch
            {
                store.Dispose();
                throw;
            }
            return store;
        }
        catch (StorageException problem) when (problem.IsDamage)
        {
            var aside = $"{path}.damaged-{now.UtcDateTime:yyyyMMdd-HHmmss}";
            File.Move(path, aside, overwrite: true);
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
            return new SqliteMailStore(path, loop) { SetAside = aside };
        }
    }

    /// <inheritdoc/>
    public IEnumerable<MailThing> Load()
    {
        using var all = _reader.PrepareOnce("SELECT shelf, name, value FROM things ORDER BY shelf, name");
        while (all.Step()) yield return new MailThing((MailShelf)all.Number(0), all.Blob(1).ToArray(), all.Blob(2).ToArray());
    }

    /// <inheritdoc/>
    public byte[]? Read(MailShelf shelf, ReadOnlySpan<byte> key)
    {
        if (_pending.Count > 0 && _pending.TryGetValue((shelf, Convert.ToHexString(key)), out var pending)) return pending.Value;
        var statement = shelf == MailShelf.Sealed ? _readBox.Bind(1, key) : _readThing.Bind(1, (long)shelf).Bind(2, key);
        if (!statement.Step()) return null;
        var value = statement.Blob(0).ToArray();
        statement.Reset();
        return value;
    }

    /// <inheritdoc/>
    public void Put(MailShelf shelf, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value) => Queue(shelf, key, value.ToArray());

    /// <inheritdoc/>
    public void Remove(MailShelf shelf, ReadOnlySpan<byte> key) => Queue(shelf, key, null);

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        // Without a change since the last flush that succeeded there is nothing to wait for.
        if (_pending.Count == 0) return Task.CompletedTask;
        var done = new TaskCompletionSource();
        lock (_gate)
        {
            if (_stopping && !_thread.IsAlive) return Task.FromException(new IOException("The node has stopped."));
            _waiting.Add(done);
            _wanted = true;
            Monitor.PulseAll(_gate);
        }
        return done.Task;
    }

    /// <summary>Writes what is left and stops the writer. Blocks until done; whoever waits for a flush goes on on the loop.</summary>
    public void StopWriting()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        if (_thread.IsAlive) _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopWriting();
        _reader.Dispose();
    }

    private void Queue(MailShelf shelf, ReadOnlySpan<byte> key, byte[]? value)
    {
        var version = ++_version;
        _pending[(shelf, Convert.ToHexString(key))] = (version, value);
        lock (_gate) _queued.Add(new Change(shelf, key.ToArray(), value, version));
    }

    private void Work()
    {
        Writer? writer = null;
        while (Take() is var (changes, waiting))
        {
            IOException? failure = null;
            try
            {
                writer ??= new Writer(_path);
                writer.Write(changes, BeforeCommit);
            }
            catch (IOException problem)
            {
                // After a failed write or flush the state of the file is unknown: the next try opens it anew.
                failure = problem;
                writer?.Dispose();
                writer = null;
                lock (_gate) _queued.InsertRange(0, changes);
            }
            _loop.Post(() => Told(changes, waiting, failure));
            lock (_gate)
                if (_stopping && (failure is not null || _queued.Count == 0)) break;
        }
        writer?.Dispose();
    }

    private void Told(List<Change> changes, List<TaskCompletionSource> waiting, IOException? failure)
    {
        if (failure is null)
            foreach (var change in changes)
                if (_pending.TryGetValue((change.Shelf, Convert.ToHexString(change.Name)), out var pending) && pending.Version == change.Version)
                    _pending.Remove((change.Shelf, Convert.ToHexString(change.Name)));
        foreach (var done in waiting)
            if (failure is null) done.TrySetResult();
            else done.TrySetException(failure);
    }

    private (List<Change> Changes, List<TaskCompletionSource> Waiting)? Take()
    {
        lock (_gate)
        {
            while (!_wanted && !_stopping) Monitor.Wait(_gate);
            if (!_wanted && _queued.Count == 0) return null;
            var taken = (_queued, _waiting);
            (_queued, _waiting, _wanted) = ([], [], false);
            return taken;
        }
    }

    private static Database OpenWriter(string path)
    {
        if (!File.Exists(path)) Folders.DurableFile.Create(path);
        var database = Database.Open(path);
        database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 33554432");
        return database;
    }

    private static void CheckAndCreate(Database database, string path)
    {
        var version = database.Number("PRAGMA user_version");
        if (version > VersionNow) throw new IOException($"{path} was written by a newer Polder. Update the program, or use another folder: --data DIR.");
        database.Execute($"""
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS things(shelf INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY(shelf, name)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS boxes(name BLOB NOT NULL UNIQUE, value BLOB NOT NULL);
            PRAGMA user_version = {VersionNow};
            COMMIT
            """);
    }

    /// <summary>The connection that writes, with its statements.</summary>
    private sealed class Writer : IDisposable
    {
        private readonly Database _database;
        private readonly Statement _putThing, _dropThing, _putBox, _dropBox;

        public Writer(string path)
        {
            _database = OpenWriter(path);
            try
            {
                _putThing = _database.Prepare("INSERT INTO things(shelf, name, value) VALUES(?, ?, ?) ON CONFLICT(shelf, name) DO UPDATE SET value = excluded.value");
                _dropThing = _database.Prepare("DELETE FROM things WHERE shelf = ? AND name = ?");
                _putBox = _database.Prepare("INSERT INTO boxes(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value");
                _dropBox = _database.Prepare("DELETE FROM boxes WHERE name = ?");
            }
            catch
            {
                _database.Dispose();
                throw;
            }
        }

        public void Write(List<Change> changes, Action? beforeCommit)
        {
            try
            {
                _database.Execute("BEGIN IMMEDIATE");
                foreach (var (shelf, name, value, _) in changes)
                    if (shelf == MailShelf.Sealed)
                    {
                        if (value is null) _dropBox.Bind(1, name).Run();
                        else _putBox.Bind(1, name).Bind(2, value).Run();
                    }
                    else if (value is null) _dropThing.Bind(1, (long)shelf).Bind(2, name).Run();
                    else _putThing.Bind(1, (long)shelf).Bind(2, name).Bind(3, value).Run();
                beforeCommit?.Invoke();
                _database.Execute("COMMIT");
            }
            catch
            {
                _database.TryRollBack();
                throw;
            }
        }

        public void Dispose() => _database.Dispose();
    }
}
