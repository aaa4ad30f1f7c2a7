using Polder.Ledger.Stores;
using Polder.Tests.Contracts;

namespace Polder.Tests.Ledger;

public sealed class MemoryBlockStoreTests : BlockStoreContract
{
    private MemoryPlatter _platter = new();

    protected override IBlockStore Open() => new MemoryBlockStore(_platter = new MemoryPlatter());

    protected override IBlockStore Reopen(IBlockStore store) => new MemoryBlockStore(_platter);

    [Fact]
    public void What_was_not_flushed_is_forgotten_by_a_crash()
    {
        var store = Open();
        var chain = Chains.Of(Chains.Key(1), 3, Chains.Key(2));
        store.Add(chain[0]);
        store.FlushAsync();
        store.Add(chain[1]);
        Assert.Equal([chain[0]], Reopen(store).All());
    }

    [Fact]
    public async Task A_torn_write_keeps_a_beginning_fails_the_flush_and_is_made_whole_by_a_later_one()
    {
        var platter = new MemoryPlatter();
        var isWell = false;
        var store = new MemoryBlockStore(platter, records => Task.FromResult(isWell ? records : records / 2));
        var chain = Chains.Of(Chains.Key(1), 4, Chains.Key(2));
        store.AddRange(chain);
        await Assert.ThrowsAsync<IOException>(store.FlushAsync);
        Assert.Equal(chain[..2], new MemoryBlockStore(platter).All());
        await Assert.ThrowsAsync<IOException>(store.FlushAsync);
        isWell = true;
        await store.FlushAsync();
        Assert.Equal(chain, new MemoryBlockStore(platter).All());
    }

    [Fact]
    public async Task Flushes_asked_for_during_a_commit_share_the_next_one()
    {
        List<(int Records, TaskCompletionSource<int> Done)> commits = [];
        var store = new MemoryBlockStore(null, records =>
        {
            var done = new TaskCompletionSource<int>();
            commits.Add((records, done));
            return done.Task;
        });
        var chain = Chains.Of(Chains.Key(1), 4, Chains.Key(2));
        store.Add(chain[0]);
        var first = store.FlushAsync();
        store.Add(chain[1]);
        var second = store.FlushAsync();
        store.Add(chain[2]);
        var third = store.FlushAsync();
        Assert.Equal(1, Assert.Single(commits).Records);
        commits[0].Done.SetResult(1);
        await first;
        Assert.False(second.IsCompleted);
        Assert.Equal(2, commits[1].Records);
        store.Add(chain[3]);
        commits[1].Done.SetResult(2);
        await Task.WhenAll(second, third);
        Assert.Equal(1, store.Unflushed);
    }
}
