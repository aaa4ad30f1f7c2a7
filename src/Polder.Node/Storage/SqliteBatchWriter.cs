namespace Polder.Node.Storage;

/// <summary>Writes batches into a SQLite file: write-ahead log, flushed to the disk with every commit.</summary>
/// <param name="path">The database.</param>
/// <param name="owner">Whose it is; empty where nobody's.</param>
/// <param name="isBulk">Made for millions of blocks one after the other: more memory, fewer commits.</param>
internal sealed class SqliteBatchWriter(string path, byte[] owner, bool isBulk) : IBatchWriter
{
    /// <summary>
    /// Gathered at most: small enough that who waits for the last of a bulk load does not wait long; large enough that the
    /// flush is shared by many.
    /// </summary>
    private const int GatherDefault = 1024;
    private const int WaitingDefault = 60_000;
    private const int CacheKibibytes = 16 * 1024;
    /// <summary>Many blocks of many chains touch a page each, twice: the fewer commits, the fewer times a page is written.</summary>
    private const int BulkGather = 131_072, BulkWaiting = 2 * BulkGather, BulkCacheKibibytes = 512 * 1024;

    private Database? _database;
    private WriteStatements? _statements;
    private long _usedBytes;

    /// <summary>Transactions committed.</summary>
    public long Commits { get; private set; }

    /// <summary>Bytes of the database that are in use, as of the last commit; 0 before the first.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <inheritdoc/>
    public bool WantsRest { get; private set; }

    /// <summary>For tests: runs before a commit and may throw what a disk would.</summary>
    internal Action<Database>? BeforeCommit { get; set; }

    /// <summary>For tests: segments of the index of hashes of this size.</summary>
    internal int HashSegmentSize { get; set; } = HashIndex.SegmentBlocks;

    private int GatherMax => isBulk ? BulkGather : GatherDefault;

    /// <summary>A queue into this file.</summary>
    public WriteQueue Start() => new(this, GatherMax, isBulk ? BulkWaiting : WaitingDefault, "polder storage");

    /// <summary>What a database takes of its file; pages that are free for use again are not counted.</summary>
    public static long UsedBytesOf(Database database) =>
        (database.Number("PRAGMA page_count") - database.Number("PRAGMA freelist_count")) * database.Number("PRAGMA page_size");

    /// <inheritdoc/>
    public void Commit(StoreBatch batch)
    {
        if (_database is null)
        {
            _database = Database.Open(path, cacheKibibytes: isBulk ? BulkCacheKibibytes : CacheKibibytes);
            // A page that changes in every commit of a bulk load need not reach its place after each.
            _database.Execute(isBulk ? "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 65536; PRAGMA journal_size_limit = 33554432"
                : "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432");
            _statements = new WriteStatements(_database, owner);
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
        WantsRest |= batch.Writes >= GatherMax;
    }

    /// <inheritdoc/>
    public void Committed() { }

    /// <inheritdoc/>
    public void Rest()
    {
        // A bulk load fills the cache; an idle node gives it back.
        _database?.Execute("PRAGMA shrink_memory");
        WantsRest = false;
    }

    /// <inheritdoc/>
    public void Close()
    {
        _statements?.Dispose();
        _database?.Dispose();
        (_database, _statements) = (null, null);
    }

    /// <inheritdoc/>
    public void Dispose() => Close();
}
