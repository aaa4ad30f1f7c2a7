using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>Countersigning: what happens to a proposal that is made to us.</summary>
internal sealed class Agreements(TrustChainCommunity ledger, Inbox inbox)
{
    private const int HistoriesMax = 4_096;

    private readonly Dictionary<byte[], IAgreementPolicy> _policies = new(KeyBytesComparer.Instance);
    private readonly CopyByOwnersWord _otherwise = new();
    private readonly Dictionary<Hash256, int> _historyTries = [];
    private readonly HashSet<Hash256> _historyRuns = [];
    private TokenBucket _crowded;

    public void SetPolicy(ReadOnlySpan<byte> type, IAgreementPolicy policy) =>
        _policies.GetAlternateLookup<ReadOnlySpan<byte>>()[type] = policy;

    /// <summary>A block came in, new or once more. When it is a proposal to us, it is answered, fetched for, or put before the owner.</summary>
    public void Consider(HalfBlock block, Verdict? verdict, Endpoint from)
    {
        if (!IsForUs(block)) return;
        if (OwnAnswer(block) is { } answer)
        {
            // Lost on its way, or asked again after a crash: the same answer, never a new one.
            // Somebody else who passes the proposal on has no use for it.
            var asker = ledger.FindAt(from);
            if (answer.Sequence <= ledger.Own.FlushedTo && (asker is null || asker.Key.Bytes.SequenceEqual(block.PublicKey))) ledger.SendBlock(from, answer);
            return;
        }
        if (ledger.Store.IsRefused(block.Hash) || ledger.Store.FraudOf(block.PublicKey) is not null) return;
        switch (PolicyOf(block).Decide(block))
        {
            case AgreementDecision.Refuse:
                ledger.Store.AddRefusal(block.Hash);
                break;
            case AgreementDecision.Agree when ledger.Own.Refused is null && !IsFromTheFuture(block):
                verdict ??= ledger.Validator.Validate(block, ledger.Store);
                if (verdict.IsInvalid) return;
                if (NeedsHistory(verdict)) ledger.Go(FetchHistoryAsync(block, from));
                else if (MayAgreeUnasked() && PolicyOf(block).TransactionFor(block) is { } transaction) ledger.Go(SignAsync(block, transaction, from));
                else Wait(block);
                break;
            default:
                Wait(block);
                break;
        }
    }

    /// <summary>A proposal of the store, at the start: it waits, unless it was answered.</summary>
    public void Replay(HalfBlock block)
    {
        if (IsForUs(block) && OwnAnswer(block) is null && !ledger.Store.IsRefused(block.Hash)) inbox.Add(block);
    }

    public async Task<HalfBlock> ByOwnersWordAsync(HalfBlock proposal)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        if (!IsForUs(proposal)) throw new SigningRefusedException("This block is no proposal to this node.");
        if (OwnAnswer(proposal) is { } answer) return answer;
        if (ledger.Store.FraudOf(proposal.PublicKey) is not null)
            throw new SigningRefusedException("Its signer has provably cheated: nothing is signed with it.");
        if (IsFromTheFuture(proposal))
            throw new SigningRefusedException("The proposal is dated more than a day ahead of this node's clock. Check the clock; if it is right, the proposal is wrong.");
        var verdict = ledger.Validator.Validate(proposal, ledger.Store);
        if (verdict.IsInvalid) throw new SigningRefusedException("The proposal is invalid: " + verdict.Reason + ".");
        var transaction = PolicyOf(proposal).TransactionFor(proposal)
            ?? throw new SigningRefusedException("The proposal's numbers do not add up, so there is nothing to agree to. Refuse it, and ask for a new one.");
        return await SignAsync(proposal, transaction, null)
            ?? throw new SigningRefusedException(ledger.Own.Refused ?? "Writing to disk failed.");
    }

    private async Task<HalfBlock?> SignAsync(HalfBlock proposal, byte[] transaction, Endpoint? from)
    {
        var agreement = ledger.Own.Sign(proposal.PublicKey, proposal.Sequence, proposal.Type, transaction);
        inbox.Remove(proposal);
        ledger.Announce(agreement);
        ledger.Counters.Count(LedgerCount.BlocksSigned);
        if (!await ledger.Own.FlushAsync(agreement))
        {
            ledger.NotifyChanged();
            return null;
        }
        var known = ledger.Book.Find(proposal.PublicKey)?.Address;
        if (from is { } address) ledger.SendBlock(address, agreement);
        if (known is { } other && other != from) ledger.SendBlock(other, agreement);
        ledger.SpreadPair(proposal, agreement, exceptTo: proposal.PublicKey);
        return agreement;
    }

    /// <summary>Fetches the blocks before a proposal, a bounded number of times, and looks at it again.</summary>
    private async Task FetchHistoryAsync(HalfBlock proposal, Endpoint from)
    {
        if (ledger.FindAt(from) is not { } peer) peer = ledger.Book.Find(proposal.PublicKey);
        if (peer is null || !_historyRuns.Add(proposal.Hash)) return;
        try
        {
            if (_historyTries.Count >= HistoriesMax) _historyTries.Clear();
            var tries = _historyTries.GetValueOrDefault(proposal.Hash);
            if (tries >= Limits.CrawlTriesMax)
            {
                // Its history cannot be had: the owner may still know better.
                Wait(proposal);
                return;
            }
            _historyTries[proposal.Hash] = tries + 1;
            var last = Math.Max(1, proposal.Sequence - 1L);
            await ledger.Crawler.AskAsync(peer, proposal.PublicKey.ToArray(), Math.Max(1, (long)proposal.Sequence - ledger.Options.ValidationRange), last);
        }
        finally
        {
            _historyRuns.Remove(proposal.Hash);
        }
        Consider(proposal, null, from);
    }

    /// <summary>
    /// What we sign stays, and so does the other half: whoever proposes without end would fill the disk past every quota. So when our own
    /// chain takes a quarter of the quota, agreements without the owner's word are few; proposals wait, and are sent again.
    /// </summary>
    private bool MayAgreeUnasked() =>
        ledger.Own.Length < ledger.Options.BlocksMax / 4 || _crowded.TryTake(ledger.Now, Limits.CrowdedAgreementsPerSecond, Limits.CrowdedAgreementsBurst);

    private bool NeedsHistory(Verdict verdict) =>
        ledger.Options.ValidationRange > 0 && verdict.Level is BlockLevel.PartialPrevious or BlockLevel.Partial or BlockLevel.NoInfo;

    private void Wait(HalfBlock proposal)
    {
        if (inbox.Add(proposal)) ledger.NotifyChanged();
    }

    private bool IsForUs(HalfBlock block) =>
        block.IsProposal && block.LinkKey.SequenceEqual(ledger.Own.Key) && !block.PublicKey.SequenceEqual(ledger.Own.Key);

    private bool IsFromTheFuture(HalfBlock block)
    {
        var latest = (ledger.Environment.Time.GetUtcNow() + Limits.TimestampAheadMax).ToUnixTimeMilliseconds();
        return latest < 0 || block.Timestamp > (ulong)latest;
    }

    /// <summary>Whether we agreed to this proposal, or it waits for the owner's word.</summary>
    public bool IsAnsweredOrWaits(HalfBlock proposal) => inbox.Has(proposal) || OwnAnswer(proposal) is not null;

    private HalfBlock? OwnAnswer(HalfBlock proposal)
    {
        foreach (var linking in ledger.Store.LinkingTo(proposal.PublicKey, proposal.Sequence, proposal.Sequence, 64))
            if (linking.PublicKey.SequenceEqual(ledger.Own.Key)) return linking;
        return null;
    }

    private IAgreementPolicy PolicyOf(HalfBlock block) =>
        _policies.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(block.Type, out var policy) ? policy : _otherwise;
}
