using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Runtime;
using Polder.Tests.Ledger;

namespace Polder.Tests.Contracts;

/// <summary>What a store works out of its blocks: records that both have signed, sums, days, and what is found by a part of a hash.</summary>
public abstract partial class BlockStoreContract
{
    [Fact]
    public async Task Agreed_records_are_there_once_with_sums_whatever_the_order_of_their_halves()
    {
        var store = Open();
        var (proposals, agreements) = Work.Records(_alice, _bob, [3, 5, 1L << 40, (1L << 40) + 1, 8]);
        // Agreement first, proposal first, one half only, the rest together.
        await AddAsync(agreements[0]);
        await AddAsync(proposals[0], proposals[1]);
        await AddAsync(agreements[1], proposals[2], proposals[3], agreements[2], agreements[3], proposals[4]);
        Check(store);
        store = await FlushedAsync(store);
        Check(store);
        await AddAsync(agreements[4]);
        Assert.Equal(3 + 5 + (1L << 40) + 8, store.SumsOf(_alice.Public.Bytes, "bytes").Gave);

        async Task AddAsync(params HalfBlock[] blocks)
        {
            store.AddRange(blocks);
            await store.FlushAsync();
        }

        void Check(IBlockStore held)
        {
            Assert.Equal(["bytes"], held.WorkUnits());
            var work = Work.Of(held, "bytes");
            Assert.Equal([3, 5, 1L << 40], work.Select(record => record.Amount).Order());
            Assert.All(work, record => Assert.Equal((_alice.Public.ToString(), _bob.Public.ToString()), (record.Contributor, record.Consumer)));
            Assert.Equal(new WorkSums(8 + (1L << 40), 0, 3), held.SumsOf(_alice.Public.Bytes, "bytes"));
            Assert.Equal(new WorkSums(0, 8 + (1L << 40), 3), held.SumsOf(_bob.Public.Bytes, "bytes"));
            Assert.Equal(default, held.SumsOf(_carol.Public.Bytes, "bytes"));
            Assert.Empty(Work.Of(held, "hours"));
        }
    }

    [Fact]
    public async Task A_record_goes_with_its_later_half_and_comes_again_once()
    {
        var store = Open();
        var (proposals, agreements) = Work.Records(_alice, _bob, [3, 5]);
        store.AddRange([proposals[0], agreements[0], proposals[1], agreements[1]]);
        await store.FlushAsync();
        Assert.Equal(1, await store.EvictAsync(1, static _ => false));
        if (store is MemoryBlockStore) return; // The model counts anew what is held in whole.
        Assert.Equal([3, 5], Work.Of(store, "bytes").Select(record => record.Amount).Order());
        store.Add(proposals[0]);
        await store.FlushAsync();
        Assert.Equal([3, 5], Work.Of(store, "bytes").Select(record => record.Amount).Order());
        // The later half of the first record, and then all.
        Assert.Equal(1, await store.EvictAsync(1, static _ => false));
        Assert.Equal([5], Work.Of(store, "bytes").Select(record => record.Amount));
        Assert.Equal(new WorkSums(5, 0, 1), store.SumsOf(_alice.Public.Bytes, "bytes"));
        store.Add(agreements[0]);
        await store.FlushAsync();
        Assert.Equal([3, 5], Work.Of(store, "bytes").Select(record => record.Amount).Order());
        for (var calls = 0; calls < 4 && store.Count > 0; calls++) await store.EvictAsync(10, static _ => false);
        Assert.Empty(Work.Of(store, "bytes"));
        Assert.Equal(default, store.SumsOf(_bob.Public.Bytes, "bytes"));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task The_accounts_are_those_of_a_plain_list(ulong seed)
    {
        var random = new Prng(seed);
        var (store, model) = (Open(), new MemoryBlockStore());
        foreach (var block in Work.Tangle(random, [_alice, _bob, _carol], 60))
        {
            Assert.Equal(model.Add(block), store.Add(block));
            if (random.Chance(0.03)) store = await FlushedAsync(store);
        }
        store = await FlushedAsync(store);
        await model.FlushAsync();
        foreach (var unit in model.WorkUnits())
        {
            Assert.Equal(Work.Of(model, unit).Order(), Work.Of(store, unit).Order());
            foreach (var person in (KeyPair[])[_alice, _bob, _carol]) Assert.Equal(model.SumsOf(person.Public.Bytes, unit), store.SumsOf(person.Public.Bytes, unit));
        }
        Assert.Equal(model.WorkUnits().Order(), store.WorkUnits().Order());
        Assert.Equal(model.Days(), store.Days());
        foreach (var person in (KeyPair[])[_alice, _bob, _carol])
            Assert.Equal(model.Naming(person.Public.Bytes), store.Naming(person.Public.Bytes));
    }

    [Fact]
    public async Task Blocks_are_found_by_the_beginning_of_their_hash()
    {
        var store = Open();
        var chain = Chains.Of(_alice, 40, _bob);
        store.AddRange(chain);
        Check(store);
        Check(await FlushedAsync(store));

        void Check(IBlockStore held)
        {
            foreach (var block in chain)
            {
                Assert.Equal(block, Assert.Single(held.FindByHash(block.Hash.ToArray(), 10)));
                Assert.Contains(block, held.FindByHash(block.Hash.ToArray().AsSpan(0, 2), 10));
                Assert.Equal(block, Assert.Single(held.FindByHash(block.Hash.ToArray().AsSpan(0, 9), 10)));
            }
            var none = chain[0].Hash.ToArray();
            none[31] ^= 1;
            Assert.Empty(held.FindByHash(none, 10));
        }
    }

    [Fact]
    public async Task Days_are_counted_by_what_was_signed_on_them()
    {
        var store = Open();
        const ulong day = 86_400_000;
        var first = Chains.Block(_alice, 1, _bob.Public.Bytes, 0, HalfBlock.GenesisHash, 20_000 * day);
        var second = Chains.Block(_alice, 2, _bob.Public.Bytes, 0, first.Hash, (20_000 * day) + 5);
        var third = Chains.Block(_alice, 3, _bob.Public.Bytes, 0, second.Hash, 20_001 * day);
        var undated = Chains.Block(_bob, 7, _alice.Public.Bytes, 0, third.Hash, ulong.MaxValue);
        store.AddRange([first, second, third, undated]);
        await store.FlushAsync();
        var date = DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays(20_000);
        Assert.Equal([new DayCount(null, 1, 1, 0), new DayCount(date, 2, 1, 1), new DayCount(date.AddDays(1), 1, 1, 0)], store.Days());
        Assert.True(store.DiskBytes > 0);
    }
}
