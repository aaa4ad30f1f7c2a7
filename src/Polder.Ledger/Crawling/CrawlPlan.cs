using Polder.Identity;
using Polder.Ledger.Stores;
using Polder.Overlay;

namespace Polder.Ledger.Crawling;

/// <summary>What is crawled without being told to: each peer's next blocks now and then, and our own chain where it may be longer than here.</summary>
internal sealed class CrawlPlan(TrustChainCommunity ledger, Crawler crawler)
{
    private const int CrawlsAtOnceMax = 4;
    private const int EnoughBlocks = 1_000;
    private const int RangesMax = 20;
    private static readonly TimeSpan RecoveryInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<PublicKey, Standing> _peers = new(PublicKey.Comparer);
    private int _running;

    /// <summary>A peer answered an introduction.</summary>
    public void Met(Peer peer)
    {
        var standing = Of(peer);
        if (!standing.AskedForOwn || ledger.Own.NeedsRecovery) Recover(peer);
        // Who fetches everybody's chains asks by a plan of its own.
        if (ledger.Survey.IsRunning || _running >= CrawlsAtOnceMax || standing.CrawlAt > ledger.Now || !IsWorthCrawling(peer, standing)) return;
        standing.CrawlAt = ledger.Now + ledger.Options.CrawlInterval;
        ledger.Go(CrawlAsync(peer));
    }

    /// <summary>A peer said how long its own chain is.</summary>
    public void Told(Peer peer, uint length) => Of(peer).ToldLength = length;

    /// <summary>Forgets a peer.</summary>
    public void Forget(Peer peer) => _peers.Remove(peer.Key);

    /// <summary>Asks a peer for our own chain beyond what is here: blocks of ours that we do not hold must be found before we sign.</summary>
    public void Recover(Peer peer)
    {
        var standing = Of(peer);
        if (standing.RecoverAt > ledger.Now) return;
        standing.RecoverAt = ledger.Now + RecoveryInterval;
        standing.AskedForOwn = true;
        ledger.Go(RecoverAsync(peer));
    }

    /// <summary>While the own chain is in doubt, everybody here is asked, each at times.</summary>
    public void RecoverFromAll()
    {
        if (!ledger.Own.NeedsRecovery) return;
        foreach (var peer in ledger.Peers) Recover(peer);
    }

    private async Task RecoverAsync(Peer peer)
    {
        var key = ledger.Own.Key.ToArray();
        var before = ledger.Own.NeedsRecovery;
        // The end first: a last block that is not here opens a gap, and nothing is signed until the gap is filled.
        var result = await crawler.AskAsync(peer, key, -1, -1);
        if (result.Answered && ledger.Own.NeedsRecovery)
        {
            var rest = await crawler.ChainAsync(peer, key);
            result = rest with { NewBlocks = rest.NewBlocks + result.NewBlocks };
            if (rest.Complete) ledger.Own.Confirmed(peer.Key, result.ShowedChain || rest.ShowedChain, ledger.Peers.Count, ledger.Now);
        }
        if (!result.Answered) Of(peer).AskedForOwn = false;
        if (before != ledger.Own.NeedsRecovery || result.NewBlocks > 0) ledger.NotifyChanged();
    }

    private async Task CrawlAsync(Peer peer)
    {
        _running++;
        try
        {
            var key = peer.Key.Bytes.ToArray();
            if (ledger.Options.CrawlEverything)
            {
                await crawler.ChainAsync(peer, key);
                return;
            }
            // Ranges from the lowest unknown number on, while they bring something.
            for (var range = 0; range < RangesMax && ledger.Store.CountOf(key) < EnoughBlocks; range++)
            {
                var (from, to) = ledger.Store.LowestUnknownRange(key);
                var end = to > from ? Math.Min(to, from + Limits.CrawlAnswerBlocksMax - 1L) : from + Limits.CrawlAnswerBlocksMax - 1L;
                if (await crawler.AskAsync(peer, key, from, end) is not { NewBlocks: > 0, Complete: true }) return;
            }
        }
        finally
        {
            _running--;
        }
    }

    private bool IsWorthCrawling(Peer peer, Standing standing)
    {
        var key = peer.Key.Bytes;
        if (standing.ToldLength is { } length && ledger.Store.LowestUnknown(key) > length) return false;
        return ledger.Options.CrawlEverything || ledger.Store.CountOf(key) < EnoughBlocks;
    }

    private Standing Of(Peer peer)
    {
        if (_peers.TryGetValue(peer.Key, out var standing)) return standing;
        // Peers that are forgotten are removed; this bound is for the rest.
        if (_peers.Count >= Limits.CrawledPeersMax) _peers.Clear();
        return _peers[peer.Key] = new Standing();
    }

    private sealed class Standing
    {
        public TimeSpan CrawlAt { get; set; }
        public TimeSpan RecoverAt { get; set; }
        public bool AskedForOwn { get; set; }
        public uint? ToldLength { get; set; }
    }
}
