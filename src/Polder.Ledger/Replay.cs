using Polder.Ledger.Blocks;

namespace Polder.Ledger;

/// <summary>Goes through the store after the start, in pieces, so that the node lives meanwhile.</summary>
internal sealed class Replay(TrustChainCommunity ledger, Proposals proposals)
{
    private const int Chunk = 2_000;
    private readonly TaskCompletionSource _done = new();

    /// <summary>Completes when all was gone through.</summary>
    public Task Done => _done.Task;

    public async Task RunAsync()
    {
        var seen = 0;
        foreach (var block in OldBlocks())
        {
            ledger.Replay(block);
            if (++seen % Chunk != 0) continue;
            await Task.Yield();
            if (ledger.Leaving.IsCancellationRequested) return;
        }
        // An answer may stand before its question in the store.
        foreach (var proposal in proposals.Open.ToArray())
            foreach (var linking in ledger.Store.LinkingTo(ledger.Own.Key, proposal.Block.Sequence, proposal.Block.Sequence, Limits.CrawlAnswerBlocksMax))
                proposals.TakeAnswered(linking);
        _done.TrySetResult();
        ledger.NotifyChanged();
    }

    /// <summary>What has to be gone through: everything, while that is soon done; else what concerns this node.</summary>
    private IEnumerable<HalfBlock> OldBlocks()
    {
        var store = ledger.Store;
        if (store.Count <= Limits.ReplayedBlocksMax)
        {
            foreach (var block in store.All()) yield return block;
            yield break;
        }
        var own = ledger.Own.Key.ToArray();
        for (var block = store.After(own, 0); block is not null; block = store.After(own, block.Sequence)) yield return block;
        foreach (var block in store.Naming(own)) yield return block;
    }
}
