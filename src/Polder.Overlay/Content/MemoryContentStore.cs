namespace Polder.Overlay.Content;

/// <summary>Content in memory: for tests, simulations and nodes without a disk. It forgets nothing while it lives.</summary>
/// <param name="bytesMax">What it holds at most, by the full sizes of its contents; default 256 MiB.</param>
public sealed class MemoryContentStore(long bytesMax = 256 << 20) : IContentStore
{
    private readonly Dictionary<ContentId, Entry> _contents = [];
    private long _bytes;

    /// <inheritdoc/>
    public ValueTask<IStoredContent?> OpenAsync(ContentId id) => ValueTask.FromResult<IStoredContent?>(_contents.GetValueOrDefault(id));

    /// <inheritdoc/>
    public ValueTask<IStoredContent?> CreateAsync(ContentSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        if (_contents.TryGetValue(summary.Id, out var known)) return ValueTask.FromResult<IStoredContent?>(known);
        if (summary.Size > bytesMax - _bytes) return ValueTask.FromResult<IStoredContent?>(null);
        _bytes += summary.Size;
        var entry = new Entry(summary);
        _contents.Add(summary.Id, entry);
        return ValueTask.FromResult<IStoredContent?>(entry);
    }

    /// <inheritdoc/>
    public ValueTask<bool> RemoveAsync(ContentId id)
    {
        if (!_contents.Remove(id, out var entry)) return ValueTask.FromResult(false);
        _bytes -= entry.Tree.Summary.Size;
        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ContentSummary>> ListAsync() =>
        ValueTask.FromResult<IReadOnlyList<ContentSummary>>([.. _contents.Values.Select(static entry => entry.Tree.Summary).OrderBy(static summary => summary.Id.Hash)]);

    private sealed class Entry(ContentSummary summary) : IStoredContent
    {
        private readonly byte[]?[] _leaves = new byte[]?[summary.LeafCount];

        public LeafTree Tree { get; } = new(summary);

        public ValueTask<bool> ReadAsync(int leaf, Memory<byte> bytes)
        {
            if (_leaves[leaf] is not { } stored || stored.Length != bytes.Length) return ValueTask.FromResult(false);
            stored.CopyTo(bytes);
            return ValueTask.FromResult(true);
        }

        public ValueTask<bool> WriteAsync(int leaf, ReadOnlyMemory<byte> bytes)
        {
            if (bytes.Length != summary.LengthOf(leaf)) throw new ArgumentException($"Leaf {leaf} has {summary.LengthOf(leaf)} bytes.", nameof(bytes));
            _leaves[leaf] = bytes.ToArray();
            return ValueTask.FromResult(true);
        }

        public ValueTask FlushAsync() => ValueTask.CompletedTask;
    }
}
