using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Node;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>A node on a real disk under a flood of valid blocks of strangers: the limit holds, and what must stay stays.</summary>
public sealed class StoreQuotaTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_flood_of_valid_foreign_blocks_stays_within_the_disk_limit_and_own_and_disputed_blocks_stay()
    {
        const long limit = 16L << 20;
        var options = new NodeOptions { Data = _folder.At("node"), Port = 0, Loopback = true, LedgerDiskMax = limit };
        var disputed = (First: Chains.Of(Chains.Key(5), 1, Chains.Key(6))[0], Second: Chains.Of(Chains.Key(5), 1, Chains.Key(7))[0]);
        await using var node = await new NodeBuilder(options).StartAsync(TestContext.Current.CancellationToken);
        await node.InvokeAsync(() => node.Ledger.Replayed);
        var own = await node.InvokeAsync(() => node.Ledger.Propose(Chains.Key(3).Public, "test"u8, "a0d"u8).Block);
        await node.InvokeAsync(() => (node.Ledger.Import(disputed.First), node.Ledger.Import(disputed.Second)));
        var partner = Chains.Block(Chains.Key(3), 1, node.Identity.Bytes, own.Sequence, HalfBlock.GenesisHash);
        await node.InvokeAsync(() => node.Ledger.Import(partner));

        // 90,000 blocks of 45,000 chains that nobody knows: some 30 MB. Their signatures would take a minute; the store looks at none.
        var most = 0L;
        for (var round = 0; round < 45; round++)
        {
            await node.InvokeAsync(async () =>
            {
                var flood = new List<HalfBlock>(2_000);
                for (var i = 0; i < 1_000; i++)
                    flood.AddRange([SqliteBlockStoreTests.Unsigned(10 + (round * 1_000) + i, 1), SqliteBlockStoreTests.Unsigned(10 + (round * 1_000) + i, 2)]);
                if (node.Ledger.Store.DiskBytes < limit) node.Ledger.Store.AddRange(flood);
                await node.Ledger.Store.FlushAsync();
                return true;
            });
            most = Math.Max(most, await node.InvokeAsync(() => node.Ledger.Store.DiskBytes));
            for (var waits = 0; waits < 100 && await node.InvokeAsync(() => node.Ledger.Store.DiskBytes > limit / 10 * 9); waits++) await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.InRange(most, limit / 2, limit + (2 << 20));
        Assert.InRange(new FileInfo(_folder.At("node/polder.db")).Length, 0, limit + (4 << 20));
        await node.InvokeAsync(() =>
        {
            var store = node.Ledger.Store;
            Assert.True(node.Ledger.Counters[LedgerCount.BlocksEvicted] > 1_000);
            Assert.InRange(store.Count, 1_000, 100_000);
            Assert.Equal(own, store.Get(node.Identity.Bytes, own.Sequence));
            Assert.Equal(partner, store.Get(partner.PublicKey, 1));
            Assert.Equal(disputed.First, store.Get(disputed.First.PublicKey, 1));
            Assert.Single(store.Frauds());
            // At the limit itself, nothing more of strangers is taken in; what concerns us is.
            Assert.Null(store.Get(SqliteBlockStoreTests.Unsigned(10, 1).Hash));
        });
    }
}
