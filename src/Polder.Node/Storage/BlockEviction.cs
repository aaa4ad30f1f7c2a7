using Polder.Ledger.Blocks;

namespace Polder.Node.Storage;

/// <summary>Chooses the blocks that give way: goes through all in the order in which they came, a bounded number at a time, round and round.</summary>
internal sealed class BlockEviction(BlockReader reader)
{
    private const int PageBlocks = 256, PagesMax = 8;

    private long _seenTo;

    /// <summary>Those on the disk that may go, at most <paramref name="max"/>; what waits for the disk is the newest anyway.</summary>
    public List<(HalfBlock Block, long Ordinal)> Choose(int max, Func<HalfBlock, bool> isKept)
    {
        var going = new List<(HalfBlock Block, long Ordinal)>();
        var last = reader.LastOrdinal();
        if (_seenTo >= last) _seenTo = 0;
        for (var page = 0; page < PagesMax && _seenTo < last; page++)
        {
            var blocks = reader.Page(_seenTo, last, PageBlocks);
            foreach (var entry in blocks)
            {
                if (going.Count == max) return going;
                _seenTo = entry.Ordinal;
                if (!isKept(entry.Block)) going.Add(entry);
            }
            if (blocks.Count < PageBlocks) _seenTo = last;
        }
        return going;
    }
}
