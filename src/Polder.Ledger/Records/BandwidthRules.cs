using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;

namespace Polder.Ledger.Records;

/// <summary>
/// Rules of bandwidth blocks (bandwidth-tokens.md §1.1). Stricter than the published validator, which refuses only totals that
/// are too low: here they must add up. Where the block before of this type is not known, only what can be known is checked.
/// A plain TrustChain peer keeps no such accounts and agrees with a copy of the proposal's bytes, as it does to any type: that
/// says yes to the proposal, counts as its mirror image, and is no entry of the signer's own totals.
/// </summary>
public sealed class BandwidthRules : ITransactionRules
{
    /// <summary>Blocks of other types that are gone through to find the neighbour of this one.</summary>
    private const int NeighboursMax = 256;

    /// <inheritdoc/>
    public string? FaultOf(HalfBlock block, IBlockStore store)
    {
        ArgumentNullException.ThrowIfNull(block);
        ArgumentNullException.ThrowIfNull(store);
        if (BandwidthEntry.Read(block) is not { } entry)
            return "its numbers cannot be read: up, down, total_up and total_down must be whole numbers from 0 to 2^63 − 1, and up or down above 0";
        if (IsCopy(block, store)) return null;
        var before = Previous(block.PublicKey, block.Sequence, store, out var isFirst, out var isSure);
        if (before is { } previous)
        {
            if (BreaksUp(previous.TotalUp, entry.Up, entry.TotalUp, isSure)) return "total_up does not follow from the block before";
            if (BreaksUp(previous.TotalDown, entry.Down, entry.TotalDown, isSure)) return "total_down does not follow from the block before";
        }
        else if (isFirst ? entry.TotalUp != entry.Up || entry.TotalDown != entry.Down : entry.TotalUp < entry.Up || entry.TotalDown < entry.Down)
        {
            return "the totals are not what this block says, though it is the first of its type";
        }
        if (Next(block, store, out isSure) is { } next
            && (BreaksUp(entry.TotalUp, next.Up, next.TotalUp, isSure) || BreaksUp(entry.TotalDown, next.Down, next.TotalDown, isSure)))
            return "the totals of the block after do not follow from it";
        // The agreement is judged by the proposal, not the other way round: a wrong answer is the answerer's doing. But of a
        // proven cheater we may hold another version than the one that was answered.
        if (!block.IsProposal && store.FraudOf(block.LinkKey) is null && store.Get(block.LinkKey, block.LinkSequence) is { } proposal && proposal.Type.SequenceEqual(block.Type)
            && BandwidthEntry.Read(proposal) is { } asked && (asked.Up != entry.Down || asked.Down != entry.Up))
            return "it says another amount than the proposal that it agrees to";
        return null;
    }

    /// <summary>
    /// Whether a block that stands at the end of its chain, directly behind an entry with these totals, surely has no fault, seen
    /// without looking anything up; takes the totals on to it. False means "look closely", not "wrong".
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="proposal">What it agrees to, where that is held.</param>
    /// <param name="totals">Of the chain so far.</param>
    internal static bool SurelyFollows(HalfBlock block, HalfBlock? proposal, ref (long Up, long Down) totals)
    {
        if (!AgreedClaims.TryPlainBandwidth(block.Transaction, out var up, out var down, out var totalUp, out var totalDown) || (up == 0 && down == 0)) return false;
        // Plain numbers have 18 digits at most: no sum of two overflows.
        if (totalUp != totals.Up + up || totalDown != totals.Down + down) return false;
        if (proposal is not null && proposal.Type.SequenceEqual(block.Type)
            && (!AgreedClaims.TryPlainBandwidth(proposal.Transaction, out var askedUp, out var askedDown) || askedUp != down || askedDown != up)) return false;
        totals = (totalUp, totalDown);
        return true;
    }

    /// <summary>The totals of the entry that a chain ends with, as far as it surely ends with one; null where that must be looked up.</summary>
    internal static (long Up, long Down)? TotalsAfter(HalfBlock block, IBlockStore store) =>
        block.Type.SequenceEqual(HelpClaim.BandwidthType) && !IsCopy(block, store)
        && AgreedClaims.TryPlainBandwidth(block.Transaction, out _, out _, out var up, out var down) && up < Plain && down < Plain ? (up, down) : null;

    private const long Plain = 1L << 60;

    /// <summary>The nearest entry of this type before a number of a chain.</summary>
    /// <param name="key">The chain.</param>
    /// <param name="sequence">The number.</param>
    /// <param name="store">The blocks.</param>
    /// <param name="isFirst">There is none, for sure: everything from number 1 on is known.</param>
    /// <param name="isSure">Nothing between the two is missing.</param>
    /// <param name="neighboursMax">How far to look.</param>
    internal static BandwidthEntry? Previous(
        ReadOnlySpan<byte> key, uint sequence, IBlockStore store, out bool isFirst, out bool isSure, int neighboursMax = NeighboursMax)
    {
        (isFirst, isSure) = (sequence == HalfBlock.GenesisSequence, true);
        for (var looked = 0; looked < neighboursMax && store.Before(key, sequence) is { } before; looked++)
        {
            isSure &= before.Sequence == sequence - 1;
            if (before.Type.SequenceEqual(HelpClaim.BandwidthType) && !IsCopy(before, store)) return BandwidthEntry.Read(before);
            sequence = before.Sequence;
            isFirst = isSure && sequence == HalfBlock.GenesisSequence;
        }
        return null;
    }

    /// <summary>An agreement with the proposal's own bytes.</summary>
    private static bool IsCopy(HalfBlock block, IBlockStore store) =>
        !block.IsProposal && store.Get(block.LinkKey, block.LinkSequence) is { } proposal
        && proposal.Type.SequenceEqual(block.Type) && proposal.Transaction.SequenceEqual(block.Transaction);

    private static BandwidthEntry? Next(HalfBlock block, IBlockStore store, out bool isSure)
    {
        isSure = true;
        var sequence = block.Sequence;
        for (var looked = 0; looked < NeighboursMax && store.After(block.PublicKey, sequence) is { } after; looked++)
        {
            isSure &= after.Sequence == sequence + 1;
            if (after.Type.SequenceEqual(HelpClaim.BandwidthType) && !IsCopy(after, store)) return BandwidthEntry.Read(after);
            sequence = after.Sequence;
        }
        return null;
    }

    /// <summary>With blocks missing in between, the total may only be larger.</summary>
    private static bool BreaksUp(long before, long added, long total, bool isSure) =>
        isSure ? total - before != added || total < before : total - added < before;
}
