using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Records;

/// <summary>
/// Finds the signed records behind a sum again, in the block store: the work graph itself keeps no records. Newest first, and no
/// further back than some thousand blocks of one chain.
/// </summary>
internal static class RecordTrail
{
    /// <summary>Blocks of a chain that are looked at.</summary>
    public const int BlocksMax = 2_000;

    private const int AnswersMax = 16;

    /// <summary>The agreed records of one unit in somebody's chain, newest first.</summary>
    /// <param name="store">The blocks.</param>
    /// <param name="owner">Whose chain.</param>
    /// <param name="unit">The unit.</param>
    /// <param name="isWhole">Whether the chain was gone through to its first block held here.</param>
    public static IReadOnlyList<WorkRecord> Of(IBlockStore store, PublicKey owner, string unit, out bool isWhole)
    {
        var records = new List<WorkRecord>();
        isWhole = true;
        var block = store.Latest(owner.Bytes);
        for (var looked = 0; block is not null; block = store.Before(owner.Bytes, block.Sequence))
        {
            if (++looked > BlocksMax)
            {
                isWhole = false;
                break;
            }
            Read(store, owner, block, unit, records);
        }
        return records;
    }

    private static void Read(IBlockStore store, PublicKey owner, HalfBlock block, string unit, List<WorkRecord> records)
    {
        if (!AgreedClaims.TryClaim(block, out var claim) || claim.Unit != unit) return;
        if (!PublicKey.TryParse(block.LinkKey, out var other) || OtherHalf(store, block, claim) is not { } half) return;
        var (proposal, agreement) = block.IsProposal ? (block, half) : (half, block);
        if (!AgreedClaims.TryClaim(proposal, out var said)) return;
        var (proposer, answerer) = block.IsProposal ? (owner, other) : (other, owner);
        if (AgreedClaims.Counts(said.Gave)) records.Add(new WorkRecord(proposer, answerer, said.Gave, proposer, proposal.Sequence, agreement.Sequence, proposal.Timestamp));
        if (AgreedClaims.Counts(said.Got)) records.Add(new WorkRecord(answerer, proposer, said.Got, proposer, proposal.Sequence, agreement.Sequence, proposal.Timestamp));
    }

    /// <summary>The half that makes a record of this one; null when none is held.</summary>
    public static HalfBlock? OtherHalf(IBlockStore store, HalfBlock block, HelpClaim claim)
    {
        if (!block.IsProposal)
            return store.Get(block.LinkKey, block.LinkSequence) is { IsProposal: true } proposal && Agrees(proposal, claim, block) ? proposal : null;
        foreach (var answer in store.LinkingTo(block.PublicKey, block.Sequence, block.Sequence, AnswersMax))
            if (answer.PublicKey.SequenceEqual(block.LinkKey) && Agrees(answer, claim, block)) return answer;
        return null;
    }

    private static bool Agrees(HalfBlock other, HelpClaim claim, HalfBlock block) =>
        other.LinkKey.SequenceEqual(block.PublicKey) && AgreedClaims.TryClaim(other, out var said) && AgreedClaims.Agree(said, claim);
}
