using Polder.Cryptography;

namespace Polder.Node.Storage;

/// <summary>
/// The one writer. Takes what has gathered, writes it in one transaction, and says that it is safe: while one group is
/// flushed to the disk, the next gathers.
/// </summary>
internal sealed class StorageThread
{
    /// <summary>Without anybody waiting for them, so many writes are gathered at most before they are written.</summary>
    private const int GatherMax = 4000;
    /// <summary>More than this waits for the disk: then whoever adds waits too.</summary>
    private const int WaitingMax = 60_000;
    private const int StackBytes = 256 * 1024;
    private const int CacheKibibytes = 16 * 1024;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly string _path;
    private readonly Thread _thread;
    private StoreBatch _open = new();
    private StoreBatch? _writing;
    private bool _stopping;
    private Database? _database;
    private WriteStatements? _statements;
    private volatile StorageException? _failure;

    public StorageThread(string path)
    {
        _path = path;
        _thread = new Thread(Work, StackBytes) { IsBackground = true, Name = "polder storage" };
        _thread.Start();
    }

    /// <summary>Why nothing can be written at present; null normally.</summary>
    public StorageException? Failure => _failure;

    /// <summary>Transactions committed.</summary>
    public long Commits { get; private set; }

    /// <summary>For tests: runs before a commit and may throw what a disk would.</summary>
    internal Action<Database>? BeforeCommit { get; set; }

    /// <summary>What is not on the disk yet, older first. Read by the loop only; blocks may be on the disk by the time they are looked at.</summary>
    public (StoreBatch? Writing, StoreBatch Open) Pending
    {
        get { lock (_gate) return (_writing, _open); }
    }

    /// <summary>Adds to the open batch.</summary>
    public void Write<T>(T state, Action<StoreBatch, T> add)
    {
        lock (_gate)
        {
            while (_open.Writes >= WaitingMax && _failure is null && !_stopping) Monitor.Wait(_gate);
            var wasEmpty = _open.IsEmpty;
            add(_open, state);
            if (wasEmpty || _open.Writes == GatherMax) Monitor.PulseAll(_gate);
        }
    }

    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (_failure is { } failure) return Task.FromException(failure);
            if (_stopping && (!_open.IsEmpty || _writing is not null) && !_thread.IsAlive)
                return Task.FromException(new StorageException(0, "The node has stopped."));
            if (_open.IsEmpty) return _writing is { } writing ? WaitFor(writing) : Task.CompletedTask;
            var task = WaitFor(_open);
            Monitor.PulseAll(_gate);
            return task;
        }
    }

    /// <summary>Writes what is left and closes. Blocks until done.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
    }

    private static Task WaitFor(StoreBatch batch) =>
        (batch.Safe ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Work()
    {
        while (Take() is { } batch)
        {
            while (true)
            {
                try
                {
                    Commit(batch);
                    break;
                }
                catch (StorageException problem)
                {
                    if (!Failed(batch, problem)) return;
                }
            }
            TaskCompletionSource? safe;
            lock (_gate)
            {
                _failure = null;
                _writing = null;
                safe = batch.Safe;
                Monitor.PulseAll(_gate);
            }
            safe?.TrySetResult();
        }
        CloseDatabase();
    }

    private StoreBatch? Take()
    {
        lock (_gate)
        {
            while (_open.IsEmpty && !_stopping) Monitor.Wait(_gate);
            if (_open.IsEmpty) return null;
            var deadline = Environment.TickCount64 + (long)GatherFor.TotalMilliseconds;
            while (_open.Safe is null && _open.Writes < GatherMax && !_stopping)
            {
                var left = deadline - Environment.TickCount64;
                if (left <= 0) break;
                Monitor.Wait(_gate, (int)left);
            }
            (_writing, _open) = (_open, new StoreBatch());
            Monitor.PulseAll(_gate);
            return _writing;
        }
    }

    // False: the node stops, so there is no further try. What could not be written was never promised.
    private bool Failed(StoreBatch batch, StorageException problem)
    {
        // After a failed write or flush the state of the file is unknown: the connection is thrown away, and the next one
        // reads the log anew. Never "try again and assume".
        CloseDatabase();
        TaskCompletionSource? now, next;
        lock (_gate)
        {
            _failure = problem;
            (now, batch.Safe) = (batch.Safe, null);
            (next, _open.Safe) = (_open.Safe, null);
            Monitor.PulseAll(_gate);
        }
        now?.TrySetException(problem);
        next?.TrySetException(problem);
        lock (_gate)
        {
            var until = Environment.TickCount64 + (long)RetryAfter.TotalMilliseconds;
            while (!_stopping && until - Environment.TickCount64 is > 0 and var left) Monitor.Wait(_gate, (int)left);
            return !_stopping && !problem.IsDamage;
        }
    }

    private void Commit(StoreBatch batch)
    {
        if (_database is null)
        {
            _database = Database.Open(_path, cacheKibibytes: CacheKibibytes);
            _database.Execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432");
            _statements = new WriteStatements(_database);
        }
        try
        {
            _database.Execute("BEGIN IMMEDIATE");
            _statements!.Write(batch);
            BeforeCommit?.Invoke(_database);
            _database.Execute("COMMIT");
        }
        catch
        {
            _database.TryRollBack();
            throw;
        }
        Commits++;
        // A bulk load fills the cache; an idle node gives it back.
        if (batch.Writes >= GatherMax) _database.Execute("PRAGMA shrink_memory");
    }

    private void CloseDatabase()
    {
        _database?.Dispose();
        (_database, _statements) = (null, null);
    }

    private sealed class WriteStatements(Database database)
    {
        private readonly Statement _peer = database.Prepare("INSERT INTO peers (id, key) VALUES (?, ?)");
        private readonly Statement _block = database.Prepare(
            "INSERT INTO blocks (peer, sequence, link_peer, link_sequence, hash_head, packed) VALUES (?, ?, ?, ?, ?, ?)");
        private readonly Statement _fraud = database.Prepare("INSERT INTO frauds (kind, first, second) VALUES (?, ?, ?)");
        private readonly Statement _refusal = database.Prepare("INSERT OR IGNORE INTO refusals (hash) VALUES (?)");
        private readonly Statement _fact = database.Prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
        private readonly Statement _noFact = database.Prepare("DELETE FROM facts WHERE name = ?");

        public void Write(StoreBatch batch)
        {
            foreach (var (number, key) in batch.Peers) _peer.Bind(1, number).Bind(2, key).Run();
            foreach (var (block, peer, linkPeer) in batch.Blocks)
                _block.Bind(1, peer).Bind(2, block.Sequence).Bind(3, linkPeer).Bind(4, block.LinkSequence)
                    .Bind(5, unchecked((long)block.Hash.Head)).Bind(6, block.Packed.Span).Run();
            foreach (var fraud in batch.Frauds)
                _fraud.Bind(1, (int)fraud.Kind).Bind(2, fraud.First.Packed.Span).Bind(3, fraud.Second.Packed.Span).Run();
            Span<byte> hash = stackalloc byte[Hash256.Bytes];
            foreach (var refusal in batch.Refusals)
            {
                refusal.CopyTo(hash);
                _refusal.Bind(1, hash).Run();
            }
            foreach (var (name, value) in batch.Facts)
            {
                if (value is null) _noFact.Bind(1, name).Run();
                else _fact.Bind(1, name).Bind(2, value).Run();
            }
        }
    }
}
