using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>
/// Tells proposers which agreements to their proposals are about. Somebody who agrees twice to one proposal and shows each
/// agreement to another node is found out where both meet, and the one place that cannot be kept out of it is the proposer. An
/// honest proposer spreads the agreement that it got, so only those whom it did not reach have to tell.
/// </summary>
internal sealed class Witnesses(TrustChainCommunity ledger)
{
    /// <summary>Of agreements that came by crawling, which many do, one in so many is told.</summary>
    private const int OneCrawledOf = 10;

    private readonly Dictionary<Hash256, HalfBlock> _untold = [];
    private readonly Queue<(Hash256 Hash, TimeSpan At)> _order = [];
    private TokenBucket _telling;

    /// <summary>A block of others was kept.</summary>
    public void Kept(HalfBlock block, bool isCrawled)
    {
        if (block.IsProposal || block.IsToSelf || ledger.Own.Key.SequenceEqual(block.LinkKey) || ledger.Own.Key.SequenceEqual(block.PublicKey)) return;
        if (_order.Count >= Limits.WitnessedMax || ledger.Book.Find(block.LinkKey) is null) return;
        if (isCrawled && ledger.Environment.Random.Next(OneCrawledOf) != 0) return;
        if (_untold.TryAdd(block.Hash, block)) _order.Enqueue((block.Hash, ledger.Now + Limits.WitnessDelay));
    }

    /// <summary>A block came from there, new or not: a proposer that shows an agreement itself need not be told of it.</summary>
    public void Shown(Endpoint from, HalfBlock block)
    {
        if (_untold.Count > 0 && !block.IsProposal && ledger.FindAt(from) is { } peer && peer.Key.Bytes.SequenceEqual(block.LinkKey)) _untold.Remove(block.Hash);
    }

    /// <summary>Tells of those for which the proposer had its time.</summary>
    public void Tell()
    {
        while (_order.TryPeek(out var next) && next.At <= ledger.Now)
        {
            var agreement = _untold.GetValueOrDefault(next.Hash);
            if (agreement is not null && !_telling.TryTake(ledger.Now, Limits.WitnessedPerSecond, 2 * Limits.WitnessedPerSecond)) return;
            _order.Dequeue();
            if (agreement is null || !_untold.Remove(next.Hash) || ledger.Book.Find(agreement.LinkKey) is not { } proposer) continue;
            ledger.Counters.Count(LedgerCount.AgreementsTold);
            ledger.SendBlock(proposer.Address, agreement);
        }
    }
}
