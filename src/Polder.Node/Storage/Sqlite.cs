using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Polder.Node.Storage;

/// <summary>The system's SQLite, found by its names on each system, set up once.</summary>
internal static class Sqlite
{
    private static readonly Lock Gate = new();
    private static bool _ready;

    /// <summary>Makes SQLite usable; a missing library is named with the package to install.</summary>
    public static void Prepare()
    {
        lock (Gate)
        {
            if (_ready) return;
            try
            {
                NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
                raw.SetProvider(new SQLite3Provider_e_sqlite3());
                raw.FreezeProvider();
                // Nobody reads SQLite's memory statistics, and they cost a lock at every allocation. Refused when SQLite runs already.
                _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
                _ = raw.sqlite3_libversion_number();
                _ready = true;
            }
            catch (DllNotFoundException problem)
            {
                throw new NodeStartException(
                    "SQLite is missing. On Debian and Ubuntu: apt-get install libsqlite3-0; on macOS it is part of the system; on Windows put sqlite3.dll beside the program.", problem);
            }
        }
    }

    /// <summary>An error of SQLite as an exception for people, or for the node.</summary>
    public static IOException Error(int code, string path, string? words)
    {
        var primary = code & 0xFF;
        return primary switch
        {
            raw.SQLITE_FULL => new StorageException(primary, $"The disk is full: {path} cannot grow. Make room; the node goes on by itself."),
            raw.SQLITE_IOERR => new StorageException(primary, $"The disk reports an error at {path} ({words}). Check the disk; the node tries again by itself."),
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_CANTOPEN => new StorageException(primary, $"{path} cannot be written ({words}). Make the folder writable; the node tries again by itself."),
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new StorageException(primary, $"The database {path} is damaged. Stop the node and start it again: it sets the file aside and fetches your chain from your peers."),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new StorageException(primary, $"Another program holds {path}. Close it; the node tries again by itself."),
            _ => new StorageException(primary, $"The database {path} fails: {words} (SQLite {code})."),
        };
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != "e_sqlite3") return IntPtr.Zero;
        string[] names = OperatingSystem.IsWindows() ? ["sqlite3.dll", "winsqlite3.dll"]
            : OperatingSystem.IsMacOS() ? ["libsqlite3.dylib", "/usr/lib/libsqlite3.dylib"]
            : ["libsqlite3.so.0", "libsqlite3.so"];
        foreach (var candidate in names)
            if (NativeLibrary.TryLoad(candidate, assembly, null, out var handle)) return handle;
        throw new DllNotFoundException("libsqlite3");
    }
}

/// <summary>A failure of the database file.</summary>
/// <param name="code">SQLite's primary result code.</param>
/// <param name="message">What is wrong and what to do.</param>
internal sealed class StorageException(int code, string message) : IOException(message)
{
    public int Code => code;
    public bool IsDamage => code is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}
