using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger;

/// <summary>
/// Makes room: above <see cref="TrustChainOptions.BlocksMax"/> the blocks that were taken in first go first. Never our own, nor
/// those of anybody with whom we have a record; proofs of fraud hold their own copies. py goes by the time that a block's signer
/// wrote into it; whoever dates his blocks ahead would stay for ever, so here it is the time of coming.
/// </summary>
internal sealed class Eviction(TrustChainCommunity ledger)
{
    private readonly HashSet<byte[]> _partners = new(KeyBytesComparer.Instance);
    private bool _running;

    /// <summary>A block is held: whoever it ties to us is a partner.</summary>
    public void Known(HalfBlock block)
    {
        var ours = ledger.Own.Key;
        if (block.PublicKey.SequenceEqual(ours)) _partners.GetAlternateLookup<ReadOnlySpan<byte>>().Add(block.LinkKey);
        // Anybody may make a proposal to us: only what we agreed to ties us to its signer, and our agreement says so itself.
        else if (!block.IsProposal && block.LinkKey.SequenceEqual(ours)) _partners.GetAlternateLookup<ReadOnlySpan<byte>>().Add(block.PublicKey);
    }

    /// <summary>Lets blocks go while there are too many, some at a time.</summary>
    public void Work()
    {
        if (_running || ledger.Store.Count <= ledger.Options.BlocksMax || !ledger.Replayed.IsCompleted) return;
        _running = true;
        ledger.Go(EvictAsync());
    }

    private async Task EvictAsync()
    {
        try
        {
            var tooMany = (int)Math.Min(Limits.EvictedAtOnce, ledger.Store.Count - ledger.Options.BlocksMax);
            var gone = await ledger.Store.EvictAsync(tooMany, IsKept);
            ledger.Counters.Count(LedgerCount.BlocksEvicted, gone);
        }
        // A disk that cannot be written keeps what it has; the next try comes.
        catch (IOException) { }
        finally { _running = false; }
    }

    private bool IsKept(HalfBlock block)
    {
        var ours = ledger.Own.Key;
        return block.PublicKey.SequenceEqual(ours) || block.LinkKey.SequenceEqual(ours)
            || _partners.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(block.PublicKey);
    }
}
