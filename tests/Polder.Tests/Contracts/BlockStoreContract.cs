using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Runtime;
using Polder.Tests.Ledger;

namespace Polder.Tests.Contracts;

/// <summary>What every block store promises. A store's test class derives from this and says how to open one, and how to lose power.</summary>
public abstract partial class BlockStoreContract
{
    private readonly KeyPair _alice = Chains.Key(1), _bob = Chains.Key(2), _carol = Chains.Key(3);

    /// <summary>A new, empty store.</summary>
    protected abstract IBlockStore Open();

    /// <summary>The same store as after a power cut and a restart: what was not flushed is gone, or not; what was flushed is there.</summary>
    protected abstract IBlockStore Reopen(IBlockStore store);

    [Fact]
    public void An_empty_store_has_nothing()
    {
        var store = Open();
        var key = _alice.Public.Bytes;
        Assert.Equal(0, store.Count);
        Assert.Equal(0, store.CountOf(key));
        Assert.Empty(store.Chains());
        Assert.Null(store.Get(key, 1));
        Assert.Null(store.Get(HalfBlock.GenesisHash));
        Assert.Null(store.Latest(key));
        Assert.Null(store.Before(key, 5));
        Assert.Null(store.After(key, 0));
        Assert.Empty(store.Range(key, 1, 100, 10));
        Assert.Empty(store.LinkingTo(key, 1, 100, 10));
        Assert.Equal(1u, store.LowestUnknown(key));
        Assert.Equal((1u, 1u), store.LowestUnknownRange(key));
        Assert.Empty(store.All());
        Assert.Empty(store.Frauds());
        Assert.Null(store.FraudOf(key));
        Assert.False(store.IsRefused(HalfBlock.GenesisHash));
        Assert.Empty(store.Refused(key));
    }

    [Fact]
    public async Task A_block_is_found_by_place_and_by_hash_before_and_after_the_flush()
    {
        var store = Open();
        var block = Chains.Of(_alice, 1, _bob)[0];
        Assert.True(store.Add(block));
        Check();
        await store.FlushAsync();
        Check();

        void Check()
        {
            Assert.Equal(block, store.Get(_alice.Public.Bytes, 1));
            Assert.Equal(block, store.Get(block.Hash));
            Assert.Equal(block, store.Latest(_alice.Public.Bytes));
            Assert.Equal(block, Assert.Single(store.All()));
            Assert.Equal(1, store.Count);
            Assert.Equal(1, store.CountOf(_alice.Public.Bytes));
            Assert.Equal(2u, store.LowestUnknown(_alice.Public.Bytes));
            var summary = Assert.Single(store.Chains());
            Assert.Equal(_alice.Public.Bytes, summary.Key.Span);
            Assert.Equal((1, 1u), (summary.Blocks, summary.Latest));
        }
    }

    [Fact]
    public void The_first_block_at_a_place_stays()
    {
        var store = Open();
        var first = Chains.Of(_alice, 1, _bob)[0];
        var second = Chains.Of(_alice, 1, _carol)[0];
        Assert.True(store.Add(first));
        Assert.False(store.Add(first));
        Assert.False(store.Add(second));
        store.AddRange([second, first]);
        Assert.Equal(first, store.Get(_alice.Public.Bytes, 1));
        Assert.Null(store.Get(second.Hash));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void Neighbours_and_gaps_are_found()
    {
        var store = Open();
        var chain = Chains.Of(_alice, 9, _bob);
        foreach (var number in (int[])[7, 2, 3, 9]) Assert.True(store.Add(chain[number - 1]));
        var key = _alice.Public.Bytes;

        Assert.Equal(9u, store.Latest(key)!.Sequence);
        Assert.Equal(1u, store.LowestUnknown(key));
        Assert.Equal((1u, 1u), store.LowestUnknownRange(key));
        Assert.Null(store.Before(key, 2));
        Assert.Equal(2u, store.Before(key, 3)!.Sequence);
        Assert.Equal(3u, store.Before(key, 7)!.Sequence);
        Assert.Equal(9u, store.Before(key, uint.MaxValue)!.Sequence);
        Assert.Equal(2u, store.After(key, 0)!.Sequence);
        Assert.Equal(7u, store.After(key, 3)!.Sequence);
        Assert.Equal(7u, store.After(key, 5)!.Sequence);
        Assert.Null(store.After(key, 9));
        Assert.Equal(5, store.MissingOf(key));

        store.AddRange([chain[0]]);
        Assert.Equal((4u, 6u), store.LowestUnknownRange(key));
        store.AddRange([chain[4], chain[5], chain[3]]);
        Assert.Equal((8u, 8u), store.LowestUnknownRange(key));
        store.AddRange([chain[7]]);
        Assert.Equal((10u, 10u), store.LowestUnknownRange(key));
        Assert.Equal(0, store.MissingOf(key));
    }

    [Fact]
    public void A_range_is_in_order_and_bounded()
    {
        var store = Open();
        var chain = Chains.Of(_alice, 30, _bob);
        store.AddRange([.. chain.Where(block => block.Sequence != 12).Reverse()]);
        var key = _alice.Public.Bytes;
        Assert.Equal([10u, 11u, 13u, 14u], store.Range(key, 10, 14, 100).Select(block => block.Sequence));
        Assert.Equal([1u, 2u, 3u], store.Range(key, 0, uint.MaxValue, 3).Select(block => block.Sequence));
        Assert.Empty(store.Range(key, 31, uint.MaxValue, 3));
        Assert.Empty(store.Range(key, 14, 10, 3));
        Assert.Empty(store.Range(_bob.Public.Bytes, 1, 30, 3));
    }

    [Fact]
    public void Blocks_that_link_to_a_chain_are_found_by_its_numbers()
    {
        var store = Open();
        var proposals = Chains.Of(_alice, 3, _bob);
        var agreements = Chains.Agree(_bob, proposals);
        store.AddRange(agreements);
        Assert.Equal(agreements, store.LinkingTo(_alice.Public.Bytes, 1, 3, 10));
        Assert.Equal([agreements[1]], store.LinkingTo(_alice.Public.Bytes, 2, 2, 10));
        Assert.Equal(agreements[..2], store.LinkingTo(_alice.Public.Bytes, 0, uint.MaxValue, 2));
        Assert.Empty(store.LinkingTo(_bob.Public.Bytes, 0, uint.MaxValue, 10));
        Assert.Empty(store.Linked(agreements[0]));

        store.AddRange(proposals);
        Assert.Equal([agreements[0]], store.Linked(proposals[0]));
        Assert.Equal([proposals[0]], store.Linked(agreements[0]));
        Assert.Empty(store.LinkingTo(HalfBlock.AnyCounterparty, 0, uint.MaxValue, 10));
    }

    [Fact]
    public void All_takers_of_a_source_block_are_found_oldest_first()
    {
        var store = Open();
        var source = Chains.Block(_alice, 1, HalfBlock.AnyCounterparty, 0, HalfBlock.GenesisHash, timestamp: 10);
        var carols = Chains.Block(_carol, 1, _alice.Public.Bytes, 1, HalfBlock.GenesisHash, timestamp: 30);
        var bobs = Chains.Block(_bob, 1, _alice.Public.Bytes, 1, HalfBlock.GenesisHash, timestamp: 20);
        store.AddRange([carols, source, bobs]);
        Assert.Equal([bobs, carols], store.Linked(source));
        Assert.Equal([carols, bobs], store.LinkingTo(_alice.Public.Bytes, 1, 1, 10));
        Assert.Equal([source], store.Linked(carols));
    }

    [Fact]
    public void A_link_key_may_be_any_bytes()
    {
        var store = Open();
        var nobody = new byte[74];
        var block = Chains.Block(_alice, 1, nobody, 4, HalfBlock.GenesisHash);
        Assert.True(store.Add(block));
        Assert.Equal([block], store.LinkingTo(nobody, 4, 4, 10));
        Assert.Null(store.Get(nobody, 4));
        Assert.Single(store.Chains());
    }

    [Fact]
    public async Task Numbers_up_to_the_end_of_32_bits_are_kept()
    {
        var store = Open();
        var block = Chains.Block(_alice, uint.MaxValue, _bob.Public.Bytes, uint.MaxValue, Hash256.Of([1]), timestamp: ulong.MaxValue);
        Assert.True(store.Add(block));
        Assert.Equal(block, store.Latest(_alice.Public.Bytes));
        Assert.Equal(block, store.Get(_alice.Public.Bytes, uint.MaxValue));
        Assert.Equal([block], store.LinkingTo(_bob.Public.Bytes, 1, uint.MaxValue, 10));
        Assert.Equal((1u, uint.MaxValue - 1), store.LowestUnknownRange(_alice.Public.Bytes));
        store = await FlushedAsync(store);
        Assert.Equal(block, store.After(_alice.Public.Bytes, 7));
        Assert.Equal(ulong.MaxValue, store.Get(block.Hash)!.Timestamp);
    }

    [Fact]
    public async Task Blocks_come_back_in_the_order_they_were_added()
    {
        var store = Open();
        var proposals = Chains.Of(_alice, 5, _bob);
        var agreements = Chains.Agree(_bob, proposals);
        List<HalfBlock> order = [proposals[3], agreements[3], agreements[0], proposals[0], proposals[4]];
        foreach (var block in order.Take(3)) store.Add(block);
        store.AddRange([.. order.Skip(3)]);
        Assert.Equal(order, store.All());
        Assert.Equal(order, (await FlushedAsync(store)).All());
    }

    [Fact]
    public async Task Both_blocks_of_a_fraud_are_kept_once()
    {
        var store = Open();
        var first = Chains.Of(_alice, 1, _bob)[0];
        var second = Chains.Of(_alice, 1, _carol)[0];
        store.Add(first);
        Assert.True(store.AddFraud(new FraudProof(FraudKind.DoubleSign, first, second)));
        Assert.False(store.AddFraud(new FraudProof(FraudKind.DoubleSign, second, first)));
        Check(store);
        Check(await FlushedAsync(store));

        void Check(IBlockStore kept)
        {
            var proof = Assert.Single(kept.Frauds());
            Assert.Equal((FraudKind.DoubleSign, first, second), (proof.Kind, proof.First, proof.Second));
            Assert.NotNull(kept.FraudOf(_alice.Public.Bytes));
            Assert.Null(kept.FraudOf(_bob.Public.Bytes));
            Assert.Equal(first, kept.Get(_alice.Public.Bytes, 1));
        }
    }

    [Fact]
    public async Task Refusals_are_remembered()
    {
        var store = Open();
        var proposal = Chains.Of(_alice, 1, _bob)[0];
        store.AddRefusal(proposal.Hash);
        store.AddRefusal(proposal.Hash);
        Assert.True(store.IsRefused(proposal.Hash));
        store = await FlushedAsync(store);
        Assert.True(store.IsRefused(proposal.Hash));
        Assert.False(store.IsRefused(Hash256.Of([1])));
    }

    [Fact]
    public void Refused_blocks_are_listed_once_and_bounded()
    {
        var store = Open();
        var chain = Chains.Of(_alice, Polder.Ledger.Limits.RefusedBlocksMax + 1, _bob);
        store.AddRefused(new RefusedBlock(Chains.Of(_bob, 1, _alice)[0], "why not"));
        foreach (var block in chain) store.AddRefused(new RefusedBlock(block, "why"));
        store.AddRefused(new RefusedBlock(chain[^1], "why"));
        Assert.Equal(Polder.Ledger.Limits.RefusedBlocksMax, store.Refused([]).Count);
        Assert.Equal(chain[1], store.Refused([])[0].Block);
        Assert.Equal(chain[^1], store.Refused(_alice.Public.Bytes)[^1].Block);
        Assert.Empty(store.Refused(_bob.Public.Bytes));
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public async Task What_was_flushed_survives_a_crash()
    {
        var store = Open();
        var chain = Chains.Of(_alice, 20, _bob);
        store.AddRange(chain[..10]);
        store = await FlushedAsync(store);
        Assert.Equal(10, store.Count);
        store.AddRange(chain[10..15]);
        store = await FlushedAsync(store);
        store.AddRange(chain[15..]);
        store = Reopen(store);
        // Unflushed writes may be there or not, but never with a hole among them.
        Assert.InRange(store.Count, 15, 20);
        Assert.Equal(chain.Take((int)store.Count), store.All());
        Assert.Equal((uint)store.Count + 1, store.LowestUnknown(_alice.Public.Bytes));
    }

    [Fact]
    public async Task Many_flushes_may_be_waited_for_at_once()
    {
        var store = Open();
        var flushes = new List<Task>();
        foreach (var block in Chains.Of(_alice, 50, _bob))
        {
            store.Add(block);
            flushes.Add(store.FlushAsync());
        }
        await Task.WhenAll(flushes);
        Assert.Equal(50, Reopen(store).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task It_answers_as_a_plain_list_would(ulong seed)
    {
        var random = new Prng(seed);
        var store = Open();
        List<HalfBlock> model = [];
        KeyPair[] people = [_alice, _bob, _carol];
        for (var step = 0; step < 300; step++)
        {
            var owner = random.Pick(people);
            var block = Chains.Block(owner, (uint)random.Next(1, 40), random.Pick(people).Public.Bytes, (uint)random.Next(40),
                Hash256.Of([(byte)random.Next(256)]), (ulong)random.Next(1000));
            var isNew = !model.Any(block.SamePlace);
            if (isNew) model.Add(block);
            Assert.Equal(isNew, store.Add(block));
            if (random.Chance(0.05)) store = await FlushedAsync(store);
        }
        foreach (var person in people)
        {
            var key = person.Public.Bytes.ToArray();
            var chain = model.Where(block => block.PublicKey.SequenceEqual(key)).OrderBy(block => block.Sequence).ToList();
            Assert.Equal(chain, store.Range(key, 1, 100, 1000));
            Assert.Equal(chain.Count, store.CountOf(key));
            for (var number = 0u; number < 45; number++)
            {
                Assert.Equal(chain.Find(block => block.Sequence == number), store.Get(key, number));
                Assert.Equal(chain.FindLast(block => block.Sequence < number), store.Before(key, number));
                Assert.Equal(chain.Find(block => block.Sequence > number), store.After(key, number));
                var linking = model.Where(block => block.LinkSequence == number && number > 0 && block.LinkKey.SequenceEqual(key));
                Assert.Equal(linking, store.LinkingTo(key, number, number, 1000));
            }
        }
    }

    private async Task<IBlockStore> FlushedAsync(IBlockStore store)
    {
        await store.FlushAsync();
        return Reopen(store);
    }

    [Fact]
    public async Task The_oldest_give_way_but_not_those_that_are_kept_and_that_survives()
    {
        var store = Open();
        var (kept, goes) = (Chains.Of(Chains.Key(1), 10, Chains.Key(2)), Chains.Of(Chains.Key(3), 10, Chains.Key(4)));
        var answers = Chains.Agree(Chains.Key(4), goes);
        for (var i = 0; i < 10; i++) store.AddRange([kept[i], goes[i], answers[i]]);
        await store.FlushAsync();
        var keptKey = Chains.Key(1).Public.Bytes.ToArray();

        Assert.Equal(7, await store.EvictAsync(7, block => block.PublicKey.SequenceEqual(keptKey)));

        // Four of one chain and three of the other, in the order in which they came.
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(23, store.Count);
            Assert.Equal(kept, store.Range(keptKey, 1, uint.MaxValue, 100));
            Assert.Equal(goes[4..], store.Range(Chains.Key(3).Public.Bytes, 1, uint.MaxValue, 100));
            Assert.Equal(answers[3..], store.Range(Chains.Key(4).Public.Bytes, 1, uint.MaxValue, 100));
            Assert.Equal(answers[3..], store.LinkingTo(Chains.Key(3).Public.Bytes, 1, uint.MaxValue, 100));
            Assert.Equal(6, store.CountOf(Chains.Key(3).Public.Bytes));
            Assert.Equal(1u, store.LowestUnknown(Chains.Key(3).Public.Bytes));
            Assert.Equal(11u, store.LowestUnknown(keptKey));
            Assert.Null(store.Get(goes[0].Hash));
            Assert.Equal(23, store.All().Count());
            store = Reopen(store);
        }
        // What went may come again.
        Assert.True(store.Add(goes[0]));
        Assert.Equal(2u, store.LowestUnknown(Chains.Key(3).Public.Bytes));
        await store.FlushAsync();
        Assert.Equal(goes[0], store.Get(goes[0].Hash));
    }

    [Fact]
    public async Task A_chain_of_which_all_or_the_end_went_is_as_long_as_what_is_left()
    {
        var store = Open();
        var chain = Chains.Of(Chains.Key(3), 5, Chains.Key(4));
        // The end came first.
        store.AddRange([chain[4], chain[3], chain[0], chain[1], chain[2]]);
        await store.FlushAsync();
        var key = Chains.Key(3).Public.Bytes.ToArray();
        Assert.Equal(2, await store.EvictAsync(2, static _ => false));
        Assert.Equal(chain[2], store.Latest(key));
        Assert.Equal(4u, store.LowestUnknown(key));
        var gone = 0;
        for (var calls = 0; calls < 4; calls++) gone += await store.EvictAsync(10, static _ => false);
        Assert.Equal(3, gone);
        Assert.Null(store.Latest(key));
        Assert.Equal(0, store.Count);
        Assert.Empty(store.Chains());
        Assert.Equal(1u, store.LowestUnknown(key));
        store.AddRange(chain);
        Assert.Equal(6u, store.LowestUnknown(key));
    }
}
