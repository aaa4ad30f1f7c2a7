using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Crawling;

/// <summary>Which blocks answer a crawl request. Pure.</summary>
internal static class CrawlAnswers
{
    /// <summary>
    /// Up to ten blocks of the chain in this range, up to ten of others that link to these numbers, and the two blocks of a
    /// fraud when one of this key is known. Own blocks that are not flushed yet are not shown.
    /// </summary>
    public static IReadOnlyList<HalfBlock> For(CrawlRequest request, IBlockStore store, OwnChain own)
    {
        var key = request.Key.Span;
        var last = key.SequenceEqual(own.Key) ? own.FlushedTo : store.Latest(key)?.Sequence ?? 0;
        var (from, to) = (Resolve(request.Start, last), Resolve(request.End, last));
        var chain = store.Range(key, from, to, Limits.CrawlAnswerBlocksMax);
        List<HalfBlock> answer = [.. chain];
        // Where the batch ends early, links to the numbers behind it come with the next request.
        var linkedTo = chain.Count == Limits.CrawlAnswerBlocksMax ? chain[^1].Sequence : to;
        AddNew(answer, store.LinkingTo(key, from, linkedTo, Limits.CrawlAnswerBlocksMax));
        if (store.FraudOf(key) is { } fraud) AddNew(answer, [fraud.First, fraud.Second]);
        answer.RemoveAll(block => block.Sequence > own.FlushedTo && block.PublicKey.SequenceEqual(own.Key));
        return answer;
    }

    /// <summary>A number below 0 counts from the end; where nothing is known it means 1.</summary>
    internal static uint Resolve(long number, uint last)
    {
        if (number >= 0) return (uint)Math.Min(number, uint.MaxValue);
        return last == 0 ? 1 : (uint)Math.Max(1, last + Math.Max(number, -(long)uint.MaxValue) + 1);
    }

    private static void AddNew(List<HalfBlock> answer, IReadOnlyList<HalfBlock> more)
    {
        foreach (var block in more)
            if (!answer.Contains(block)) answer.Add(block);
    }
}
