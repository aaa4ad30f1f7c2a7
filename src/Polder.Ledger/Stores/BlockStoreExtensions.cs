using Polder.Ledger.Blocks;

namespace Polder.Ledger.Stores;

/// <summary>Questions that every store answers by the same few look-ups.</summary>
public static class BlockStoreExtensions
{
    /// <summary>
    /// The other halves of a block: the one its link fields point at, and those that point at it. Oldest timestamp first, at
    /// most <paramref name="max"/>.
    /// </summary>
    public static IReadOnlyList<HalfBlock> Linked(this IBlockStore store, HalfBlock block, int max = 16)
    {
        var found = new List<HalfBlock>();
        if (store.Get(block.LinkKey, block.LinkSequence) is { } target) found.Add(target);
        foreach (var linking in store.LinkingTo(block.PublicKey, block.Sequence, block.Sequence, max))
            if (!found.Contains(linking)) found.Add(linking);
        return found.Count < 2 ? found : [.. found.OrderBy(linked => linked.Timestamp).Take(max)];
    }

    /// <summary>The lowest run of missing numbers: up to the next block that is held, or one number where nothing higher is held.</summary>
    public static (uint From, uint To) LowestUnknownRange(this IBlockStore store, ReadOnlySpan<byte> key)
    {
        var lowest = store.LowestUnknown(key);
        return (lowest, store.After(key, lowest) is { } next ? next.Sequence - 1 : lowest);
    }

    /// <summary>How many numbers below the highest that is held are missing.</summary>
    public static long MissingOf(this IBlockStore store, ReadOnlySpan<byte> key) =>
        store.Latest(key) is { } latest ? latest.Sequence - store.CountOf(key) : 0;

    /// <summary>The first proof against that key, with all that is needed to check it elsewhere; null when there is none, or its proposal is not here.</summary>
    public static FraudProof? ProofAgainst(this IBlockStore store, ReadOnlySpan<byte> culprit)
    {
        if (store.FraudOf(culprit) is not { } proof || proof.Kind == FraudKind.DoubleSign || proof.Proposal is not null) return store.FraudOf(culprit);
        return store.Get(proof.First.LinkKey, proof.First.LinkSequence) is { } proposal ? proof with { Proposal = proposal } : null;
    }
}
