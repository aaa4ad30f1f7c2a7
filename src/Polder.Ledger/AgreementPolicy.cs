using Polder.Ledger.Blocks;

namespace Polder.Ledger;

/// <summary>What to do with a proposal to us.</summary>
public enum AgreementDecision
{
    /// <summary>It waits for the owner's word.</summary>
    Wait,
    /// <summary>Sign it now.</summary>
    Agree,
    /// <summary>Never.</summary>
    Refuse,
}

/// <summary>
/// Decides about proposals of one type. Called on the loop, at the moment of signing, so that it may look at the own chain.
/// </summary>
public interface IAgreementPolicy
{
    /// <summary>What to do with a proposal by itself, without the owner.</summary>
    AgreementDecision Decide(HalfBlock proposal);

    /// <summary>
    /// The transaction of our half, when we agree by ourselves or by the owner's word; null when this proposal cannot be agreed
    /// to at all.
    /// </summary>
    byte[]? TransactionFor(HalfBlock proposal);
}

/// <summary>For types that nobody registered: wait, and copy the transaction.</summary>
internal sealed class CopyByOwnersWord : IAgreementPolicy
{
    public AgreementDecision Decide(HalfBlock proposal) => AgreementDecision.Wait;
    public byte[] TransactionFor(HalfBlock proposal) => proposal.Transaction.ToArray();
}
