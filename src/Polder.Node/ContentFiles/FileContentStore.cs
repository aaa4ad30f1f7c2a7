using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Node.Folders;
using Polder.Overlay.Content;
using Polder.Runtime;

namespace Polder.Node.ContentFiles;

/// <summary>
/// Content in a folder: for each name a file of bytes (.leaves) and one of what is known about it (.tree), written whole and beside the old one.
/// Disk work is done by the workers. Files are untrusted: sizes are checked here, and leaves wherever they are served.
/// </summary>
/// <remarks>The .tree file: <code>
/// offset  size  field
///      0     8  "PLDC" 01 00 00 00
///      8     8  size of the content, big-endian
///     16    32  root of the hash tree
///     48     n  which leaves are here, and all hashes (LeafTree.Save)
/// </code></remarks>
public sealed class FileContentStore : IContentStore
{
    private const int HeaderBytes = 48;
    private const string TreeSuffix = ".tree", LeavesSuffix = ".leaves";

    private readonly string _folder;
    private readonly IWorkers _workers;
    private readonly long _bytesMax;
    private readonly SortedDictionary<Hash256, ContentSummary> _known = [];
    private readonly Dictionary<ContentId, WeakReference<Entry>> _open = [];
    private long _bytes;

    private FileContentStore(string folder, IWorkers workers, long bytesMax) => (_folder, _workers, _bytesMax) = (folder, workers, bytesMax);

    /// <summary>Opens a folder, making it if needed. Files that are not ours or not whole are passed over.</summary>
    /// <param name="folder">The folder, which belongs to this store alone.</param>
    /// <param name="workers">Who does the work on the disk.</param>
    /// <param name="bytesMax">What it holds at most, by the full sizes of its contents; default 16 GiB.</param>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    public static FileContentStore Open(string folder, IWorkers workers, long bytesMax = 16L << 30)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(workers);
        Directory.CreateDirectory(folder);
        var store = new FileContentStore(folder, workers, bytesMax);
        foreach (var path in Directory.EnumerateFiles(folder, "*" + TreeSuffix))
        {
            if (!ContentId.TryParse(Path.GetFileNameWithoutExtension(path), out var id)) continue;
            var header = new byte[HeaderBytes];
            try
            {
                using var file = File.OpenHandle(path);
                if (RandomAccess.Read(file, header, 0) != HeaderBytes) continue;
            }
            catch (IOException) { continue; }
            if (ReadHeader(header) is { } summary && summary.Id == id) store.Note(summary);
        }
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask<IStoredContent?> OpenAsync(ContentId id)
    {
        if (!_known.TryGetValue(id.Hash, out var summary)) return null;
        if (Opened(id) is { } open) return open;
        var path = PathOf(id, TreeSuffix);
        var tree = await _workers.RunAsync(() => Load(path, summary));
        // Somebody else may have opened it meanwhile.
        return Opened(id) ?? Remember(new Entry(this, tree ?? new LeafTree(summary)));
    }

    /// <inheritdoc/>
    public async ValueTask<IStoredContent?> CreateAsync(ContentSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        if (await OpenAsync(summary.Id) is { } known) return known;
        if (summary.Size > _bytesMax - _bytes) return null;
        Note(summary);
        return Remember(new Entry(this, new LeafTree(summary)));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RemoveAsync(ContentId id)
    {
        if (!_known.Remove(id.Hash, out var summary)) return false;
        _bytes -= summary.Size;
        if (Opened(id) is { } open) open.IsRemoved = true;
        _open.Remove(id);
        await _workers.RunAsync(() =>
        {
            File.Delete(PathOf(id, TreeSuffix));
            File.Delete(PathOf(id, LeavesSuffix));
            return true;
        });
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ContentSummary>> ListAsync() => ValueTask.FromResult<IReadOnlyList<ContentSummary>>([.. _known.Values]);

    private string PathOf(ContentId id, string suffix) => Path.Combine(_folder, id + suffix);

    private void Note(ContentSummary summary)
    {
        if (_known.TryAdd(summary.Id.Hash, summary)) _bytes += summary.Size;
    }

    private Entry? Opened(ContentId id) => _open.TryGetValue(id, out var weak) && weak.TryGetTarget(out var entry) ? entry : null;

    private Entry Remember(Entry entry)
    {
        _open[entry.Tree.Summary.Id] = new WeakReference<Entry>(entry);
        return entry;
    }

    private static ContentSummary? ReadHeader(ReadOnlySpan<byte> header)
    {
        if (header.Length < HeaderBytes || !header.StartsWith("PLDC\x01\0\0\0"u8)) return null;
        var size = BinaryPrimitives.ReadInt64BigEndian(header[8..]);
        if (size < 1 || size > (long)LeafTree.LeavesMax * LeafTree.LeafBytes) return null;
        return new ContentSummary(size, new Hash256(header.Slice(16, Hash256.Bytes)));
    }

    private static LeafTree? Load(string path, ContentSummary summary)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            return ReadHeader(bytes) == summary ? LeafTree.Load(summary, bytes.AsSpan(HeaderBytes)) : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return null; }
    }

    private sealed class Entry(FileContentStore store, LeafTree tree) : IStoredContent
    {
        private readonly string _leaves = store.PathOf(tree.Summary.Id, LeavesSuffix);
        private Task _flushed = Task.CompletedTask;

        public LeafTree Tree => tree;
        public bool IsRemoved { get; set; }

        public async ValueTask<bool> ReadAsync(int leaf, Memory<byte> bytes) => await store._workers.RunAsync(() =>
        {
            try
            {
                using var file = File.OpenHandle(_leaves, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                return RandomAccess.Read(file, bytes.Span, (long)leaf * LeafTree.LeafBytes) == bytes.Length;
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return false; }
        });

        public async ValueTask<bool> WriteAsync(int leaf, ReadOnlyMemory<byte> bytes)
        {
            if (bytes.Length != tree.Summary.LengthOf(leaf)) throw new ArgumentException($"Leaf {leaf} has {tree.Summary.LengthOf(leaf)} bytes.", nameof(bytes));
            if (IsRemoved) return false;
            return await store._workers.RunAsync(() =>
            {
                try
                {
                    using var file = File.OpenHandle(_leaves, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
                    RandomAccess.Write(file, bytes.Span, (long)leaf * LeafTree.LeafBytes);
                    return true;
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return false; }
            });
        }

        // One after the other: each writes the whole of what is known when its turn comes, after the bytes that it speaks of.
        public async ValueTask FlushAsync()
        {
            var before = _flushed;
            var mine = FlushAfterAsync(before);
            _flushed = mine;
            await mine;
        }

        private async Task FlushAfterAsync(Task before)
        {
            await before;
            if (IsRemoved) return;
            var saved = tree.Save();
            var content = new byte[HeaderBytes + saved.Length];
            "PLDC\x01\0\0\0"u8.CopyTo(content);
            BinaryPrimitives.WriteInt64BigEndian(content.AsSpan(8), tree.Summary.Size);
            tree.Summary.Root.CopyTo(content.AsSpan(16));
            saved.CopyTo(content, HeaderBytes);
            var path = store.PathOf(tree.Summary.Id, TreeSuffix);
            await store._workers.RunAsync(() =>
            {
                try
                {
                    using (var file = File.OpenHandle(_leaves, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                        RandomAccess.FlushToDisk(file);
                    DurableFile.Write(path, content);
                }
                // A full disk: what is known stays in memory, and the next flush tries again.
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
                return true;
            });
        }
    }
}
