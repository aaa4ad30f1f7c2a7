using SQLitePCL;

namespace Polder.Node.Storage;

/// <summary>One connection to the database file, for one thread at a time.</summary>
internal sealed class Database : IDisposable
{
    private const int BusyMilliseconds = 5000;

    private readonly sqlite3 _handle;
    private readonly string _path;
    private readonly List<Statement> _statements = [];

    private Database(sqlite3 handle, string path) => (_handle, _path) = (handle, path);

    public static Database Open(string path, bool readOnly = false, int cacheKibibytes = 1024)
    {
        Sqlite.Prepare();
        var flags = raw.SQLITE_OPEN_NOMUTEX | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        var code = raw.sqlite3_open_v2(path, out var handle, flags, null);
        if (code != raw.SQLITE_OK)
        {
            var words = handle is null ? null : raw.sqlite3_errmsg(handle).utf8_to_string();
            handle?.Dispose();
            throw Sqlite.Error(code, path, words);
        }
        var database = new Database(handle, path);
        _ = raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
        database.Execute($"PRAGMA cache_size = -{cacheKibibytes}");
        return database;
    }

    /// <summary>Runs statements that give no rows, or whose rows do not matter.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>A statement kept for the life of the connection.</summary>
    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        var statement = new Statement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>A statement that its user disposes.</summary>
    public Statement PrepareOnce(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var handle));
        return new Statement(this, handle);
    }

    /// <summary>The number that a query gives; 0 without a row.</summary>
    public long Number(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var handle));
        using (handle)
        {
            var code = raw.sqlite3_step(handle);
            if (code == raw.SQLITE_ROW) return raw.sqlite3_column_int64(handle, 0);
            if (code != raw.SQLITE_DONE) Check(code);
            return 0;
        }
    }

    /// <summary>The text that a query gives; null without a row.</summary>
    public string? Text(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var handle));
        using (handle)
        {
            var code = raw.sqlite3_step(handle);
            if (code == raw.SQLITE_ROW) return raw.sqlite3_column_text(handle, 0).utf8_to_string();
            if (code != raw.SQLITE_DONE) Check(code);
            return null;
        }
    }

    public void Check(int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        throw Sqlite.Error(code, _path, raw.sqlite3_errmsg(_handle).utf8_to_string());
    }

    /// <summary>Ends an open transaction without keeping it; silent when there is none.</summary>
    public void TryRollBack()
    {
        if (raw.sqlite3_get_autocommit(_handle) == 0) _ = raw.sqlite3_exec(_handle, "ROLLBACK");
    }

    public void Dispose()
    {
        foreach (var statement in _statements) statement.Dispose();
        _statements.Clear();
        _handle.Dispose();
    }
}

/// <summary>A prepared statement, used again and again.</summary>
internal sealed class Statement(Database database, sqlite3_stmt handle) : IDisposable
{
    public Statement Bind(int index, long value)
    {
        database.Check(raw.sqlite3_bind_int64(handle, index, value));
        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        database.Check(raw.sqlite3_bind_blob(handle, index, value));
        return this;
    }

    public Statement BindNothing(int index)
    {
        database.Check(raw.sqlite3_bind_null(handle, index));
        return this;
    }

    public Statement Bind(int index, string value)
    {
        database.Check(raw.sqlite3_bind_text(handle, index, value));
        return this;
    }

    /// <summary>Whether there is a (next) row. When there is none, or it fails, the statement is ready for its next use.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW) return true;
        if (code == raw.SQLITE_DONE)
        {
            Reset();
            return false;
        }
        try { database.Check(code); }
        finally { Reset(); }
        return false;
    }

    /// <summary>Runs a statement that gives no rows.</summary>
    public void Run()
    {
        if (Step()) Reset();
    }

    public long Number(int column) => raw.sqlite3_column_int64(handle, column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string() ?? "";

    /// <summary>Valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);

    public void Reset() => _ = raw.sqlite3_reset(handle);

    public void Dispose() => handle.Dispose();
}
