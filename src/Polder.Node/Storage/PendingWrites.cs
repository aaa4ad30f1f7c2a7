using Polder.Ledger.Blocks;

namespace Polder.Node.Storage;

/// <summary>
/// What is not in the database yet, as of one moment, and how it is read together with what is. A block may meanwhile be in
/// both: once is enough.
/// </summary>
/// <param name="Writing">The batch that is being written; older than the open one.</param>
/// <param name="Open">The batch that gathers.</param>
internal readonly record struct PendingWrites(StoreBatch? Writing, StoreBatch? Open)
{
    /// <summary>The batches there are, older first.</summary>
    public IEnumerable<StoreBatch> Batches
    {
        get
        {
            if (Writing is not null) yield return Writing;
            if (Open is not null) yield return Open;
        }
    }

    /// <summary>The rows of all batches, older first. By index: the open batch may grow while the caller goes through it.</summary>
    public IEnumerable<BlockRow> Rows
    {
        get
        {
            foreach (var batch in Batches)
                for (var i = 0; i < batch.Blocks.Count; i++) yield return batch.Blocks[i];
        }
    }

    /// <summary>The block at a place that waits to be written, or null.</summary>
    public HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence) => Open?.View.Get(key, sequence) ?? Writing?.View.Get(key, sequence);

    /// <summary>How many blocks of a chain wait.</summary>
    public int CountOf(ReadOnlySpan<byte> key) => (Writing?.View.CountOf(key) ?? 0) + (Open?.View.CountOf(key) ?? 0);

    /// <summary>The waiting block of a chain with the highest number, or null.</summary>
    public HalfBlock? Latest(ReadOnlySpan<byte> key) => Higher(Open?.View.Latest(key), Writing?.View.Latest(key));

    /// <summary>The last block of a chain before a number, of those that wait and the one that was read.</summary>
    public HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence, HalfBlock? written) =>
        Higher(Higher(Open?.View.Before(key, sequence), Writing?.View.Before(key, sequence)), written);

    /// <summary>Blocks of a chain in order of their numbers, those that wait among those that were read.</summary>
    public List<HalfBlock> Range(List<HalfBlock> written, ReadOnlySpan<byte> key, uint from, uint to, int max) =>
        Merge(written, Writing?.View.Range(key, from, to, max), Open?.View.Range(key, from, to, max), static block => block.Sequence, max);

    /// <summary>Blocks that link to a chain in order of the numbers they link to, those that wait among those that were read.</summary>
    public List<HalfBlock> LinkingTo(List<HalfBlock> written, ReadOnlySpan<byte> key, uint from, uint to, int max) =>
        Merge(written, Writing?.View.LinkingTo(key, from, to, max), Open?.View.LinkingTo(key, from, to, max), static block => block.LinkSequence, max);

    private static HalfBlock? Higher(HalfBlock? one, HalfBlock? other) => one is null || other?.Sequence > one.Sequence ? other : one;

    private static List<HalfBlock> Merge(
        List<HalfBlock> written, IReadOnlyList<HalfBlock>? writing, IReadOnlyList<HalfBlock>? open, Func<HalfBlock, uint> order, int max)
    {
        if (writing is null or [] && open is null or []) return written;
        // Older ones stand first, and the sort keeps them so.
        var all = written.Concat(writing ?? []).Concat(open ?? []).DistinctBy(static block => block.Hash);
        return [.. all.OrderBy(order).Take(max)];
    }
}
