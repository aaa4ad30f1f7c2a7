using Polder.Ledger.Blocks;
using Polder.Ledger.Crawling;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Ledger.Fraud;

/// <summary>A well-signed block that does not fit to its neighbours says that its owner signed two versions: whoever sent it is asked for the other.</summary>
internal sealed class EvidenceSearch(TrustChainCommunity ledger, Crawler crawler)
{
    private TokenBucket _rate;

    public void Consider(Endpoint from, HalfBlock block, Verdict verdict)
    {
        if (verdict.Faults.Contains(BlockFault.BadSignature) || verdict.Fraud is not null || ledger.Store.FraudOf(block.PublicKey) is not null) return;
        if (!verdict.Faults.Contains(BlockFault.PreviousHashMismatch) && !verdict.Faults.Contains(BlockFault.NextHashMismatch)) return;
        if (ledger.FindAt(from) is not { } peer || !_rate.TryTake(ledger.Now, 1, 5)) return;
        ledger.Go(crawler.AskAsync(peer, block.PublicKey.ToArray(), Math.Max(1, block.Sequence - 1L), block.Sequence + 1L));
    }
}
