namespace Polder.Node.Storage;

/// <summary>
/// The one writer. Takes what has gathered, writes it in one transaction, and says that it is safe: while one group is
/// flushed to the disk, the next gathers.
/// </summary>
internal sealed class StorageThread : IDisposable
{
    /// <summary>
    /// Without anybody waiting for them, so many writes are gathered at most before they are written. Small enough that who
    /// waits for the last of a bulk load does not wait long; large enough that the flush is shared by many.
    /// </summary>
    private const int GatherDefault = 1024;
    private const int WaitingDefault = 60_000;
    private const int StackBytes = 256 * 1024;
    private const int CacheKibibytes = 16 * 1024;
    /// <summary>Many blocks of many chains touch a page each, twice: the fewer commits, the fewer times a page is written.</summary>
    private const int BulkGather = 131_072, BulkWaiting = 2 * BulkGather, BulkCacheKibibytes = 512 * 1024;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly string _path;
    private readonly byte[] _owner;
    private readonly bool _isBulk;
    private readonly Thread _thread;
    private StoreBatch _open = new() { Serial = 1 };
    private StoreBatch? _writing;
    private bool _stopping;
    private bool _cacheIsFull;
    private Database? _database;
    private WriteStatements? _statements;
    private volatile StorageException? _failure;
    private long _safeTo, _usedBytes;

    /// <param name="path">The database.</param>
    /// <param name="owner">Whose it is; empty where nobody's.</param>
    /// <param name="isBulk">Made for millions of blocks one after the other: more memory, fewer commits.</param>
    public StorageThread(string path, byte[] owner, bool isBulk)
    {
        (_path, _owner, _isBulk) = (path, owner, isBulk);
        _thread = new Thread(Work, StackBytes) { IsBackground = true, Name = "polder storage" };
        _thread.Start();
    }

    /// <summary>Why nothing can be written at present; null normally.</summary>
    public StorageException? Failure => _failure;

    /// <summary>Transactions committed.</summary>
    public long Commits { get; private set; }

    /// <summary>Everything up to the batch with this number is on the disk.</summary>
    public long SafeTo => Volatile.Read(ref _safeTo);

    /// <summary>What is added now is in the batch with this number at the latest.</summary>
    public long OpenSerial
    {
        get { lock (_gate) return _open.Serial + 1; }
    }

    /// <summary>Bytes of the database that are in use, as of the last commit; 0 before the first.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    private int GatherMax => _isBulk ? BulkGather : GatherDefault;
    /// <summary>More than this waits for the disk: then whoever adds waits too.</summary>
    private int WaitingMax => _isBulk ? BulkWaiting : WaitingDefault;

    /// <summary>For tests: runs before a commit and may throw what a disk would.</summary>
    internal Action<Database>? BeforeCommit { get; set; }

    /// <summary>For tests: segments of the index of hashes of this size.</summary>
    internal int HashSegmentSize { get; set; } = HashIndex.SegmentBlocks;

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
            if (wasEmpty || _open.Writes >= GatherMax) Monitor.PulseAll(_gate);
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
    public void Dispose()
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
        while (true)
        {
            if (_cacheIsFull && IsIdle())
            {
                // A bulk load fills the cache; an idle node gives it back.
                _database?.Execute("PRAGMA shrink_memory");
                _cacheIsFull = false;
            }
            if (Take() is not { } batch) break;
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
                Volatile.Write(ref _safeTo, batch.Serial);
                safe = batch.Safe;
                Monitor.PulseAll(_gate);
            }
            safe?.TrySetResult();
        }
        CloseDatabase();
    }

    private bool IsIdle()
    {
        lock (_gate)
        {
            var until = Environment.TickCount64 + (long)IdleAfter.TotalMilliseconds;
            while (_open.IsEmpty && !_stopping && until - Environment.TickCount64 is > 0 and var left) Monitor.Wait(_gate, (int)left);
            return _open.IsEmpty && !_stopping;
        }
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
            (_writing, _open) = (_open, new StoreBatch { Serial = _open.Serial + 1 });
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
            _database = Database.Open(_path, cacheKibibytes: _isBulk ? BulkCacheKibibytes : CacheKibibytes);
            // A page that changes in every commit of a bulk load need not reach its place after each.
            _database.Execute(_isBulk ? "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 65536; PRAGMA journal_size_limit = 33554432"
                : "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432");
            _statements = new WriteStatements(_database, _owner);
        }
        try
        {
            _database.Execute("BEGIN IMMEDIATE");
            _statements!.Hashes.SegmentSize = HashSegmentSize;
            _statements.Write(batch);
            BeforeCommit?.Invoke(_database);
            _database.Execute("COMMIT");
        }
        catch
        {
            _database.TryRollBack();
            throw;
        }
        Commits++;
        Volatile.Write(ref _usedBytes, UsedBytesOf(_database));
        _cacheIsFull |= batch.Writes >= GatherMax;
    }

    /// <summary>What a database takes of its file; pages that are free for use again are not counted.</summary>
    public static long UsedBytesOf(Database database) =>
        (database.Number("PRAGMA page_count") - database.Number("PRAGMA freelist_count")) * database.Number("PRAGMA page_size");

    private void CloseDatabase()
    {
        _statements?.Dispose();
        _database?.Dispose();
        (_database, _statements) = (null, null);
    }
}
