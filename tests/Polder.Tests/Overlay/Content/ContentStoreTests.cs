#pragma warning disable xUnit1051
using Polder.Node.ContentFiles;
using Polder.Overlay.Content;
using Polder.Runtime;
using Polder.Tests.Contracts;
using Polder.Tests.Node;

namespace Polder.Tests.Overlay.Content;

public sealed class MemoryContentStoreTests : ContentStoreContract
{
    protected override IContentStore Open(long bytesMax) => new MemoryContentStore(bytesMax);
    protected override IContentStore Reopen(IContentStore store) => store;
}

public sealed class FileContentStoreTests : ContentStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected override IContentStore Open(long bytesMax) => FileContentStore.Open(Path.Combine(_folder.Path, "content"), new InlineWorkers(), bytesMax);
    protected override IContentStore Reopen(IContentStore store) => Open(1 << 20);
    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Damaged_and_foreign_files_are_passed_over()
    {
        var store = Open(1 << 20);
        var bytes = Streams.StreamTests.Bytes(100_000);
        var whole = Whole(bytes);
        var content = (await store.CreateAsync(whole.Summary))!;
        for (var leaf = 0; leaf < whole.Summary.LeafCount; leaf++) await WriteAsync(content, whole, bytes, leaf);
        await content.FlushAsync();
        var path = Directory.GetFiles(Path.Combine(_folder.Path, "content"), "*.tree").Single();
        File.WriteAllText(Path.Combine(_folder.Path, "content", "readme.tree"), "mine");
        File.WriteAllText(Path.Combine(_folder.Path, "content", new string('a', 64) + ".tree"), "short");
        var good = File.ReadAllBytes(path);
        for (var cut = 0; cut < good.Length; cut += 7)
        {
            File.WriteAllBytes(path, good[..cut]);
            var again = await Open(1 << 20).OpenAsync(whole.Summary.Id);
            Assert.True(again is null || again.Tree.HaveCount == 0);
        }
    }

    private sealed class InlineWorkers : IWorkers
    {
        public int Parallelism => 1;
        public Task<T> RunAsync<T>(Func<T> work) => Task.FromResult(work());
    }
}
