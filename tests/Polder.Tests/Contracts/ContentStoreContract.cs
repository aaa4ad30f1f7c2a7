#pragma warning disable xUnit1051 // nothing is waited for
using Polder.Cryptography;
using Polder.Overlay.Content;
using Polder.Tests.Overlay.Streams;

namespace Polder.Tests.Contracts;

/// <summary>What every content store promises. A store's test class derives from this and says how to open one, and how to open it again.</summary>
public abstract class ContentStoreContract
{
    private const int Room = 1 << 20;

    /// <summary>A new, empty store that holds 1 MiB.</summary>
    protected abstract IContentStore Open(long bytesMax);

    /// <summary>The same store as after a restart: what was flushed is there.</summary>
    protected abstract IContentStore Reopen(IContentStore store);

    [Fact]
    public async Task An_empty_store_has_nothing()
    {
        var store = Open(Room);
        Assert.Null(await store.OpenAsync(new ContentId(Hash256.Of([1]))));
        Assert.False(await store.RemoveAsync(new ContentId(Hash256.Of([1]))));
        Assert.Empty(await store.ListAsync());
    }

    [Theory]
    [InlineData(1), InlineData(LeafTree.LeafBytes), InlineData(LeafTree.LeafBytes + 1), InlineData(5 * LeafTree.LeafBytes + 77)]
    public async Task What_is_written_and_flushed_is_there_after_a_restart(int size)
    {
        var store = Open(Room);
        var bytes = StreamTests.Bytes(size);
        var whole = Whole(bytes);
        var content = (await store.CreateAsync(whole.Summary))!;
        Assert.Same(content, await store.CreateAsync(whole.Summary));
        Assert.False(content.Tree.IsComplete);
        for (var leaf = whole.Summary.LeafCount - 1; leaf >= 0; leaf--) await WriteAsync(content, whole, bytes, leaf);
        Assert.True(content.Tree.IsComplete);
        await content.FlushAsync();
        store = Reopen(store);
        Assert.Equal(whole.Summary, Assert.Single(await store.ListAsync()));
        var again = (await store.OpenAsync(whole.Summary.Id))!;
        Assert.True(again.Tree.IsComplete);
        for (var leaf = 0; leaf < whole.Summary.LeafCount; leaf++)
        {
            var read = new byte[whole.Summary.LengthOf(leaf)];
            Assert.True(await again.ReadAsync(leaf, read));
            Assert.True(read.AsSpan().SequenceEqual(bytes.AsSpan(leaf * LeafTree.LeafBytes, read.Length)));
            Assert.Equal(whole[leaf], again.Tree[leaf]);
        }
        Assert.True(await store.RemoveAsync(whole.Summary.Id));
        Assert.Null(await store.OpenAsync(whole.Summary.Id));
    }

    [Fact]
    public async Task A_part_is_known_as_a_part()
    {
        var store = Open(Room);
        var bytes = StreamTests.Bytes(10 * LeafTree.LeafBytes + 5);
        var whole = Whole(bytes);
        var content = (await store.CreateAsync(whole.Summary))!;
        foreach (var leaf in new[] { 3, 7, 10 }) await WriteAsync(content, whole, bytes, leaf);
        await content.FlushAsync();
        store = Reopen(store);
        var tree = (await store.OpenAsync(whole.Summary.Id))!.Tree;
        Assert.Equal(3, tree.HaveCount);
        Assert.True(tree.Has(3) && tree.Has(7) && tree.Has(10) && !tree.Has(0));
        var path = new Hash256[LeafTree.PathMax];
        Assert.Equal(tree.PathLength(7), tree.WritePath(7, path));
    }

    [Fact]
    public async Task A_store_without_room_says_so_and_has_room_again_after_a_removal()
    {
        var store = Open(Room);
        var (first, second) = (Whole(StreamTests.Bytes(600_000, 1)), Whole(StreamTests.Bytes(600_000, 2)));
        Assert.NotNull(await store.CreateAsync(first.Summary));
        Assert.Null(await store.CreateAsync(second.Summary));
        Assert.True(await store.RemoveAsync(first.Summary.Id));
        Assert.NotNull(await store.CreateAsync(second.Summary));
    }

    internal static LeafTree Whole(byte[] bytes) => LeafTree.Of(bytes.Length, [.. bytes.Chunk(LeafTree.LeafBytes).Select(leaf => LeafTree.HashLeaf(leaf))]);

    internal static async Task WriteAsync(IStoredContent content, LeafTree whole, byte[] bytes, int leaf)
    {
        var path = new Hash256[LeafTree.PathMax];
        var data = bytes.AsMemory(leaf * LeafTree.LeafBytes, whole.Summary.LengthOf(leaf));
        Assert.True(content.Tree.TryAdd(leaf, LeafTree.HashLeaf(data.Span), path.AsSpan(0, whole.WritePath(leaf, path))));
        Assert.True(await content.WriteAsync(leaf, data));
        content.Tree.Note(leaf);
    }
}
