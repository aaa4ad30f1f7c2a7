using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Overlay;

namespace Polder.Ledger;

/// <summary>What became of a block that came in.</summary>
internal enum IntakeResult
{
    /// <summary>New and kept.</summary>
    Kept,
    /// <summary>Here already.</summary>
    Known,
    /// <summary>Invalid; remembered with its reason.</summary>
    Invalid,
    /// <summary>Above a limit; not kept.</summary>
    Unwanted,
}

/// <summary>
/// Takes blocks in: limits first, then validation, then the store, and proofs of fraud beside it. It decides nothing about
/// agreements.
/// </summary>
internal sealed class BlockIntake(IBlockStore store, BlockValidator validator, KeyPair identity, PeerBook book, TrustChainOptions options, LedgerCounters counters)
{
    /// <summary>Raised for every block that was kept.</summary>
    public event Action<HalfBlock>? Kept;

    /// <summary>Raised for every proof that was kept.</summary>
    public event Action<FraudProof>? FraudFound;

    /// <summary>Takes one block in. <paramref name="wanted"/>: it was asked for, so a stranger's limit does not hold.</summary>
    public IntakeResult Take(HalfBlock block, bool wanted, out Verdict? verdict)
    {
        verdict = null;
        if (block.Transaction.Length > Limits.TransactionBytesMax || block.Type.Length > Limits.TypeBytesMax)
        {
            counters.Count(LedgerCount.BlocksTooLarge);
            return IntakeResult.Unwanted;
        }
        if (store.Get(block.PublicKey, block.Sequence) is { } known)
        {
            if (known.Equals(block))
            {
                counters.Count(LedgerCount.BlocksKnown);
                return IntakeResult.Known;
            }
        }
        else if ((!wanted && IsTooMuch(block)) || IsDiskFull(block))
        {
            counters.Count(LedgerCount.BlocksUnwanted);
            return IntakeResult.Unwanted;
        }
        verdict = validator.Validate(block, store);
        if (verdict.Fraud is { } fraud) Keep(fraud);
        if (verdict.IsInvalid)
        {
            counters.Count(LedgerCount.BlocksInvalid);
            store.AddRefused(new RefusedBlock(block, verdict.Reason));
            return IntakeResult.Invalid;
        }
        store.Add(block);
        counters.Count(LedgerCount.BlocksKept);
        Kept?.Invoke(block);
        return IntakeResult.Kept;
    }

    /// <summary>Tells listeners of own blocks, which are not taken in but made.</summary>
    public void Announce(HalfBlock block) => Kept?.Invoke(block);

    /// <summary>Keeps a proof, within bounds.</summary>
    public void Keep(FraudProof fraud)
    {
        var ofCulprit = 0;
        var all = store.Frauds();
        if (store.FraudOf(fraud.Culprit) is not null)
            foreach (var known in all)
                if (known.Culprit.SequenceEqual(fraud.Culprit)) ofCulprit++;
        if (ofCulprit >= Limits.FraudsPerKeyMax) return;
        // Keys that cost nothing can be proven frauds by the thousand: those of whom anything is held here come before them.
        if (all.Count >= Limits.FraudsMax && !Involves(fraud.First) && (all.Count >= Limits.FraudsThatMatterMax || !Matters(fraud.Culprit))) return;
        if (!store.AddFraud(fraud)) return;
        counters.Count(LedgerCount.Frauds);
        FraudFound?.Invoke(fraud);
    }

    private bool IsTooMuch(HalfBlock block)
    {
        if (Involves(block)) return false;
        if (store.Count >= options.BlocksMax + Limits.BlocksAboveMax) return true;
        return store.CountOf(block.PublicKey) >= options.BlocksPerStrangerMax && book.Find(block.PublicKey) is null;
    }

    private bool Matters(ReadOnlySpan<byte> key) => store.CountOf(key) > 0 || book.Find(key) is not null;

    // What was asked for too: a long chain of valid blocks is cheap to make.
    private bool IsDiskFull(HalfBlock block) => options.DiskBytesMax is { } disk && store.DiskBytes >= disk && !Involves(block);

    private bool Involves(HalfBlock block) =>
        block.PublicKey.SequenceEqual(identity.Public.Bytes) || block.LinkKey.SequenceEqual(identity.Public.Bytes);
}
