using System.Net.Sockets;
using Npgsql;

namespace Polder.Node.Storage;

/// <summary>Writes batches into a shared database. A server that is away is tried again.</summary>
/// <param name="address">Where to.</param>
/// <param name="committed">Told after each commit, before who waits.</param>
internal sealed class PostgresBatchWriter(NpgsqlConnectionStringBuilder address, Action committed) : IBatchWriter
{
    private const int GatherMax = 8_192, WaitingMax = 65_536;

    private NpgsqlConnection? _connection;
    private PostgresWriter? _writer;

    /// <summary>A queue into this database.</summary>
    public WriteQueue Start() => new(this, GatherMax, WaitingMax, "polder postgres");

    /// <summary>What a failing server means to people and to the node.</summary>
    public static StorageException Problem(Exception problem, NpgsqlConnectionStringBuilder address) => new(0, problem is PostgresException refusal
        ? $"PostgreSQL at {address.Host} refuses: {refusal.MessageText} ({refusal.SqlState}). See the server's log; the node tries again by itself."
        : $"PostgreSQL at {address.Host}:{address.Port} cannot be reached ({problem.Message}). Start it, or take ledger.store out of the configuration; the node tries again by itself.");

    /// <summary>Whether an exception is the server's or the network's, not a bug of ours.</summary>
    public static bool IsProblem(Exception problem) => problem is NpgsqlException or SocketException or IOException or TimeoutException or InvalidOperationException;

    /// <inheritdoc/>
    public void Commit(StoreBatch batch)
    {
        try
        {
            if (_connection is null)
            {
                _connection = new NpgsqlConnection(address.ConnectionString);
                _connection.Open();
                _writer = new PostgresWriter(_connection);
            }
            _writer!.Write(batch);
        }
        catch (Exception problem) when (IsProblem(problem)) { throw Problem(problem, address); }
    }

    /// <inheritdoc/>
    public void Committed() => committed();

    /// <inheritdoc/>
    public void Close()
    {
        // Whether an open transaction was committed is not known; writing it again changes nothing.
        _connection?.Dispose();
        (_connection, _writer) = (null, null);
    }

    /// <inheritdoc/>
    public void Dispose() => Close();
}
