using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger;

/// <summary>
/// Makes room: above <see cref="TrustChainOptions.BlocksMax"/>, or nine tenths of <see cref="TrustChainOptions.DiskBytesMax"/>, the
/// blocks that were taken in first go first. Never our own, nor those that answer us, that we answered or that wait for the owner, nor
/// those of anybody with whom we have a record, nor those that a proof of fraud is made of, which holds its own copies besides. py goes by the time that a block's signer
/// wrote into it; whoever dates his blocks ahead would stay for ever, so here it is the time of coming.
/// </summary>
internal sealed class Eviction(TrustChainCommunity ledger)
{
    private const int RoundsMax = 20;

    private readonly HashSet<byte[]> _partners = new(KeyBytesComparer.Instance);
    private readonly HashSet<Hash256> _disputed = [];
    private int _proofs;
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
        if (_running || TooMany() == 0 || !ledger.Replayed.IsCompleted) return;
        _running = true;
        ledger.Go(EvictAsync());
    }

    /// <summary>How many should go; 0 when there is room.</summary>
    private int TooMany()
    {
        var above = ledger.Store.Count - ledger.Options.BlocksMax;
        if (ledger.Options.DiskBytesMax is { } disk && ledger.Store.DiskBytes > disk / 10 * 9) above = Math.Max(above, Limits.EvictedAtOnce);
        return (int)Math.Clamp(above, 0, Limits.EvictedAtOnce);
    }

    private async Task EvictAsync()
    {
        try
        {
            // What comes in a second may be more than goes at a time: as long as something goes, it goes on.
            for (var rounds = 0; rounds < RoundsMax && TooMany() is > 0 and var tooMany; rounds++)
            {
                var gone = await ledger.Store.EvictAsync(tooMany, IsKept);
                ledger.Counters.Count(LedgerCount.BlocksEvicted, gone);
                if (gone == 0) break;
            }
        }
        // A disk that cannot be written keeps what it has; the next try comes.
        catch (IOException) { }
        finally { _running = false; }
    }

    private bool IsKept(HalfBlock block)
    {
        var ours = ledger.Own.Key;
        if (IsDisputed(block)) return true;
        if (block.PublicKey.SequenceEqual(ours)) return true;
        // Anybody can propose to us without end, a partner too: what we never answered, and what does not wait for the owner, ties nobody.
        if (block.IsProposal && block.LinkKey.SequenceEqual(ours)) return ledger.IsAnsweredOrWaits(block);
        return block.LinkKey.SequenceEqual(ours) || _partners.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(block.PublicKey);
    }

    private bool IsDisputed(HalfBlock block)
    {
        var proofs = ledger.Store.Frauds();
        if (proofs.Count == 0) return false;
        for (; _proofs < proofs.Count; _proofs++)
        {
            var proof = proofs[_proofs];
            _disputed.Add(proof.First.Hash);
            _disputed.Add(proof.Second.Hash);
            if (proof.Proposal is { } proposal) _disputed.Add(proposal.Hash);
        }
        return _disputed.Contains(block.Hash);
    }
}
