using Polder.Ledger.Blocks;
using Polder.Ledger.Crawling;
using Polder.Ledger.Dissemination;
using Polder.Ledger.Fraud;
using Polder.Ledger.Messages;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Overlay;

namespace Polder.Ledger;

/// <summary>What happens to a block that came from the network: at what rate, whether it is kept, and who is told of it.</summary>
internal sealed class BlockReception(
    TrustChainCommunity community, BlockIntake intake, Crawler crawler, Agreements agreements, CrawlPlan plan, Witnesses witnesses, Spreading spreading, EvidenceSearch evidence)
{
    private readonly BlockRates _rates = new();

    /// <summary>True when the block is held now.</summary>
    public bool Receive(Endpoint from, HalfBlock block, bool wanted = false)
    {
        // Blocks that are here cost a look-up; only what must be checked is counted against a rate.
        if (!wanted && !IsKnown(block) && !_rates.TryTake(community.Now, from, community.IsValidated(from)))
        {
            community.Counters.Count(LedgerCount.BlocksTooFast);
            return false;
        }
        var result = intake.Take(block, wanted, out var verdict);
        if (result == IntakeResult.Kept)
        {
            witnesses.Kept(block, wanted);
            if (!wanted) spreading.Heard(block);
        }
        witnesses.Shown(from, block);
        if (block.PublicKey.SequenceEqual(community.Own.Key)) OwnBlockCame(from, block, result, verdict);
        else if (result == IntakeResult.Invalid) evidence.Consider(from, block, verdict!);
        else if (result != IntakeResult.Unwanted) agreements.Consider(block, verdict, from);
        return result is IntakeResult.Kept or IntakeResult.Known;
    }

    private bool IsKnown(HalfBlock block) => community.Store.Get(block.PublicKey, block.Sequence) is { } known && known.Equals(block);

    public bool ReceivePair(Endpoint from, HalfBlock first, HalfBlock second)
    {
        var kept = Receive(from, first);
        return Receive(from, second) && kept;
    }

    public void ReceiveCrawled(Endpoint from, CrawlResponse response)
    {
        var wanted = crawler.IsWanted(response.CrawlId);
        var wasKnown = IsKnown(response.Block);
        var held = Receive(from, response.Block, wanted);
        if (wanted) crawler.Count(response, held, held && !wasKnown);
    }

    /// <summary>Takes in a block that a full node pushed; true when it is new and kept.</summary>
    public bool TakeNews(Peer peer, HalfBlock block)
    {
        var known = IsKnown(block);
        return Receive(peer.Address, block) && !known;
    }

    private void OwnBlockCame(Endpoint from, HalfBlock block, IntakeResult result, Verdict? verdict)
    {
        if (result == IntakeResult.Kept) community.Own.Recovered(block);
        else community.Own.Refresh();
        if (result == IntakeResult.Invalid && !verdict!.Faults.Contains(BlockFault.BadSignature)
            && (verdict.Faults.Contains(BlockFault.PreviousHashMismatch) || verdict.Faults.Contains(BlockFault.NextHashMismatch)))
            community.Own.Conflicts(block);
        if (community.Own.NeedsRecovery && community.FindAt(from) is { } peer) plan.Recover(peer);
    }
}
