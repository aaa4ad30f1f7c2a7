using System.Buffers.Binary;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Runtime;

namespace Polder.Ledger.Crawling;

/// <summary>
/// Fetches everybody's chains, politely: so many requests a second in all and to one peer, only numbers that are not held, of each chain
/// from its owner where he is here and from anybody else otherwise. Every key that a block names is a chain to look for. What is held is
/// the progress; when each chain was looked at last is kept beside it, so that a restart asks nobody for what was just fetched.
/// </summary>
public sealed class Survey
{
    private const int MissesMax = 8, PeersTriedMax = 3, RecordBytes = 12, PassedOverMax = 64, LookedThrough = 256;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(50), SaveInterval = TimeSpan.FromSeconds(30);

    private readonly TrustChainCommunity _ledger;
    private readonly Crawler _crawler;
    private readonly IStateStore? _state;
    private readonly SurveyOptions _options;
    private readonly Dictionary<PublicKey, Chain> _chains = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, Chain>.AlternateLookup<ReadOnlySpan<byte>> _chainOf;
    private readonly PriorityQueue<Chain, TimeSpan> _due = new();
    private readonly Dictionary<PublicKey, TimeSpan> _peerFree = new(PublicKey.Comparer);
    private readonly Dictionary<ulong, uint> _loaded = [];
    private TokenBucket _requests;
    private ITimer? _timer;
    private TimeSpan _savedAt;
    private int _running, _whole, _visited;
    private long _missing;

    internal Survey(TrustChainCommunity ledger, Crawler crawler, IStateStore? state)
    {
        (_ledger, _crawler, _state, _options) = (ledger, crawler, state, ledger.Options.Survey);
        _chainOf = _chains.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Whether it goes on.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Requests sent since it began.</summary>
    public long Requests { get; private set; }

    /// <summary>Blocks that they brought.</summary>
    public long NewBlocks { get; private set; }

    /// <summary>How far it is.</summary>
    public SurveyProgress Progress => new(
        IsRunning, _chains.Count, _visited, _whole, _ledger.Store.Count, _missing, Requests, NewBlocks, _ledger.Peers.Count);

    /// <summary>Begins, where it left off. On the loop.</summary>
    public void Begin()
    {
        if (IsRunning || _ledger.Leaving.IsCancellationRequested) return;
        IsRunning = true;
        Load();
        _ledger.BlockKnown += Known;
        foreach (var chain in _ledger.Store.Chains()) Meet(chain.Key.Span);
        foreach (var peer in _ledger.Peers) Meet(peer.Key.Bytes);
        _timer = _ledger.Environment.Time.CreateTimer(static self => ((Survey)self!).Step(), this, Beat, Beat);
        _ledger.Leaving.Register(static self => ((Survey)self!).End(), this);
        _ledger.NotifyChanged();
    }

    /// <summary>Ends; what is on its way still comes. On the loop.</summary>
    public void End()
    {
        if (!IsRunning) return;
        IsRunning = false;
        _timer?.Dispose();
        _ledger.BlockKnown -= Known;
        Save();
        _ledger.NotifyChanged();
    }

    private void Known(HalfBlock block)
    {
        // A new block of a chain makes it worth a look at once only where it leaves a gap; its owner may be new as well.
        var chain = Meet(block.PublicKey);
        if (chain is not null && _ledger.Replayed.IsCompleted) Measure(chain);
        Meet(block.LinkKey);
    }

    private Chain? Meet(ReadOnlySpan<byte> key)
    {
        if (_chainOf.TryGetValue(key, out var chain)) return chain;
        if (_chains.Count >= _options.ChainsMax || key.SequenceEqual(_ledger.Own.Key) || !PublicKey.TryParse(key, out var owner)) return null;
        chain = new Chain(owner);
        _chains.Add(owner, chain);
        var due = _ledger.Now;
        if (_loaded.Remove(owner.NodeId.Head, out var looked) && AgeOf(looked) is { } age && age < _options.AgainAfter)
        {
            due += _options.AgainAfter - age;
            chain.LookedAt = looked;
            Visited(chain, true);
        }
        Measure(chain);
        // A chain with a gap is not done, whenever it was looked at.
        _due.Enqueue(chain, chain.Missing > 0 ? _ledger.Now : due);
        return chain;
    }

    private void Step()
    {
        foreach (var peer in _ledger.Peers) Meet(peer.Key.Bytes);
        var passedOver = 0;
        while (passedOver < PassedOverMax && _running < _options.AtOnce && _due.TryPeek(out var chain, out var at) && at <= _ledger.Now)
        {
            if (PeerFor(chain) is not { } peer)
            {
                // Nobody is free to ask: others may have one.
                if (_ledger.Peers.Count == 0) break;
                passedOver++;
                _due.Dequeue();
                _due.Enqueue(chain, _ledger.Now + _options.PeerInterval);
                continue;
            }
            if (!_requests.TryTake(_ledger.Now, _options.RequestsPerSecond, Math.Max(1, _options.RequestsPerSecond / 4))) break;
            _due.Dequeue();
            _peerFree[peer.Key] = _ledger.Now + _options.PeerInterval;
            _ledger.Go(AskAsync(chain, peer));
        }
        if (_peerFree.Count > Limits.CrawledPeersMax) _peerFree.Clear();
        if (_ledger.Now - _savedAt < SaveInterval) return;
        _savedAt = _ledger.Now;
        Save();
    }

    private async Task AskAsync(Chain chain, Peer peer)
    {
        _running++;
        try
        {
            var key = chain.Owner.Bytes.ToArray();
            var (from, to) = GapFrom(key, chain.From);
            var end = Math.Min(to, from + Limits.CrawlAnswerBlocksMax - 1L);
            Requests++;
            var answer = await _crawler.AskAsync(peer, key, from, end);
            NewBlocks += answer.NewBlocks;
            Measure(chain);
            Next(chain, peer, answer, from, to);
        }
        finally { _running--; }
    }

    /// <summary>
    /// When the chain is asked for again: at once while it grows, and for what lies behind a gap that stays; else from somebody else, else
    /// after a rest.
    /// </summary>
    private void Next(Chain chain, Peer peer, CrawlResult answer, uint from, uint to)
    {
        var now = _ledger.Now;
        var grew = _ledger.Store.Get(chain.Owner.Bytes, from) is not null;
        if (grew || (answer.Answered && to < uint.MaxValue))
        {
            if (grew) (chain.Misses, chain.Tried) = (0, []);
            else chain.From = to + 1;
            _due.Enqueue(chain, now);
            return;
        }
        chain.From = 1;
        if (answer.Answered && chain.Missing == 0 && (peer.Key == chain.Owner || chain.IsWhole))
        {
            // Its end, as far as anybody here can tell.
            (chain.Misses, chain.Tried) = (0, []);
            chain.LookedAt = UnixSeconds;
            Visited(chain, true);
            _due.Enqueue(chain, now + _options.AgainAfter);
            return;
        }
        if (!chain.Tried.Contains(peer.Key)) chain.Tried.Add(peer.Key);
        if (chain.Tried.Count < Math.Min(PeersTriedMax, _ledger.Peers.Count))
        {
            _due.Enqueue(chain, now);
            return;
        }
        chain.Tried = [];
        Visited(chain, true);
        _due.Enqueue(chain, now + _options.RestAfterNothing * (1 << chain.Misses));
        chain.Misses = Math.Min(chain.Misses + 1, MissesMax);
    }

    /// <summary>The lowest run of numbers from there on that are not held; without an end where nothing higher is held.</summary>
    private (uint From, uint To) GapFrom(byte[] key, uint start)
    {
        var from = start <= 1 ? _ledger.Store.LowestUnknown(key) : start;
        while (_ledger.Store.Get(key, from) is not null)
        {
            var held = _ledger.Store.Range(key, from, uint.MaxValue, LookedThrough);
            var run = 0;
            while (run < held.Count && held[run].Sequence == from + run) run++;
            from += (uint)run;
        }
        return (from, _ledger.Store.After(key, from) is { } next ? next.Sequence - 1 : uint.MaxValue);
    }

    private Peer? PeerFor(Chain chain)
    {
        if (_ledger.Book.Find(chain.Owner) is { IsValidated: true } owner && !chain.Tried.Contains(owner.Key) && _ledger.IsHere(owner)) return IsFree(owner) ? owner : null;
        var peers = _ledger.Peers;
        if (peers.Count == 0) return null;
        var start = _ledger.Environment.Random.Next(peers.Count);
        for (var i = 0; i < peers.Count; i++)
        {
            var peer = peers[(start + i) % peers.Count];
            if (peer.IsValidated && IsFree(peer) && !chain.Tried.Contains(peer.Key)) return peer;
        }
        return null;
    }

    private bool IsFree(Peer peer) => !_peerFree.TryGetValue(peer.Key, out var free) || free <= _ledger.Now;

    /// <summary>Counts again what is held and missing of one chain.</summary>
    private void Measure(Chain chain)
    {
        var key = chain.Owner.Bytes;
        var (missing, isWhole) = (_ledger.Store.MissingOf(key), false);
        isWhole = missing == 0 && _ledger.Store.CountOf(key) > 0;
        _missing += missing - chain.Missing;
        if (isWhole != chain.IsWhole) _whole += isWhole ? 1 : -1;
        (chain.Missing, chain.IsWhole) = (missing, isWhole);
    }

    private void Visited(Chain chain, bool visited)
    {
        if (visited == chain.IsVisited) return;
        chain.IsVisited = visited;
        _visited += visited ? 1 : -1;
    }

    // ---- What outlives a run: when each chain was looked at to its end ----

    private uint UnixSeconds => (uint)Math.Clamp(_ledger.Environment.Time.GetUtcNow().ToUnixTimeSeconds(), 1, uint.MaxValue);

    private TimeSpan? AgeOf(uint looked) => UnixSeconds >= looked ? TimeSpan.FromSeconds(UnixSeconds - looked) : null;

    private void Load()
    {
        _loaded.Clear();
        if (_state?.Load(StatePart.CrawlProgress) is not { } bytes || bytes.Length % RecordBytes != 0) return;
        for (var i = 0; i < bytes.Length && _loaded.Count < _options.ChainsMax; i += RecordBytes)
            _loaded[BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(i))] = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(i + 8));
    }

    private void Save()
    {
        if (_state is null) return;
        var kept = _chains.Values.Where(chain => chain.LookedAt > 0 && AgeOf(chain.LookedAt) is { } age && age < _options.AgainAfter).Take(Limits.CrawlProgressMax).ToList();
        var bytes = new byte[kept.Count * RecordBytes];
        for (var i = 0; i < kept.Count; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * RecordBytes), kept[i].Owner.NodeId.Head);
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * RecordBytes + 8), kept[i].LookedAt);
        }
        _ = _state.SaveAsync(StatePart.CrawlProgress, bytes);
    }

    private sealed class Chain(PublicKey owner)
    {
        public PublicKey Owner => owner;
        /// <summary>Gaps below this number were asked for in vain in this round.</summary>
        public uint From { get; set; } = 1;
        public long Missing { get; set; }
        public bool IsWhole { get; set; }
        public bool IsVisited { get; set; }
        public uint LookedAt { get; set; }
        public int Misses { get; set; }
        public List<PublicKey> Tried { get; set; } = [];
    }
}
