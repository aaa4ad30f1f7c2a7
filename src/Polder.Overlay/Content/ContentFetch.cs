using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;

namespace Polder.Overlay.Content;

/// <summary>
/// One content on its way here, from several providers at once. Each asks for what nobody else was asked for; when nothing of that is left,
/// for what others were asked for and have not brought (work stealing), so that the slowest does not hold up the end.
/// </summary>
internal sealed class ContentFetch
{
    private const int AskLeast = 4;
    /// <summary>A provider is asked for more at a time while it answers within this.</summary>
    private static readonly TimeSpan AskTime = TimeSpan.FromMilliseconds(500);
    private const int FlushEvery = 256;
    /// <summary>So many providers may be asked for one leaf.</summary>
    private const int AskedMax = 3;

    private readonly NodeHost _host;
    private readonly IContentStore _store;
    private readonly ContentId _id;
    private readonly Action<int, int>? _progress;
    private readonly CancellationToken _cancel;
    private readonly Queue<PublicKey> _waiting = new();
    private readonly HashSet<PublicKey> _known = new(PublicKey.Comparer);
    private readonly List<PublicKey> _liars = [];
    private readonly Dictionary<PublicKey, int> _from = new(PublicKey.Comparer);
    private readonly TaskCompletionSource<FetchOutcome> _done = new();
    private IStoredContent? _content;
    private byte[] _asked = []; // how many providers each leaf was asked of and is not here
    private int _next, _active, _fetched, _unflushed;
    private bool _isOver;

    public ContentFetch(NodeHost host, IContentStore store, ContentId id, Action<int, int>? progress, CancellationToken cancel) =>
        (_host, _store, _id, _progress, _cancel) = (host, store, id, progress, cancel);

    public Task<FetchOutcome> Task => _done.Task;

    public void Add(IReadOnlyList<PublicKey> providers)
    {
        foreach (var provider in providers)
            if (provider != _host.Identity.Public && _known.Add(provider)) _waiting.Enqueue(provider);
        if (_began) Employ();
    }

    private bool _began;

    public async Task<FetchOutcome> RunAsync()
    {
        if (await _store.OpenAsync(_id) is { } content) Take(content);
        _began = true;
        Employ();
        using var registration = _cancel.CanBeCanceled ? _cancel.Register(() => _host.Environment.Loop.Post(End)) : default;
        return await _done.Task;
    }

    private void Employ()
    {
        while (!_isOver && !IsComplete && _active < _host.Options.Content.ProvidersMax && _waiting.TryDequeue(out var provider))
        {
            _active++;
            _ = EmployAsync(provider);
        }
        if (_active == 0 || IsComplete) End();
    }

    private bool IsComplete => _content is { Tree.IsComplete: true };

    private async Task EmployAsync(PublicKey key)
    {
        var provider = new Provider(key);
        try
        {
            if (await ConnectAsync(key) is { } session) await FetchFromAsync(provider, session);
        }
        catch (Exception problem) when (problem is PeerStreamException or EndOfStreamException or OperationCanceledException) { }
        catch (Exception problem) { _host.Fault(problem, "content"); }
        foreach (var leaf in provider.Asked) Release(leaf);
        if (provider.Lied) _liars.Add(key);
        _active--;
        Employ();
        // What it was asked for is open to the others again.
        Wake();
    }

    private async Task<Session?> ConnectAsync(PublicKey key)
    {
        if (_host.Sessions.Find(key) is { } open) return open;
        if (await _host.Connector.ConnectAsync(key, _cancel) is { } session) return session;
        if (_host.Peers.Find(key) is not { } peer || !peer.Address.IsSendable) return null;
        return await _host.Sessions.OpenAsync(key, new DirectPath(_host, peer.Address), _cancel);
    }

    private async Task FetchFromAsync(Provider provider, Session session)
    {
        var patience = _host.Options.Content.Patience;
        using var time = new CancellationTokenSource(patience, _host.Environment.Time);
        if (await _host.Streams.OpenAsync(session, ContentWire.ProtocolName, _host.Options.Content.Priority, cancel: time.Token) is not { } stream) return;
        await using var _ = stream;
        var name = new byte[ContentId.Bytes];
        _id.Hash.CopyTo(name);
        await stream.WriteAsync(name, time.Token);
        if (!await ReadBeginningAsync(provider, stream, time.Token)) return;
        while (!_isOver && !IsComplete)
        {
            // One request is always under way while another is answered.
            while (provider.Requests.Count < 2 && Pick(provider) is { Count: > 0 } run)
            {
                var ask = new byte[ContentWire.AskBytes];
                ContentWire.WriteAsk(ask, run.First, run.Count);
                provider.Requests.Enqueue((run.First, run.Count, _host.Now));
                await stream.WriteAsync(ask, time.Token);
            }
            if (!provider.Requests.TryDequeue(out var request))
            {
                // Everything that it has is asked of enough others: wait until one of them fails, or all is here.
                time.CancelAfter(Timeout.InfiniteTimeSpan);
                await (_change ??= new TaskCompletionSource()).Task;
                time.CancelAfter(patience);
                continue;
            }
            for (var leaf = request.First; leaf < request.First + request.Count; leaf++)
            {
                time.CancelAfter(patience);
                if (!await ReadLeafAsync(provider, stream, leaf, time.Token)) return;
            }
            var took = _host.Now - request.At;
            provider.AskCount = took < AskTime ? Math.Min(provider.AskCount * 2, ContentWire.LeavesPerAsk) : Math.Max(provider.AskCount / 2, AskLeast);
        }
    }

    private async Task<bool> ReadBeginningAsync(Provider provider, PeerStream stream, CancellationToken time)
    {
        var first = new byte[1 + ContentWire.SummaryBytes];
        if (!await stream.ReadExactlyAsync(first.AsMemory(0, 1), time) || (Holding)first[0] is not (Holding.All or Holding.Part)) return false;
        if (!await stream.ReadExactlyAsync(first.AsMemory(1), time)) return false;
        if (ContentWire.ReadSummary(first.AsSpan(1), _id, _host.Options.Content.ContentBytesMax) is not { } summary)
        {
            provider.Lied = true;
            return false;
        }
        if (_content is null)
        {
            if (await _store.CreateAsync(summary) is not { } content)
            {
                End();
                return false;
            }
            if (_content is null) Take(content);
        }
        if ((Holding)first[0] == Holding.All) return true;
        provider.Have = new byte[LeafTree.HaveBytes(summary.LeafCount)];
        return await stream.ReadExactlyAsync(provider.Have, time);
    }

    private async Task<bool> ReadLeafAsync(Provider provider, PeerStream stream, int leaf, CancellationToken time)
    {
        var tree = _content!.Tree;
        if (!await stream.ReadExactlyAsync(provider.Header, time)) return false;
        if (!ContentWire.TryReadLeafHeader(provider.Header, tree, leaf, out var length, out var path))
        {
            provider.Lied = true;
            return false;
        }
        provider.Asked.Remove(leaf);
        if (length == 0)
        {
            Release(leaf);
            provider.MarkMissing(leaf, tree.Summary.LeafCount);
            return true;
        }
        var bytes = provider.Buffer.AsMemory(0, path * Hash256.Bytes + length);
        if (!await stream.ReadExactlyAsync(bytes, time)) return false;
        if (tree.Has(leaf) || _isOver) return true;
        if (!IsRight(tree, leaf, bytes.Span, path))
        {
            provider.Lied = true;
            Release(leaf);
            return false;
        }
        if (!await _content.WriteAsync(leaf, bytes[(path * Hash256.Bytes)..]))
        {
            End();
            return false;
        }
        Arrived(provider, leaf);
        return true;
    }

    private static bool IsRight(LeafTree tree, int leaf, ReadOnlySpan<byte> bytes, int pathLength)
    {
        Span<Hash256> path = stackalloc Hash256[LeafTree.PathMax];
        for (var i = 0; i < pathLength; i++) path[i] = new Hash256(bytes.Slice(i * Hash256.Bytes, Hash256.Bytes));
        return tree.TryAdd(leaf, LeafTree.HashLeaf(bytes[(pathLength * Hash256.Bytes)..]), path[..pathLength]);
    }

    private void Arrived(Provider provider, int leaf)
    {
        var tree = _content!.Tree;
        if (tree.Has(leaf)) return;
        tree.Note(leaf);
        _fetched++;
        _from[provider.Key] = _from.GetValueOrDefault(provider.Key) + 1;
        _progress?.Invoke(tree.HaveCount, tree.Summary.LeafCount);
        if (tree.IsComplete) End();
        else if (++_unflushed >= Math.Max(FlushEvery, tree.Summary.LeafCount / 16))
        {
            _unflushed = 0;
            _ = _content.FlushAsync().AsTask();
        }
    }

    // ---- Who is asked for what ----

    private void Take(IStoredContent content)
    {
        _content = content;
        _asked = new byte[content.Tree.Summary.LeafCount];
    }

    // A run of leaves that this provider has: of those that nobody was asked for, else of those that few were asked for.
    private (int First, int Count) Pick(Provider provider)
    {
        var tree = _content!.Tree;
        while (_next < _asked.Length && (tree.Has(_next) || _asked[_next] > 0)) _next++;
        var first = Find(_next, limit: 1);
        if (first < 0)
            for (var asked = 2; asked <= AskedMax && first < 0; asked++) first = Find(0, asked);
        if (first < 0) return default;
        var most = _asked[first] == 0 ? provider.AskCount : AskLeast;
        var count = 0;
        while (count < most && first + count < _asked.Length && MayAsk(first + count, _asked[first] + 1)) count++;
        for (var leaf = first; leaf < first + count; leaf++)
        {
            _asked[leaf]++;
            provider.Asked.Add(leaf);
        }
        return (first, count);

        int Find(int from, int limit)
        {
            for (var leaf = from; leaf < _asked.Length; leaf++)
                if (MayAsk(leaf, limit)) return leaf;
            return -1;
        }

        bool MayAsk(int leaf, int limit) => _asked[leaf] < limit && !tree.Has(leaf) && provider.Has(leaf) && !provider.Asked.Contains(leaf);
    }

    private void Release(int leaf)
    {
        if (_asked[leaf] > 0) _asked[leaf]--;
        if (_asked[leaf] == 0 && leaf < _next) _next = leaf;
        Wake();
    }

    // ---- The end ----

    private TaskCompletionSource? _change;

    private void Wake()
    {
        if (_change is not { } change) return;
        _change = null;
        _host.Environment.Loop.Post(() => change.TrySetResult());
    }

    private void End()
    {
        if (_isOver) return;
        _isOver = true;
        Wake();
        _ = EndAsync();
    }

    private async Task EndAsync()
    {
        if (_content is not null && _fetched > 0) await _content.FlushAsync();
        var missing = _content is { } content ? content.Tree.Summary.LeafCount - content.Tree.HaveCount : (int?)null;
        var outcome = new FetchOutcome(missing == 0 ? _content : null, missing, _fetched, [.. _liars], _from);
        _host.Environment.Loop.Post(() => _done.TrySetResult(outcome));
    }

    private sealed class Provider(PublicKey key)
    {
        public PublicKey Key => key;
        public bool Lied { get; set; }
        public byte[]? Have { get; set; } // null: all
        public int AskCount { get; set; } = AskLeast;
        public HashSet<int> Asked { get; } = [];
        public Queue<(int First, int Count, TimeSpan At)> Requests { get; } = new();
        public byte[] Header { get; } = new byte[ContentWire.LeafHeaderBytes];
        public byte[] Buffer { get; } = new byte[LeafTree.PathMax * Hash256.Bytes + LeafTree.LeafBytes];

        public bool Has(int leaf) => Have is null || (Have[leaf >> 3] >> (leaf & 7) & 1) != 0;

        public void MarkMissing(int leaf, int leaves)
        {
            if (Have is null)
            {
                Have = new byte[LeafTree.HaveBytes(leaves)];
                Array.Fill(Have, (byte)0xFF);
            }
            Have[leaf >> 3] &= (byte)~(1 << (leaf & 7));
        }
    }
}
