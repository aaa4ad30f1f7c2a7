using Polder.Cryptography;
using Polder.Ledger.Blocks;
using SQLitePCL;

namespace Polder.Node.Storage;

/// <summary>Reads of blocks that are on the disk, on the loop's own connection. Chains are given by their number.</summary>
internal sealed class BlockReader(Database database, string path)
{
    private const string Columns = "SELECT packed, hash_head FROM blocks ";

    private readonly Statement _place = database.Prepare(Columns + "WHERE peer = ? AND sequence = ?");
    private readonly Statement _has = database.Prepare("SELECT ordinal FROM blocks WHERE peer = ? AND sequence = ?");
    private readonly Statement _hash = database.Prepare(Columns + "WHERE hash_head = ?");
    private readonly Statement _before = database.Prepare(Columns + "WHERE peer = ? AND sequence < ? ORDER BY sequence DESC LIMIT 1");
    private readonly Statement _range = database.Prepare(Columns + "WHERE peer = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?");
    private readonly Statement _linking = database.Prepare(
        Columns + "WHERE link_peer = ? AND link_sequence > 0 AND link_sequence BETWEEN ? AND ? ORDER BY link_sequence, ordinal LIMIT ?");
    private readonly Statement _all = database.Prepare(
        "SELECT packed, hash_head, ordinal FROM blocks WHERE ordinal > ? AND ordinal <= ? ORDER BY ordinal LIMIT ?");
    private readonly Statement _numbers = database.Prepare("SELECT sequence FROM blocks WHERE peer = ? AND sequence >= ? ORDER BY sequence");
    private readonly Statement _latest = database.Prepare("SELECT max(sequence) FROM blocks WHERE peer = ?");
    private readonly Statement _last = database.Prepare("SELECT max(ordinal) FROM blocks");

    public HalfBlock? Get(int peer, uint sequence) => First(_place.Bind(1, peer).Bind(2, sequence));

    /// <summary>Where the block was added in the order of all; 0 when it is not there.</summary>
    public long OrdinalOf(int peer, uint sequence)
    {
        _has.Bind(1, peer).Bind(2, sequence);
        if (!_has.Step()) return 0;
        var ordinal = _has.Number(0);
        _has.Reset();
        return ordinal;
    }

    /// <summary>Goes through all blocks on the disk, some half a second for a million of them: hashes have no index.</summary>
    public HalfBlock? Get(Hash256 hash)
    {
        _hash.Bind(1, unchecked((long)hash.Head));
        foreach (var block in Blocks(_hash))
            if (block.Hash == hash) return block;
        return null;
    }

    public HalfBlock? Before(int peer, long sequence) => First(_before.Bind(1, peer).Bind(2, sequence));

    public List<HalfBlock> Range(int peer, long from, long to, int max) => Blocks(_range.Bind(1, peer).Bind(2, from).Bind(3, to).Bind(4, max));

    public List<HalfBlock> LinkingTo(int peer, long from, long to, int max) =>
        Blocks(_linking.Bind(1, peer).Bind(2, from).Bind(3, to).Bind(4, max));

    /// <summary>The next blocks in the order of all, each with its place in it.</summary>
    public List<(HalfBlock Block, long Ordinal)> Page(long after, long last, int max)
    {
        var found = new List<(HalfBlock, long)>();
        _all.Bind(1, after).Bind(2, last).Bind(3, max);
        while (_all.Step()) found.Add((Read(_all), _all.Number(2)));
        return found;
    }

    /// <summary>The highest number of a chain on the disk; 0 without one.</summary>
    public uint Latest(int peer)
    {
        _latest.Bind(1, peer);
        if (!_latest.Step()) return 0;
        var latest = (uint)_latest.Number(0);
        _latest.Reset();
        return latest;
    }

    public long LastOrdinal()
    {
        if (!_last.Step()) return 0;
        var last = _last.Number(0);
        _last.Reset();
        return last;
    }

    /// <summary>The first number from <paramref name="from"/> that is neither on the disk nor <paramref name="pending"/>.</summary>
    public uint FirstGap(int peer, uint from, Func<uint, bool> pending)
    {
        var expected = (long)from;
        _numbers.Bind(1, peer).Bind(2, from);
        while (_numbers.Step())
        {
            var found = _numbers.Number(0);
            while (expected < found && pending((uint)expected)) expected++;
            if (expected < found)
            {
                _numbers.Reset();
                return (uint)expected;
            }
            expected = found + 1;
        }
        while (expected < uint.MaxValue && pending((uint)expected)) expected++;
        return (uint)Math.Min(expected, uint.MaxValue);
    }

    private HalfBlock? First(Statement statement)
    {
        if (!statement.Step()) return null;
        try { return Read(statement); }
        finally { statement.Reset(); }
    }

    private List<HalfBlock> Blocks(Statement statement)
    {
        var found = new List<HalfBlock>();
        try
        {
            while (statement.Step()) found.Add(Read(statement));
        }
        catch
        {
            statement.Reset();
            throw;
        }
        return found;
    }

    // The hash is the checksum: a bit that flipped inside a block is damage that SQLite cannot see.
    private HalfBlock Read(Statement statement)
    {
        if (HalfBlock.TryUnpack(statement.Blob(0), out var block) && block.Hash.Head == unchecked((ulong)statement.Number(1))) return block;
        statement.Reset();
        DatabaseCheck.MarkDamaged(path);
        throw Sqlite.Error(raw.SQLITE_CORRUPT, path, null);
    }
}
