using Polder.Ledger.Blocks;

namespace Polder.Ledger.Records;

/// <summary>
/// Bytes: agreed by itself when it credits us with at least 1 MiB and its totals are right (nobody can be made to pay by being
/// asked to sign). Everything else waits for the owner's word.
/// </summary>
internal sealed class BandwidthPolicy(TrustChainCommunity ledger, Func<(long Up, long Down)?> totals) : IAgreementPolicy
{
    /// <summary>The least amount that is agreed to unasked: 1 MiB.</summary>
    public const long UnaskedMin = 1L << 20;

    private readonly BandwidthRules _rules = new();

    public AgreementDecision Decide(HalfBlock proposal) =>
        BandwidthEntry.Read(proposal) is { Up: 0, Down: >= UnaskedMin } && _rules.FaultOf(proposal, ledger.Store) is null
            ? AgreementDecision.Agree : AgreementDecision.Wait;

    public byte[]? TransactionFor(HalfBlock proposal)
    {
        if (BandwidthEntry.Read(proposal) is not { } asked || _rules.FaultOf(proposal, ledger.Store) is not null || totals() is not var (up, down)) return null;
        if (asked.Down > long.MaxValue - up || asked.Up > long.MaxValue - down) return null;
        var answer = new BandwidthEntry(asked.Down, asked.Up, up + asked.Down, down + asked.Up, asked.For);
        return answer.Encode(json: proposal.Transaction is [(byte)'{', ..]);
    }
}

/// <summary>Every other unit waits for the owner's word; the agreement copies the bytes.</summary>
internal sealed class HelpPolicy : IAgreementPolicy
{
    public AgreementDecision Decide(HalfBlock proposal) => AgreementDecision.Wait;
    public byte[]? TransactionFor(HalfBlock proposal) => HelpClaim.TryRead(proposal, out _) ? proposal.Transaction.ToArray() : null;
}
