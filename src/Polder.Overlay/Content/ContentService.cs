using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;

namespace Polder.Overlay.Content;

/// <summary>How a fetch went.</summary>
/// <param name="Content">The content, whole; null when leaves are missing. What came is kept, so that fetching again goes on there.</param>
/// <param name="LeavesMissing">How many are missing; null when nobody even told the size.</param>
/// <param name="LeavesFetched">How many came, of this fetch.</param>
/// <param name="Liars">Who sent something that is not what the name says.</param>
/// <param name="LeavesFrom">How many came from whom.</param>
public sealed record FetchOutcome(
    IStoredContent? Content, int? LeavesMissing, int LeavesFetched, IReadOnlyList<PublicKey> Liars, IReadOnlyDictionary<PublicKey, int> LeavesFrom);

/// <summary>
/// Content by name (OV-9.6): adds it, serves it to peers, and fetches it from several peers at once. Used on the node's loop.
/// </summary>
public sealed class ContentService
{
    private readonly NodeHost _host;
    private readonly Dictionary<ContentId, ContentFetch> _fetches = [];
    private readonly Dictionary<Session, int> _servedTo = [];
    private int _served;

    internal ContentService(NodeHost host, IContentStore store)
    {
        (_host, Store) = (host, store);
        host.Streams.Accept(ContentWire.ProtocolName, ServeAsync);
    }

    /// <summary>Where it lies.</summary>
    public IContentStore Store { get; }

    /// <summary>Leaves sent to peers since the start.</summary>
    public long LeavesServed { get; private set; }

    /// <summary>Requests that were refused because too many were being served.</summary>
    public long Refused { get; private set; }

    /// <summary>Adds content and gives it; from now on peers can have it. Null: the store has no room. Hashing is done off the loop.</summary>
    public async Task<IStoredContent?> AddAsync(ReadOnlyMemory<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes.Length, nameof(bytes));
        var whole = await _host.Environment.Workers.RunAsync(() => LeafTree.Of(bytes.Length, HashesOf(bytes)));
        return await AddAsync(whole, (leaf, length) => ValueTask.FromResult(bytes.Slice(leaf * LeafTree.LeafBytes, length)));
    }

    /// <summary>Adds content from a stream that can seek, such as a file: it is read twice. Null: the store has no room.</summary>
    public async Task<IStoredContent?> AddAsync(Stream source, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var size = source.Length - source.Position;
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(source));
        var (began, buffer) = (source.Position, new byte[LeafTree.LeafBytes]);
        var hashes = new List<Hash256>();
        for (var left = size; left > 0; left -= LeafTree.LeafBytes)
        {
            var length = (int)Math.Min(left, LeafTree.LeafBytes);
            await source.ReadExactlyAsync(buffer.AsMemory(0, length), cancel);
            hashes.Add(await _host.Environment.Workers.RunAsync(() => LeafTree.HashLeaf(buffer.AsSpan(0, length))));
        }
        source.Position = began;
        return await AddAsync(LeafTree.Of(size, hashes), async (_, length) =>
        {
            await source.ReadExactlyAsync(buffer.AsMemory(0, length), cancel);
            return buffer.AsMemory(0, length);
        });
    }

    /// <summary>
    /// Fetches content from peers that may have it, several at once; what is here already is not asked for. Each leaf is checked when it
    /// comes; a provider that sends a wrong one is dropped. A second fetch of the same name joins the first.
    /// </summary>
    /// <param name="id">Its name.</param>
    /// <param name="providers">Who may have it, the best first.</param>
    /// <param name="progress">Told on the loop how many leaves are here, of how many.</param>
    /// <param name="cancel">Stops it; what came is kept.</param>
    public Task<FetchOutcome> FetchAsync(ContentId id, IReadOnlyList<PublicKey> providers, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(providers);
        if (_fetches.TryGetValue(id, out var running))
        {
            running.Add(providers);
            return running.Task;
        }
        var fetch = new ContentFetch(_host, Store, id, progress, cancel);
        _fetches.Add(id, fetch);
        fetch.Add(providers);
        return RunAsync();

        async Task<FetchOutcome> RunAsync()
        {
            try { return await fetch.RunAsync(); }
            finally { _fetches.Remove(id); }
        }
    }

    private static List<Hash256> HashesOf(ReadOnlyMemory<byte> bytes)
    {
        var hashes = new List<Hash256>((bytes.Length + LeafTree.LeafBytes - 1) / LeafTree.LeafBytes);
        for (var at = 0; at < bytes.Length; at += LeafTree.LeafBytes)
            hashes.Add(LeafTree.HashLeaf(bytes.Span.Slice(at, Math.Min(LeafTree.LeafBytes, bytes.Length - at))));
        return hashes;
    }

    private async Task<IStoredContent?> AddAsync(LeafTree whole, Func<int, int, ValueTask<ReadOnlyMemory<byte>>> read)
    {
        var summary = whole.Summary;
        if (await Store.CreateAsync(summary) is not { } content) return null;
        var path = new Hash256[LeafTree.PathMax];
        for (var leaf = 0; leaf < summary.LeafCount; leaf++)
        {
            var bytes = await read(leaf, summary.LengthOf(leaf));
            if (content.Tree.Has(leaf)) continue;
            if (!await content.WriteAsync(leaf, bytes)) return null;
            // Between the two readings a file may have changed: then its leaf does not belong to the name.
            if (!content.Tree.TryAdd(leaf, LeafTree.HashLeaf(bytes.Span), path.AsSpan(0, whole.WritePath(leaf, path)))) return null;
            content.Tree.Note(leaf);
        }
        await content.FlushAsync();
        return content;
    }

    // ---- Serving ----

    private async Task ServeAsync(PeerStream stream)
    {
        var count = _servedTo.GetValueOrDefault(stream.Session);
        if (count >= _host.Options.Content.ServedPerPeerMax || _served >= _host.Options.Content.ServedMax)
        {
            Refused++;
            await stream.WriteAsync(new[] { (byte)Holding.Busy });
            return;
        }
        _servedTo[stream.Session] = count + 1;
        _served++;
        try { await ServeAdmittedAsync(stream); }
        finally
        {
            _served--;
            if (_servedTo.GetValueOrDefault(stream.Session) is var now and > 1) _servedTo[stream.Session] = now - 1;
            else _servedTo.Remove(stream.Session);
        }
    }

    private async Task ServeAdmittedAsync(PeerStream stream)
    {
        using var patience = new CancellationTokenSource(_host.Options.Content.Patience * 4, _host.Environment.Time);
        var name = new byte[ContentId.Bytes];
        if (!await stream.ReadExactlyAsync(name, patience.Token)) return;
        var content = await Store.OpenAsync(new ContentId(new Hash256(name)));
        if (content is null || content.Tree.HaveCount == 0)
        {
            await stream.WriteAsync(new[] { (byte)Holding.Nothing }, patience.Token);
            return;
        }
        await stream.WriteAsync(Beginning(content.Tree), patience.Token);
        var ask = new byte[ContentWire.AskBytes];
        var answer = new byte[ContentWire.LeafHeaderBytes + LeafTree.PathMax * Hash256.Bytes + LeafTree.LeafBytes];
        while (true)
        {
            patience.CancelAfter(_host.Options.Content.Patience * 4);
            if (!await stream.ReadExactlyAsync(ask, patience.Token)) return;
            if (!ContentWire.TryReadAsk(ask, content.Tree.Summary.LeafCount, out var first, out var count))
            {
                stream.Reset(StreamCodes.BadBeginning);
                return;
            }
            for (var leaf = first; leaf < first + count; leaf++)
            {
                var length = await AnswerAsync(content, leaf, answer);
                await stream.WriteAsync(answer.AsMemory(0, length), patience.Token);
            }
        }
    }

    private static byte[] Beginning(LeafTree tree)
    {
        var summary = tree.Summary;
        var bytes = new byte[1 + ContentWire.SummaryBytes + (tree.IsComplete ? 0 : LeafTree.HaveBytes(summary.LeafCount))];
        bytes[0] = (byte)(tree.IsComplete ? Holding.All : Holding.Part);
        ContentWire.WriteSummary(bytes.AsSpan(1), summary);
        if (!tree.IsComplete) tree.WriteHave(bytes.AsSpan(1 + ContentWire.SummaryBytes));
        return bytes;
    }

    // Writes the answer for one leaf and gives its length. What lies in the store is checked before it goes out: a disk may lie too.
    private async ValueTask<int> AnswerAsync(IStoredContent content, int leaf, byte[] answer)
    {
        var tree = content.Tree;
        var length = tree.Summary.LengthOf(leaf);
        var path = tree.PathLength(leaf);
        var at = ContentWire.LeafHeaderBytes + path * Hash256.Bytes;
        if (tree.Has(leaf) && await content.ReadAsync(leaf, answer.AsMemory(at, length)) && TryWritePath(tree, leaf, path, answer))
        {
            if (LeafTree.HashLeaf(answer.AsSpan(at, length)) == tree[leaf])
            {
                ContentWire.WriteLeafHeader(answer, leaf, length, path);
                LeavesServed++;
                return at + length;
            }
            tree.Forget(leaf);
        }
        ContentWire.WriteLeafHeader(answer, leaf, 0, 0);
        return ContentWire.LeafHeaderBytes;
    }

    private static bool TryWritePath(LeafTree tree, int leaf, int length, byte[] answer)
    {
        Span<Hash256> path = stackalloc Hash256[LeafTree.PathMax];
        if (tree.WritePath(leaf, path) != length) return false;
        for (var i = 0; i < length; i++) path[i].CopyTo(answer.AsSpan(ContentWire.LeafHeaderBytes + i * Hash256.Bytes));
        return true;
    }
}
