using System.Buffers.Binary;
using Polder.Identity;
using Polder.Ledger.Blocks;
using SQLitePCL;

namespace Polder.Node.Storage;

/// <summary>
/// Reads of blocks that are on the disk, on the loop's own connection. Chains are given by their number. A block is put together
/// from the two keys, the numbers and the rest of its bytes in one statement, so that nothing can go between two looks.
/// </summary>
internal sealed class BlockReader(Database database, string path)
{
    // CROSS JOIN: the blocks are found first, then their keys, whatever a planner may think.
    private const string Columns = "SELECT p.key, b.sequence, l.key, b.link_sequence, b.hash_head, b.rest, b.ordinal FROM blocks b ";
    private const string Keys = " CROSS JOIN peers p ON p.id = b.peer CROSS JOIN peers l ON l.id = b.link_peer ";

    private readonly Statement _place = database.Prepare(Columns + Keys + "WHERE b.peer = ? AND b.sequence = ?");
    private readonly Statement _has = database.Prepare("SELECT ordinal FROM blocks WHERE peer = ? AND sequence = ?");
    private readonly Statement _ordinal = database.Prepare(Columns + Keys + "WHERE b.ordinal = ?");
    private readonly Statement _before = database.Prepare(Columns + Keys + "WHERE b.peer = ? AND b.sequence < ? ORDER BY b.sequence DESC LIMIT 1");
    private readonly Statement _range = database.Prepare(Columns + Keys + "WHERE b.peer = ? AND b.sequence BETWEEN ? AND ? ORDER BY b.sequence LIMIT ?");
    private readonly Statement _linking = database.Prepare(
        Columns + Keys + "WHERE b.link_peer = ? AND b.link_sequence > 0 AND b.link_sequence BETWEEN ? AND ? ORDER BY b.link_sequence, b.ordinal LIMIT ?");
    private readonly Statement _all = database.Prepare(Columns + Keys + "WHERE b.ordinal > ? AND b.ordinal <= ? ORDER BY b.ordinal LIMIT ?");
    private readonly Statement _naming = database.Prepare(
        Columns + "CROSS JOIN peers p ON p.id = b.peer CROSS JOIN peers l ON l.id = b.link_peer WHERE b.ordinal IN (SELECT ordinal FROM naming WHERE ordinal > ? ORDER BY ordinal LIMIT ?) ORDER BY b.ordinal");
    private readonly Statement _numbers = database.Prepare("SELECT sequence FROM blocks WHERE peer = ? AND sequence >= ? ORDER BY sequence");
    private readonly Statement _latest = database.Prepare("SELECT max(sequence) FROM blocks WHERE peer = ?");
    private readonly Statement _last = database.Prepare("SELECT max(ordinal) FROM blocks");

    public HalfBlock? Get(int peer, uint sequence) => First(_place.Bind(1, peer).Bind(2, sequence));

    /// <summary>The block at a place in the order of all.</summary>
    public HalfBlock? At(long ordinal) => First(_ordinal.Bind(1, ordinal));

    /// <summary>Where the block was added in the order of all; 0 when it is not there.</summary>
    public long OrdinalOf(int peer, uint sequence)
    {
        _has.Bind(1, peer).Bind(2, sequence);
        if (!_has.Step()) return 0;
        var ordinal = _has.Number(0);
        _has.Reset();
        return ordinal;
    }

    public HalfBlock? Before(int peer, long sequence) => First(_before.Bind(1, peer).Bind(2, sequence));

    public List<HalfBlock> Range(int peer, long from, long to, int max) => Blocks(_range.Bind(1, peer).Bind(2, from).Bind(3, to).Bind(4, max));

    public List<HalfBlock> LinkingTo(int peer, long from, long to, int max) =>
        Blocks(_linking.Bind(1, peer).Bind(2, from).Bind(3, to).Bind(4, max));

    /// <summary>The next blocks in the order of all, each with its place in it.</summary>
    public List<(HalfBlock Block, long Ordinal)> Page(long after, long last, int max) => Numbered(_all.Bind(1, after).Bind(2, last).Bind(3, max));

    /// <summary>The next blocks of others that name the owner.</summary>
    public List<(HalfBlock Block, long Ordinal)> Naming(long after, int max) => Numbered(_naming.Bind(1, after).Bind(2, max));

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

    private List<(HalfBlock, long)> Numbered(Statement statement)
    {
        var found = new List<(HalfBlock, long)>();
        try
        {
            while (statement.Step()) found.Add((Read(statement), statement.Number(6)));
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
        if (TryAssemble(statement.Blob(0), (uint)statement.Number(1), statement.Blob(2), (uint)statement.Number(3), statement.Blob(5)) is { } block
            && block.Hash.Head == unchecked((ulong)statement.Number(4))) return block;
        statement.Reset();
        DatabaseCheck.MarkDamaged(path);
        throw Sqlite.Error(raw.SQLITE_CORRUPT, path, null);
    }

    /// <summary>A block from its parts; null when they are none.</summary>
    internal static HalfBlock? TryAssemble(ReadOnlySpan<byte> key, uint sequence, ReadOnlySpan<byte> linkKey, uint linkSequence, ReadOnlySpan<byte> rest)
    {
        if (key.Length != KeyFormat.Bytes || linkKey.Length != KeyFormat.Bytes) return null;
        var packed = new byte[HalfBlock.PreviousHashOffset + rest.Length];
        key.CopyTo(packed);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.SequenceOffset), sequence);
        linkKey.CopyTo(packed.AsSpan(HalfBlock.LinkKeyOffset));
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.LinkSequenceOffset), linkSequence);
        rest.CopyTo(packed.AsSpan(HalfBlock.PreviousHashOffset));
        return HalfBlock.TryAdopt(packed, out var block) ? block : null;
    }
}
