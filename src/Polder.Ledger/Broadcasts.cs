using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;
using Polder.Net;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Ledger;

/// <summary>
/// What goes to many: own proposals, agreed pairs, proofs of fraud, and what others sent on for us to pass on. In the form that plain
/// peers read; full nodes get the same by <see cref="Dissemination.Spreading"/>.
/// </summary>
internal sealed class Broadcasts(TrustChainCommunity ledger)
{
    private const int TtlMax = 10;

    private readonly RelayMemory _relayed = new(Limits.RelayedBlocksMax);
    private TokenBucket _fraudNews;

    public void Proposal(HalfBlock proposal)
    {
        _relayed.Add(proposal.Hash.Head);
        // A proposal alone says nothing about anybody but its own signer: full nodes get it with its agreement, or when they ask.
        ledger.Spreading.Heard(proposal);
        Spread(new HalfBlockBroadcast(proposal, (uint)ledger.Options.BroadcastTtl), AddressOf(proposal.LinkKey));
    }

    /// <summary>Both halves of a record, but not to the one with that key, who has them.</summary>
    public void Pair(HalfBlock proposal, HalfBlock agreement, ReadOnlySpan<byte> exceptTo)
    {
        _relayed.Add(proposal.Hash.Head);
        ledger.Spreading.Own([proposal, agreement]);
        Spread(new HalfBlockPairBroadcast(proposal, agreement, (uint)ledger.Options.BroadcastTtl), AddressOf(exceptTo));
    }

    /// <summary>A pair of blocks is judged like any two: whoever gets both holds the proof as well.</summary>
    public void Fraud(FraudProof fraud)
    {
        if (!_fraudNews.TryTake(ledger.Now, 10, 50)) return;
        if (fraud.Kind == FraudKind.DoubleCountersign && ledger.Store.Get(fraud.First.LinkKey, fraud.First.LinkSequence) is { } proposal)
            Spread(new HalfBlockBroadcast(proposal, 1), Endpoint.None);
        Spread(new HalfBlockPairBroadcast(fraud.First, fraud.Second, 1), Endpoint.None);
    }

    /// <summary>Passes a block on that came with hops left, once.</summary>
    public void Relay(HalfBlockBroadcast message, Endpoint from)
    {
        if (MayRelay(message.Ttl, message.Block)) Spread(new HalfBlockBroadcast(message.Block, NextTtl(message.Ttl)), from);
    }

    /// <summary>Passes a pair on that came with hops left, once.</summary>
    public void Relay(HalfBlockPairBroadcast pair, Endpoint from)
    {
        if (MayRelay(pair.Ttl, pair.First)) Spread(new HalfBlockPairBroadcast(pair.First, pair.Second, NextTtl(pair.Ttl)), from);
    }

    private static uint NextTtl(uint ttl) => Math.Min(ttl, TtlMax) - 1;

    private bool MayRelay(uint ttl, HalfBlock block)
    {
        if (ttl <= 1 || !_relayed.Add(block.Hash.Head)) return false;
        ledger.Counters.Count(LedgerCount.Relayed);
        return true;
    }

    private Endpoint AddressOf(ReadOnlySpan<byte> key) => ledger.Book.Find(key)?.Address ?? Endpoint.None;

    /// <summary>Sends to so many random peers, but not to the one at that address, who has it.</summary>
    private void Spread<T>(T message, Endpoint except) where T : struct, IMessage<T>
    {
        var fanOut = ledger.Options.FanOut;
        if (ledger.Peers.Count == 0) return;
        var order = new Peer[ledger.Peers.Count];
        for (var i = 0; i < order.Length; i++) order[i] = ledger.Peers[i];
        for (int i = 0, sent = 0; i < order.Length && sent < fanOut; i++)
        {
            var j = ledger.Environment.Random.Next(i, order.Length - 1);
            (order[i], order[j]) = (order[j], order[i]);
            // Full nodes are pushed to in their sessions.
            if (order[i].Address == except || (order[i].HasSession && ledger.Options.Dissemination.Pushes && ledger.Spreading.Serves(order[i]))) continue;
            ledger.SendMessage(order[i].Address, message);
            sent++;
        }
    }
}
