using Polder.Graph.Model;
using Polder.Graph.Store;
using Polder.Node.Storage;

namespace Polder.Node.Graph;

/// <summary>The graph's database file: its schema, and one connection's statements. For one thread at a time.</summary>
internal sealed class GraphDatabase : IDisposable
{
    private const int SchemaVersion = 3, CacheKibibytes = 8 * 1024;
    private const long TouchedSeconds = 30 * 24 * 3600;

    private readonly Database _database;
    private readonly Statement _write, _remove, _hold, _release, _touch;
    private readonly Statement _archive, _trim, _history, _guest, _leave, _evictable;
    private long _guestCount;
    private readonly Statement _find, _walk, _walkBack, _firstSoul, _lastSoul, _count, _touched;

    private GraphDatabase(Database database)
    {
        _database = database;
        _write = database.Prepare("INSERT INTO entry(soul, key, state, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(soul, key) DO UPDATE SET state = ?3, value = ?4");
        _remove = database.Prepare("DELETE FROM entry WHERE soul = ?1 AND key = ?2");
        _hold = database.Prepare("INSERT OR IGNORE INTO held(soul, key, state, value) VALUES (?1, ?2, ?3, ?4)");
        _release = database.Prepare("DELETE FROM held WHERE soul = ?1 AND key = ?2 AND state = ?3 AND value = ?4");
        _touch = database.Prepare("INSERT INTO touched(peer, soul, at) VALUES (?1, ?2, unixepoch()) ON CONFLICT(peer, soul) DO UPDATE SET at = unixepoch()");
        // Only what is new, or a guest already: a place of the owner's stays it.
        _guest = database.Prepare("""
            INSERT INTO guest(soul, key, rank, state, bytes) SELECT ?1, ?2, ?3, ?4, ?5
            WHERE NOT EXISTS (SELECT 1 FROM entry WHERE soul = ?1 AND key = ?2) OR ?6 RETURNING 1
            """);
        _archive = database.Prepare("INSERT OR IGNORE INTO history(soul, key, state, value) VALUES (?1, ?2, ?3, ?4)");
        _trim = database.Prepare($"DELETE FROM history WHERE soul = ?1 AND key = ?2 AND state <= (SELECT state FROM history WHERE soul = ?1 AND key = ?2 ORDER BY state DESC LIMIT 1 OFFSET {IGraphStore.HistoryMax})");
        _history = database.Prepare($"SELECT state, value FROM history WHERE soul = ?1 AND key = ?2 ORDER BY state DESC LIMIT {IGraphStore.HistoryMax}");
        _leave = database.Prepare("DELETE FROM guest WHERE soul = ?1 AND key = ?2 RETURNING bytes");
        _evictable = database.Prepare("SELECT soul, key, state, rank FROM guest ORDER BY rank, state LIMIT ?1");
        _find = database.Prepare("SELECT state, value FROM entry WHERE soul = ?1 AND key = ?2");
        _walk = database.Prepare("SELECT key, state, value FROM entry WHERE soul = ?1 AND key >= ?2 ORDER BY key LIMIT ?3");
        _walkBack = database.Prepare("SELECT key, state, value FROM entry WHERE soul = ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3");
        _firstSoul = database.Prepare("SELECT soul FROM entry WHERE soul >= ?1 ORDER BY soul LIMIT 1");
        _lastSoul = database.Prepare("SELECT soul FROM entry WHERE soul < ?1 ORDER BY soul DESC LIMIT 1");
        _count = database.Prepare("SELECT count(*) FROM entry WHERE soul = ?1");
        _touched = database.Prepare("SELECT soul FROM touched WHERE peer = ?1 ORDER BY at DESC LIMIT ?2");
    }

    /// <summary>Opens the file, and makes it where it is not there.</summary>
    public static GraphDatabase Open(string path)
    {
        var database = Database.Open(path, cacheKibibytes: CacheKibibytes);
        try
        {
            // Full: what is acknowledged survives a power cut, not only the end of the process.
            database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
            var version = database.Number("PRAGMA user_version");
            if (version > SchemaVersion) throw new NodeStartException($"{path} was written by a newer Polder (form {version}; this program knows {SchemaVersion}). Update the program.");
            if (version < 2)
                database.Execute("""
                    CREATE TABLE guest(soul BLOB NOT NULL, key BLOB NOT NULL, rank INTEGER NOT NULL, state INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(soul, key)) WITHOUT ROWID;
                    CREATE INDEX guest_age ON guest(rank, state);
                    """);
            if (version < 3)
                database.Execute("CREATE TABLE history(soul BLOB NOT NULL, key BLOB NOT NULL, state INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(soul, key, state, value)) WITHOUT ROWID");
            if (version is 1 or 2) database.Execute($"PRAGMA user_version = {SchemaVersion}");
            if (version == 0)
            {
                database.Execute($"""
                    BEGIN;
                    CREATE TABLE entry(soul BLOB NOT NULL, key BLOB NOT NULL, state INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(soul, key)) WITHOUT ROWID;
                    CREATE TABLE held(soul BLOB NOT NULL, key BLOB NOT NULL, state INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(soul, key, state, value)) WITHOUT ROWID;
                    CREATE TABLE touched(peer BLOB NOT NULL, soul BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(peer, soul)) WITHOUT ROWID;
                    PRAGMA user_version = {SchemaVersion};
                    COMMIT;
                    """);
            }
            var opened = new GraphDatabase(database);
            (opened._guestCount, opened.GuestBytes) = (database.Number("SELECT count(*) FROM guest"), database.Number("SELECT ifnull(sum(bytes), 0) FROM guest"));
            return opened;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>What others' entries weigh, as this connection has committed it.</summary>
    public long GuestBytes { get; private set; }

    public List<(string Soul, string Key, double State, GraphRank Rank)> Evictable(int count)
    {
        _evictable.Bind(1, count);
        var found = new List<(string, string, double, GraphRank)>();
        while (_evictable.Step()) found.Add((OrderedText.Decode(_evictable.Blob(0)), OrderedText.Decode(_evictable.Blob(1)), FromOrdered(_evictable.Number(2)), (GraphRank)_evictable.Number(3)));
        return found;
    }

    // Bits of a double that sort as the numbers do.
    private static long Ordered(double state) => BitConverter.DoubleToInt64Bits(state) is var bits && bits < 0 ? bits ^ long.MaxValue : bits;

    private static double FromOrdered(long ordered) => BitConverter.Int64BitsToDouble(ordered < 0 ? ordered ^ long.MaxValue : ordered);

    /// <summary>Bytes in use.</summary>
    public long UsedBytes => (_database.Number("PRAGMA page_count") - _database.Number("PRAGMA freelist_count")) * _database.Number("PRAGMA page_size");

    /// <summary>Forgets what peers touched long ago.</summary>
    public void Prune() => _database.Execute($"DELETE FROM touched WHERE at < unixepoch() - {TouchedSeconds}");

    /// <summary>Commits a batch; throws and leaves nothing of it where that fails.</summary>
    public void Commit(GraphBatch batch)
    {
        _database.Execute("BEGIN IMMEDIATE");
        var before = (_guestCount, GuestBytes);
        try
        {
            foreach (var operation in batch.Operations) Do(operation);
            _database.Execute("COMMIT");
        }
        catch
        {
            (_guestCount, GuestBytes) = before;
            _database.TryRollBack();
            throw;
        }
    }

    public GraphEntry? Find(string soul, string key)
    {
        _find.Bind(1, OrderedText.Encode(soul)).Bind(2, OrderedText.Encode(key));
        if (!_find.Step()) return null;
        var entry = Entry(_find, 0);
        _find.Reset();
        return entry;
    }

    /// <summary>A page of a node's keys in text order: from this one on, or backwards from before this one (null: from the last).</summary>
    public List<KeyValuePair<string, GraphEntry>> Page(string soul, string? from, bool backwards, int count)
    {
        var statement = backwards ? _walkBack : _walk;
        statement.Bind(1, OrderedText.Encode(soul)).Bind(2, from is null ? [0xFF] : OrderedText.Encode(from)).Bind(3, count);
        var page = new List<KeyValuePair<string, GraphEntry>>();
        while (statement.Step()) page.Add(new(OrderedText.Decode(statement.Blob(0)), Entry(statement, 1)));
        return page;
    }

    /// <summary>The first soul from this one on, or the last before it (null: of all).</summary>
    public string? Soul(string? from, bool backwards)
    {
        var statement = backwards ? _lastSoul : _firstSoul;
        statement.Bind(1, from is null ? [0xFF] : OrderedText.Encode(from));
        if (!statement.Step()) return null;
        var soul = OrderedText.Decode(statement.Blob(0));
        statement.Reset();
        return soul;
    }

    public int Count(string soul)
    {
        _count.Bind(1, OrderedText.Encode(soul));
        if (!_count.Step()) return 0;
        var count = (int)Math.Min(int.MaxValue, _count.Number(0));
        _count.Reset();
        return count;
    }

    public List<GraphEntry> History(string soul, string key)
    {
        _history.Bind(1, OrderedText.Encode(soul)).Bind(2, OrderedText.Encode(key));
        var history = new List<GraphEntry>();
        while (_history.Step())
            if (GraphValue.TryParse(OrderedText.Decode(_history.Blob(1)), out var value)) history.Add(new GraphEntry(FromOrdered(_history.Number(0)), value));
        return history;
    }

    public List<string> Touched(string peer, int count)
    {
        _touched.Bind(1, OrderedText.Encode(peer)).Bind(2, count);
        var souls = new List<string>();
        while (_touched.Step()) souls.Add(OrderedText.Decode(_touched.Blob(0)));
        return souls;
    }

    public List<GraphWrite> Held()
    {
        using var statement = _database.PrepareOnce("SELECT state, value, soul, key FROM held");
        var held = new List<GraphWrite>();
        while (statement.Step())
        {
            var entry = Entry(statement, 0);
            held.Add(new GraphWrite(OrderedText.Decode(statement.Blob(2)), OrderedText.Decode(statement.Blob(3)), entry.State, entry.Value));
        }
        return held;
    }

    public void Dispose() => _database.Dispose();

    private void Do(in GraphOperation operation)
    {
        var write = operation.Write;
        var (soul, key) = (OrderedText.Encode(write.Soul), OrderedText.Encode(write.Key));
        switch (operation.Step)
        {
            case GraphStep.Write:
                Rank(operation.Rank);
                Full(_write);
                break;
            case GraphStep.Remove:
                Rank(GraphRank.Own);
                _remove.Bind(1, soul).Bind(2, key).Run(); break;
            case GraphStep.Hold: Full(_hold); break;
            case GraphStep.Release: Full(_release); break;
            case GraphStep.Archive:
                _archive.Bind(1, soul).Bind(2, key).Bind(3, Ordered(write.State)).Bind(4, OrderedText.Encode(write.Value.ToJson())).Run();
                _trim.Bind(1, soul).Bind(2, key).Run();
                break;
            default: _touch.Bind(1, key).Bind(2, soul).Run(); break;
        }

        void Rank(GraphRank rank)
        {
            // Most nodes have no guests: then this costs nothing.
            if (rank == GraphRank.Own && _guestCount == 0) return;
            var wasGuest = false;
            _leave.Bind(1, soul).Bind(2, key);
            while (_leave.Step())
            {
                (wasGuest, _guestCount, GuestBytes) = (true, _guestCount - 1, GuestBytes - _leave.Number(0));
            }
            if (rank == GraphRank.Own) return;
            _guest.Bind(1, soul).Bind(2, key).Bind(3, (long)rank).Bind(4, Ordered(write.State)).Bind(5, write.Weight).Bind(6, wasGuest ? 1 : 0);
            while (_guest.Step()) (_guestCount, GuestBytes) = (_guestCount + 1, GuestBytes + write.Weight);
        }

        void Full(Statement statement) =>
            statement.Bind(1, soul).Bind(2, key).Bind(3, BitConverter.DoubleToInt64Bits(write.State)).Bind(4, OrderedText.Encode(write.Value.ToJson())).Run();
    }

    // The state's very bits: signatures cover its text.
    private static GraphEntry Entry(Statement statement, int column) =>
        new(BitConverter.Int64BitsToDouble(statement.Number(column)), GraphValue.TryParse(OrderedText.Decode(statement.Blob(column + 1)), out var value) ? value : GraphValue.Null);
}
