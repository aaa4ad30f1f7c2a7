using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Fraud;

/// <summary>Why two blocks prove nothing.</summary>
public enum FraudFault
{
    /// <summary>They prove it.</summary>
    None,
    /// <summary>It is no kind of fraud that this program knows.</summary>
    UnknownKind,
    /// <summary>Both blocks are the same.</summary>
    SameBlock,
    /// <summary>Different keys own them.</summary>
    DifferentOwners,
    /// <summary>Their owner's key is no key.</summary>
    BadKey,
    /// <summary>Double sign: they have different numbers.</summary>
    DifferentNumbers,
    /// <summary>The signature of the first is not its owner's.</summary>
    BadFirstSignature,
    /// <summary>The signature of the second is not its owner's.</summary>
    BadSecondSignature,
    /// <summary>Double countersign: one of them agrees to nothing.</summary>
    NoAgreement,
    /// <summary>Double countersign: they agree to different proposals.</summary>
    DifferentProposals,
    /// <summary>Double countersign: they have one number, which is a double sign.</summary>
    OneNumber,
    /// <summary>Double countersign: the proposal to which both agree is missing.</summary>
    NoProposal,
    /// <summary>Double countersign: the proposal is another than the one that both name.</summary>
    WrongProposal,
    /// <summary>Double countersign: the proposal was made to somebody else, or to anybody, who may agree as often as he likes.</summary>
    ProposalToOthers,
    /// <summary>Double countersign: the proposal's signature is not its owner's.</summary>
    BadProposalSignature,
}

/// <summary>
/// What two blocks prove against their signer. Pure, and the same for everybody: nothing but the blocks is looked at. Blocks are
/// signed by keys, so a proof is against a key; what follows from it is each node's own decision.
/// </summary>
public static class FraudRules
{
    /// <summary>The first thing that keeps a proof from proving; <see cref="FraudFault.None"/> when it proves.</summary>
    public static FraudFault FaultOf(FraudProof proof, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(proof);
        var (first, second) = (proof.First, proof.Second);
        if (proof.Kind is not (FraudKind.DoubleSign or FraudKind.DoubleCountersign)) return FraudFault.UnknownKind;
        if (first.Equals(second)) return FraudFault.SameBlock;
        if (!first.PublicKey.SequenceEqual(second.PublicKey)) return FraudFault.DifferentOwners;
        if (!PublicKey.HasRightForm(first.PublicKey)) return FraudFault.BadKey;
        if (proof.Kind == FraudKind.DoubleSign)
        {
            if (first.Sequence != second.Sequence) return FraudFault.DifferentNumbers;
        }
        else if (FaultOfAgreements(first, second, proof.Proposal) is var fault and not FraudFault.None)
        {
            return fault;
        }
        if (!first.VerifySignature(signatures)) return FraudFault.BadFirstSignature;
        if (!second.VerifySignature(signatures)) return FraudFault.BadSecondSignature;
        return proof.Kind == FraudKind.DoubleCountersign && !proof.Proposal!.VerifySignature(signatures) ? FraudFault.BadProposalSignature : FraudFault.None;
    }

    /// <summary>What is wrong, in words for people.</summary>
    public static string Words(FraudFault fault) => fault switch
    {
        FraudFault.None => "it proves the fraud",
        FraudFault.UnknownKind => "it is no kind of fraud that this program knows: double-sign and double-countersign",
        FraudFault.SameBlock => "both blocks are the same, and one block is no fraud",
        FraudFault.DifferentOwners => "the two blocks were signed by different keys, so they accuse nobody",
        FraudFault.BadKey => "the key that is said to have signed is no key",
        FraudFault.DifferentNumbers => "the two blocks have different numbers: that is a chain, and no fraud",
        FraudFault.BadFirstSignature => "the signature of the first block is not its owner's; anybody could have made it",
        FraudFault.BadSecondSignature => "the signature of the second block is not its owner's; anybody could have made it",
        FraudFault.NoAgreement => "one of the two blocks agrees to nothing",
        FraudFault.DifferentProposals => "the two blocks agree to different proposals, as they may",
        FraudFault.OneNumber => "the two agreements have one number: that would be a double sign, and the proof says otherwise",
        FraudFault.NoProposal => "the proposal to which both agree is missing, without which nobody can tell whether it could be agreed to once or often",
        FraudFault.WrongProposal => "the third block is not the proposal to which both agree",
        FraudFault.ProposalToOthers => "the proposal was not made to the accused alone, so it proves nothing",
        _ => "the signature of the proposal is not its owner's; anybody could have made it",
    };

    private static FraudFault FaultOfAgreements(HalfBlock first, HalfBlock second, HalfBlock? proposal)
    {
        if (first.IsProposal || second.IsProposal) return FraudFault.NoAgreement;
        if (first.LinkSequence != second.LinkSequence || !first.LinkKey.SequenceEqual(second.LinkKey)) return FraudFault.DifferentProposals;
        if (first.Sequence == second.Sequence) return FraudFault.OneNumber;
        if (proposal is null) return FraudFault.NoProposal;
        if (!proposal.PublicKey.SequenceEqual(first.LinkKey) || proposal.Sequence != first.LinkSequence) return FraudFault.WrongProposal;
        return proposal.LinkKey.SequenceEqual(first.PublicKey) ? FraudFault.None : FraudFault.ProposalToOthers;
    }
}
