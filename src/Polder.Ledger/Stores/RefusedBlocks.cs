namespace Polder.Ledger.Stores;

/// <summary>Invalid blocks of lately, for the explorer: at most <see cref="Limits.RefusedBlocksMax"/>, the oldest gives way.</summary>
internal sealed class RefusedBlocks
{
    private readonly Queue<RefusedBlock> _blocks = [];

    /// <summary>Those of one chain, or all of them for an empty key; oldest first.</summary>
    public IReadOnlyList<RefusedBlock> Of(ReadOnlySpan<byte> key)
    {
        var found = new List<RefusedBlock>();
        foreach (var refused in _blocks)
            if (key.IsEmpty || key.SequenceEqual(refused.Block.PublicKey)) found.Add(refused);
        return found;
    }

    /// <summary>Remembers one, once.</summary>
    public void Add(RefusedBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        foreach (var known in _blocks)
            if (known.Block.Equals(block.Block)) return;
        if (_blocks.Count >= Limits.RefusedBlocksMax) _blocks.Dequeue();
        _blocks.Enqueue(block);
    }
}
