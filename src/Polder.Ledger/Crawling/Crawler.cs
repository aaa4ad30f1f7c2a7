using Polder.Identity;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Ledger.Crawling;

/// <summary>What a crawl brought.</summary>
/// <param name="NewBlocks">Blocks that were not here before.</param>
/// <param name="Answered">Whether the peer answered at all.</param>
/// <param name="Complete">Whether all that was asked for came: for a whole chain, that it has no gap any more.</param>
public readonly record struct CrawlResult(int NewBlocks, bool Answered, bool Complete)
{
    /// <summary>Whether blocks of the chain that was asked for came, new or not: the peer holds some of it.</summary>
    public bool ShowedChain { get; init; }
}

/// <summary>
/// Asks peers for blocks. Blocks are taken in one by one as they come, so a partial answer is not lost; this class only counts
/// them. It knows which of the two forms of request each peer speaks.
/// </summary>
internal sealed class Crawler(
    NodeEnvironment environment, IBlockStore store, TrustChainOptions options, LedgerCounters counters,
    Action<Peer, CrawlRequest> send, CancellationToken leaving)
{
    private readonly Dictionary<uint, Ask> _open = [];
    private readonly Dictionary<PublicKey, bool> _forms = new(PublicKey.Comparer);
    private readonly Queue<PublicKey> _formsOrder = [];

    /// <summary>Requests that wait for blocks.</summary>
    public int Open => _open.Count;

    /// <summary>Whether blocks with this crawl id were asked for.</summary>
    public bool IsWanted(uint crawlId) => _open.ContainsKey(crawlId);

    /// <summary>A peer was seen to speak this form.</summary>
    public void Learn(PublicKey peer, bool wide)
    {
        if (_forms.TryAdd(peer, wide))
        {
            _formsOrder.Enqueue(peer);
            if (_formsOrder.Count > Limits.CrawledPeersMax) _forms.Remove(_formsOrder.Dequeue());
        }
        else _forms[peer] = wide;
    }

    /// <summary>A peer sent the length of its chain with an introduction, as py does and Kotlin does not: py's form is the narrow one, and the wide one raises there.</summary>
    public void LearnFromExtra(PublicKey peer)
    {
        if (!_forms.ContainsKey(peer)) Learn(peer, wide: false);
    }

    /// <summary>A block of an answer was taken in, and is held now (new or not), or was not.</summary>
    public void Count(CrawlResponse response, bool isHeld, bool isNew)
    {
        if (!_open.TryGetValue(response.CrawlId, out var ask)) return;
        ask.ShowedChain |= isHeld && response.Block.PublicKey.SequenceEqual(ask.Key.Span);
        ask.Heard(response.Total, response.Index, isNew);
    }

    /// <summary>There are no such blocks.</summary>
    public void CountEmpty(uint crawlId)
    {
        if (_open.TryGetValue(crawlId, out var ask)) ask.Heard(0, 0, false);
    }

    /// <summary>Asks one peer for a range of a chain, and gives what had come when all had come or time was out.</summary>
    public async Task<CrawlResult> AskAsync(Peer peer, ReadOnlyMemory<byte> key, long start, long end)
    {
        if (_open.Count >= Limits.CrawlsOpenMax || leaving.IsCancellationRequested) return default;
        uint id;
        do id = (uint)(environment.Random.NextUInt64() >> 32); while (!_open.TryAdd(id, null!));
        var ask = new Ask(environment, key);
        _open[id] = ask;
        counters.Count(LedgerCount.CrawlsAsked);
        try
        {
            var isKnown = _forms.TryGetValue(peer.Key, out var wide);
            if (!isKnown) wide = true;
            send(peer, new CrawlRequest(key, start, end, id, wide));
            if (!await ask.WaitAsync(options.FirstBlockTimeout, firstBlock: true))
            {
                // Nobody answers a form that it cannot read: try the other. Of a peer whose form is known, the packet was lost.
                wide ^= !isKnown;
                send(peer, new CrawlRequest(key, start, end, id, wide));
            }
            await ask.WaitAsync(options.CrawlTimeout, firstBlock: false);
            if (ask.Answered) Learn(peer.Key, wide);
            if (!ask.IsDone) counters.Count(LedgerCount.CrawlsTimedOut);
            return new CrawlResult(ask.NewBlocks, ask.Answered, ask.IsDone) { ShowedChain = ask.ShowedChain };
        }
        finally
        {
            _open.Remove(id);
        }
    }

    /// <summary>Asks one peer for a whole chain: first for its end, then for the lowest gap, range by range.</summary>
    public async Task<CrawlResult> ChainAsync(Peer peer, ReadOnlyMemory<byte> key)
    {
        var deadline = environment.Time.GetTimestamp();
        var end = await AskAsync(peer, key, -1, -1);
        for (var again = 1; again < Limits.CrawlTriesMax && !end.Complete && !leaving.IsCancellationRequested; again++) end = await AskAsync(peer, key, -1, -1);
        var (found, tries, lastFrom, showed) = (end.NewBlocks, 0, 0u, end.ShowedChain);
        if (!end.Answered) return end;
        while (environment.Time.GetElapsedTime(deadline) < Limits.ChainCrawlTimeout && !leaving.IsCancellationRequested)
        {
            var (from, to) = store.LowestUnknownRange(key.Span);
            if (from > (store.Latest(key.Span)?.Sequence ?? 0)) return new CrawlResult(found, true, true) { ShowedChain = showed };
            tries = from == lastFrom ? tries + 1 : 1;
            if (tries > Limits.CrawlTriesMax) break;
            lastFrom = from;
            var answer = await AskAsync(peer, key, from, Math.Min(to, from + Limits.CrawlAnswerBlocksMax - 1));
            found += answer.NewBlocks;
            showed |= answer.ShowedChain;
        }
        return new CrawlResult(found, true, false) { ShowedChain = showed };
    }

    private sealed class Ask(NodeEnvironment environment, ReadOnlyMemory<byte> key)
    {
        private readonly HashSet<uint> _heard = [];
        private readonly long _began = environment.Time.GetTimestamp();
        private uint _total = uint.MaxValue;
        private TaskCompletionSource<bool>? _waiter;
        private bool _waitsForFirst;

        public ReadOnlyMemory<byte> Key => key;
        public bool ShowedChain { get; set; }
        public int NewBlocks { get; private set; }
        public bool Answered => _total != uint.MaxValue;
        public bool IsDone => Answered && _heard.Count >= Math.Min(_total, Limits.CrawlTotalMax);

        public void Heard(uint total, uint index, bool isNew)
        {
            if (total > 0 && _heard.Count < Limits.CrawlTotalMax) _heard.Add(index);
            if (isNew) NewBlocks++;
            _total = total;
            if (_waiter is { } waiter && (_waitsForFirst || IsDone))
            {
                // Through the loop, so that the asker does not run inside the handler.
                _waiter = null;
                environment.Loop.Post(() => waiter.TrySetResult(true));
            }
        }

        /// <summary>True when it came, false when so much time has passed since the beginning.</summary>
        public async Task<bool> WaitAsync(TimeSpan untilAge, bool firstBlock)
        {
            if (firstBlock ? Answered : IsDone) return true;
            var left = untilAge - environment.Time.GetElapsedTime(_began);
            if (left <= TimeSpan.Zero) return false;
            var waiter = _waiter = new TaskCompletionSource<bool>();
            _waitsForFirst = firstBlock;
            using var timer = environment.Time.CreateTimer(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(false), waiter, left, Timeout.InfiniteTimeSpan);
            return await waiter.Task;
        }
    }
}
