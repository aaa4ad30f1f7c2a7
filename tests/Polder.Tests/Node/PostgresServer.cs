using System.Diagnostics;
using Npgsql;

namespace Polder.Tests.Node;

/// <summary>A real PostgreSQL server of the system's packages, on a socket in a folder of its own, for the tests of one class; as another user when we are root, whom it refuses.</summary>
public sealed class PostgresServer : IDisposable
{
    private readonly string? _bin;
    private readonly string _folder = "";

    public PostgresServer()
    {
        _bin = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(static path => Path.Combine(path, "bin")).LastOrDefault(static path => File.Exists(Path.Combine(path, "initdb"))) : null;
        if (_bin is null) return;
        _folder = Directory.CreateTempSubdirectory("polder-pg-").FullName;
        if (Environment.IsPrivilegedProcess) Run("chown", "postgres", _folder);
        As("initdb", "-D", Path.Combine(_folder, "data"), "-U", "polder", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C");
        Start();
    }

    /// <summary>Skips the test, which counts it, where the server is not installed.</summary>
    public void Need() => Assert.SkipWhen(_bin is null, "PostgreSQL is not installed: apt-get install postgresql");

    /// <summary>The address of an empty database: always the same one, because making one takes longest of all.</summary>
    public string NewDatabase()
    {
        Need();
        using var connection = new NpgsqlConnection($"Host={_folder};Username=polder;Database=postgres;Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand("DROP SCHEMA IF EXISTS polder CASCADE", connection);
        command.ExecuteNonQuery();
        return $"postgres://polder@/postgres?host={Uri.EscapeDataString(_folder)}";
    }

    /// <summary>Stops the server as a power cut would.</summary>
    public void Kill() => As("pg_ctl", "stop", "-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w");

    public void Start() => As("pg_ctl", "start", "-D", Path.Combine(_folder, "data"), "-w", "-t", "30", "-l", Path.Combine(_folder, "log"),
        "-o", $"-c listen_addresses= -c unix_socket_directories={_folder} -c fsync=off -c shared_buffers=32MB -c max_connections=60");

    public void Dispose()
    {
        if (_bin is null) return;
        Kill();
        try { Directory.Delete(_folder, recursive: true); }
        catch (IOException) { }
    }

    private void As(string program, params string[] arguments)
    {
        var path = Path.Combine(_bin!, program);
        if (Environment.IsPrivilegedProcess) Run("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. arguments]);
        else Run(path, arguments);
    }

    private static void Run(string program, params string[] arguments)
    {
        // What the server prints goes to its log: a pipe would be held open by it for as long as it runs.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "\"$0\" \"$@\" >/dev/null 2>&1 </dev/null", program, .. arguments]) { WorkingDirectory = "/" })!;
        if (!process.WaitForExit(TimeSpan.FromSeconds(60))) throw new TimeoutException($"{program} does not end.");
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
