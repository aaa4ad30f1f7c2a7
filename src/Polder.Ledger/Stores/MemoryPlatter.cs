using Polder.Cryptography;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Stores;

/// <summary>
/// What survives a crash of a node whose store is in memory: everything that was flushed, in order. Keep the platter, throw
/// the <see cref="MemoryBlockStore"/> away, and open a new one on it: that is a crash and a restart.
/// </summary>
public sealed class MemoryPlatter
{
    /// <summary>Blocks that were flushed, in order.</summary>
    public int Records => Writes.Count;

    internal List<StoreWrite> Writes { get; } = [];

    /// <summary>Forgets all but the first so many records: a restored backup.</summary>
    public void RollBack(int records) => Writes.RemoveRange(records, Writes.Count - records);
}

/// <summary>
/// The disk below a <see cref="MemoryBlockStore"/>: asked to commit <paramref name="records"/> writes. Answers how many of
/// them, counted from the first, are safe: all, or fewer where the write was torn. Completes on the node's loop, at once or
/// later; an <see cref="IOException"/> says that nothing was written.
/// </summary>
public delegate Task<int> CommitWrites(int records);

internal readonly record struct StoreWrite(HalfBlock? Block, FraudProof? Fraud, Hash256? Refusal, HalfBlock? Evicted = null);
