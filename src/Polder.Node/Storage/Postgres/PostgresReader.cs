using Npgsql;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>Reads from the shared database, on a connection of the reader's own that is opened anew when it broke.</summary>
internal sealed class PostgresReader(NpgsqlConnectionStringBuilder address) : IDisposable
{
    private const string Columns = "SELECT p.key, b.sequence, l.key, b.link_sequence, b.hash_head, b.rest, b.ordinal FROM blocks b JOIN peers p ON p.id = b.peer JOIN peers l ON l.id = b.link_peer ";
    private const string Of = "b.peer = (SELECT id FROM peers WHERE key = $1) ";

    private NpgsqlConnection? _connection;

    public HalfBlock? Get(byte[] key, long sequence) => First(Columns + "WHERE " + Of + "AND b.sequence = $2", key, sequence);

    public bool Has(byte[] key, long sequence) => Number("SELECT 1 FROM blocks b WHERE " + Of + "AND b.sequence = $2", key, sequence) == 1;

    public HalfBlock? Before(byte[] key, long sequence) => First(Columns + "WHERE " + Of + "AND b.sequence < $2 ORDER BY b.sequence DESC LIMIT 1", key, sequence);

    public List<HalfBlock> Range(byte[] key, long from, long to, int max) =>
        Blocks(Columns + "WHERE " + Of + "AND b.sequence BETWEEN $2 AND $3 ORDER BY b.sequence LIMIT $4", key, from, to, max).ConvertAll(static placed => placed.Block);

    public List<HalfBlock> LinkingTo(byte[] key, long from, long to, int max) => Blocks(
        Columns + "WHERE b.link_peer = (SELECT id FROM peers WHERE key = $1) AND b.link_sequence BETWEEN greatest($2, 1) AND $3 ORDER BY b.link_sequence, b.ordinal LIMIT $4",
        key, from, to, max).ConvertAll(static placed => placed.Block);

    public List<PlacedBlock> Naming(byte[] key, long after, int max) => Blocks(
        Columns + "WHERE b.link_peer = (SELECT id FROM peers WHERE key = $1) AND b.peer <> b.link_peer AND b.ordinal > $2 ORDER BY b.ordinal LIMIT $3", key, after, max);

    public List<PlacedBlock> Page(long after, int max) => Blocks(Columns + "WHERE b.ordinal > $1 ORDER BY b.ordinal LIMIT $2", after, max);

    public List<PlacedBlock> ByHash(long low, long high, int max) => Blocks(Columns + "WHERE b.hash_head BETWEEN $1 AND $2 ORDER BY b.ordinal LIMIT $3", low, high, max);

    /// <summary>How many blocks of a chain there are, and the highest number.</summary>
    public (int Blocks, uint Latest) Extent(byte[] key)
    {
        (int, uint) extent = default;
        Rows("SELECT blocks, latest FROM chains WHERE peer = (SELECT id FROM peers WHERE key = $1)", row => extent = ((int)row.GetInt64(0), (uint)row.GetInt64(1)), key);
        return extent;
    }

    public List<ChainSummary> Chains()
    {
        var chains = new List<ChainSummary>();
        Rows("SELECT p.key, c.blocks, c.latest FROM chains c JOIN peers p ON p.id = c.peer WHERE c.blocks > 0",
            row => chains.Add(new ChainSummary((byte[])row[0], (int)row.GetInt64(1), (uint)row.GetInt64(2))));
        return chains;
    }

    /// <summary>The first number of a chain from 1 whose successor is missing, plus one; 1 when the first is missing.</summary>
    public long FirstGap(byte[] key) => Number("""
        SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM blocks b WHERE b.peer = i.id AND b.sequence = 1) THEN 1
            ELSE (SELECT b.sequence + 1 FROM blocks b WHERE b.peer = i.id
                  AND NOT EXISTS (SELECT 1 FROM blocks n WHERE n.peer = i.id AND n.sequence = b.sequence + 1) ORDER BY b.sequence LIMIT 1) END
        FROM (SELECT id FROM peers WHERE key = $1) i
        """, key) is > 0 and var gap ? gap : 1;

    public long Number(string sql, params object[] values)
    {
        var number = 0L;
        Rows(sql, row => number = row.IsDBNull(0) ? 0 : Convert.ToInt64(row[0], System.Globalization.CultureInfo.InvariantCulture), values);
        return number;
    }

    /// <summary>Every row of a question; asked once more when the connection broke meanwhile and nothing has come yet.</summary>
    public void Rows(string sql, Action<NpgsqlDataReader> take, params object[] values)
    {
        for (var tries = 0; ; tries++)
        {
            var came = false;
            try
            {
                if (_connection is not { State: System.Data.ConnectionState.Open })
                {
                    _connection?.Dispose();
                    _connection = new NpgsqlConnection(address.ConnectionString);
                    _connection.Open();
                }
                using var command = new NpgsqlCommand(sql, _connection);
                foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
                using var reader = command.ExecuteReader();
                while (reader.Read())
                {
                    came = true;
                    take(reader);
                }
                return;
            }
            catch (Exception problem) when (problem is not StorageException && PostgresBatchWriter.IsProblem(problem))
            {
                _connection?.Dispose();
                _connection = null;
                if (came || tries > 0 || problem is PostgresException) throw PostgresBatchWriter.Problem(problem, address);
            }
        }
    }

    public void Dispose() => _connection?.Dispose();

    private HalfBlock? First(string sql, params object[] values) => Blocks(sql, values) is [var first, ..] ? first.Block : null;

    private List<PlacedBlock> Blocks(string sql, params object[] values)
    {
        var found = new List<PlacedBlock>();
        Rows(sql, row =>
        {
            if (BlockReader.TryAssemble((byte[])row[0], (uint)row.GetInt64(1), (byte[])row[2], (uint)row.GetInt64(3), (byte[])row[5]) is not { } block
                || block.Hash.Head != unchecked((ulong)row.GetInt64(4)))
                throw new StorageException(0, "A block in the PostgreSQL database is not what was written. Look for it: polder ledger verify --store URL");
            found.Add(new PlacedBlock(row.GetInt64(6), block));
        }, values);
        return found;
    }
}
