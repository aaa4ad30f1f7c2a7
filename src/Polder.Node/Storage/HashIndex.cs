using System.Buffers.Binary;

namespace Polder.Node.Storage;

/// <summary>
/// Finds blocks by the beginning of their hash. An index in order of the hashes would write a random page for every block;
/// instead, each <see cref="SegmentBlocks"/> blocks are sorted into buckets by their first 10 bits when they have all come, and
/// written once. A search looks into one bucket of each segment, and through the blocks that came after the last.
/// </summary>
/// <remarks><code>
/// bucket (id = segment × 1024 + first 10 bits) = entries of 8 bytes, little-endian
/// offset  size  field
///      0     4  the 32 bits of the hash after the first 10
///      4     4  ordinal, from the first of the segment
/// </code>Entries of blocks that are gone stay until most of them are: whoever searches looks at the block itself.</remarks>
internal sealed class HashIndex(Database database) : IDisposable
{
    public const int SegmentBlocks = 1 << 18;
    private const int Buckets = 1024;
    private const int EntryBytes = 8;

    private readonly Statement _heads = database.PrepareOnce("SELECT ordinal, hash_head FROM blocks WHERE ordinal > ? ORDER BY ordinal LIMIT ?");
    private readonly Statement _addSegment = database.PrepareOnce("INSERT INTO hash_segments (first, last) VALUES (?, ?)");
    private readonly Statement _addBucket = database.PrepareOnce("INSERT INTO hash_buckets (id, entries) VALUES (?, ?)");
    private readonly List<(ulong Head, long Ordinal)> _waiting = [];
    private long _indexedTo = database.Number("SELECT max(last) FROM hash_segments");
    // Whether all that is not indexed yet is in memory: where the store was opened in the middle of a segment, the first is read.
    private bool _hasAllWaiting = database.Number("SELECT max(ordinal) FROM blocks") <= database.Number("SELECT max(last) FROM hash_segments");

    /// <summary>Blocks a segment; tests take fewer.</summary>
    public int SegmentSize { get; set; } = SegmentBlocks;

    /// <summary>A block was written.</summary>
    public void Added(long ordinal, ulong head)
    {
        if (_hasAllWaiting) _waiting.Add((head, ordinal));
    }

    /// <summary>At the end of a batch: writes the segments that are full.</summary>
    public void Write(long lastOrdinal)
    {
        if (!_hasAllWaiting)
        {
            // Opened in the middle of a segment: nothing is read before there is enough for a whole one.
            if (lastOrdinal - _indexedTo < SegmentSize) return;
            var entries = Read();
            for (; entries.Count == SegmentSize; entries = Read()) Write(entries);
            _waiting.AddRange(entries);
            _hasAllWaiting = true;
        }
        for (; _waiting.Count >= SegmentSize; _waiting.RemoveRange(0, SegmentSize)) Write(_waiting[..SegmentSize]);
    }

    private List<(ulong Head, long Ordinal)> Read()
    {
        var entries = new List<(ulong Head, long Ordinal)>(SegmentSize);
        _heads.Bind(1, _indexedTo).Bind(2, SegmentSize);
        while (_heads.Step()) entries.Add((unchecked((ulong)_heads.Number(1)), _heads.Number(0)));
        return entries;
    }

    private void Write(List<(ulong Head, long Ordinal)> entries)
    {
        var (first, last) = (entries[0].Ordinal, entries[^1].Ordinal);
        _addSegment.Bind(1, first).Bind(2, last).Run();
        var id = database.Number("SELECT last_insert_rowid()");
        Span<int> counts = stackalloc int[Buckets];
        counts.Clear();
        foreach (var (head, _) in entries) counts[(int)(head >> 54)]++;
        var buckets = new byte[Buckets][];
        for (var i = 0; i < Buckets; i++) buckets[i] = new byte[counts[i] * EntryBytes];
        counts.Clear();
        foreach (var (head, ordinal) in entries)
        {
            var bucket = (int)(head >> 54);
            var entry = buckets[bucket].AsSpan(counts[bucket]++ * EntryBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, unchecked((uint)(head >> 22)));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], checked((uint)(ordinal - first)));
        }
        for (var i = 0; i < Buckets; i++)
            if (buckets[i].Length > 0) _addBucket.Bind(1, id * Buckets + i).Bind(2, buckets[i]).Run();
        _indexedTo = last;
    }

    /// <summary>After an eviction: begins anew when most entries are of blocks that are gone.</summary>
    public void Shrink()
    {
        if (_indexedTo == 0) return;
        var indexed = database.Number("SELECT count(*) FROM hash_segments") * SegmentSize;
        if (indexed <= 2 * database.Number("SELECT blocks FROM totals") + 2 * SegmentSize) return;
        database.Execute("DELETE FROM hash_segments; DELETE FROM hash_buckets");
        _waiting.Clear();
        (_indexedTo, _hasAllWaiting) = (0, false);
    }

    /// <summary>Ordinals of blocks whose hash may begin like that; on any connection.</summary>
    public static IEnumerable<long> Find(Database database, ReadOnlySpan<byte> prefix)
    {
        Span<byte> low = stackalloc byte[8], high = stackalloc byte[8];
        low.Clear();
        high.Fill(0xFF);
        prefix[..Math.Min(8, prefix.Length)].CopyTo(low);
        prefix[..Math.Min(8, prefix.Length)].CopyTo(high);
        return Find(database, BinaryPrimitives.ReadUInt64BigEndian(low), BinaryPrimitives.ReadUInt64BigEndian(high));
    }

    public void Dispose()
    {
        _heads.Dispose();
        _addSegment.Dispose();
        _addBucket.Dispose();
    }

    private static IEnumerable<long> Find(Database database, ulong low, ulong high)
    {
        var segments = new List<(long Id, long First, long Last)>();
        using (var all = database.PrepareOnce("SELECT id, first, last FROM hash_segments ORDER BY first"))
            while (all.Step()) segments.Add((all.Number(0), all.Number(1), all.Number(2)));
        var bucket = (long)(low >> 54);
        var (from, to) = (unchecked((uint)(low >> 22)), unchecked((uint)(high >> 22)));
        using var read = database.PrepareOnce("SELECT entries FROM hash_buckets WHERE id = ?");
        var after = 0L;
        foreach (var (id, first, last) in segments)
        {
            after = last;
            foreach (var ordinal in InBucket(read, id * Buckets + bucket, first, from, to)) yield return ordinal;
        }
        using var rest = database.PrepareOnce("SELECT ordinal FROM blocks WHERE ordinal > ? AND hash_head BETWEEN ? AND ?");
        rest.Bind(1, after).Bind(2, unchecked((long)low)).Bind(3, unchecked((long)high));
        while (rest.Step()) yield return rest.Number(0);
    }

    private static List<long> InBucket(Statement read, long id, long first, uint from, uint to)
    {
        var found = new List<long>();
        read.Bind(1, id);
        if (!read.Step()) return found;
        var entries = read.Blob(0);
        for (var at = 0; at + EntryBytes <= entries.Length; at += EntryBytes)
            if (BinaryPrimitives.ReadUInt32LittleEndian(entries[at..]) is var middle && middle >= from && middle <= to)
                found.Add(first + BinaryPrimitives.ReadUInt32LittleEndian(entries[(at + 4)..]));
        read.Reset();
        return found;
    }
}
