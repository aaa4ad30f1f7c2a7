using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Runtime;
using Polder.Simulation;

namespace Polder.Tests.Ledger;

public sealed class BlockIngestTests
{
    private readonly KeyPair _alice = Chains.Key(1), _bob = Chains.Key(2), _carol = Chains.Key(3);

    [Fact]
    public void Many_blocks_are_taken_in_and_safe_when_it_completes()
    {
        var proposals = Chains.Of(_alice, 700, _bob);
        HalfBlock[] blocks = [.. proposals, .. Chains.Agree(_bob, proposals)];
        var (store, platter, result) = Ingest(blocks);
        Assert.Equal(new IngestResult(1400, 0, 0), result);
        Assert.Equal(1400, store.Count);
        Assert.Equal(1400, platter.Records);
        // Pairs one after the other, and everything once more.
        (store, _, result) = Ingest([.. proposals.Zip(Chains.Agree(_bob, proposals)).SelectMany(pair => new[] { pair.First, pair.Second }), .. blocks]);
        Assert.Equal(new IngestResult(1400, 1400, 0), result);
        Assert.Empty(store.Frauds());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void It_judges_as_the_validator_does_block_by_block(ulong seed)
    {
        var random = new Prng(seed);
        var proposals = Chains.Of(_alice, 40, _bob);
        var agreements = Chains.Agree(_bob, proposals);
        var blocks = new List<HalfBlock>();
        for (var i = 0; i < 40; i++)
        {
            blocks.Add(proposals[i]);
            blocks.Add(agreements[i]);
        }
        // Forks, second agreements, agreements to what was made to others, broken signatures, gaps, disorder.
        for (var n = 0; n < 6; n++)
        {
            var i = random.Next(1, 39);
            HalfBlock bad = random.Next(5) switch
            {
                0 => Chains.Block(_alice, (uint)i + 1, _carol.Public.Bytes, 0, proposals[i - 1].Hash),
                1 => Chains.Block(_bob, 41, _alice.Public.Bytes, (uint)i, agreements[39].Hash),
                2 => Chains.Block(_carol, 1, _alice.Public.Bytes, (uint)i, HalfBlock.GenesisHash),
                3 => Broken(proposals[i]),
                _ => Chains.Block(_bob, (uint)i + 1, new byte[74], 0, agreements[i - 1].Hash),
            };
            blocks.Insert(random.Next(blocks.Count), bad);
        }
        for (var n = 0; n < 10; n++)
        {
            var (i, j) = (random.Next(blocks.Count), random.Next(blocks.Count));
            (blocks[i], blocks[j]) = (blocks[j], blocks[i]);
        }

        var expected = new MemoryBlockStore();
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        foreach (var block in blocks)
        {
            if (expected.Get(block.PublicKey, block.Sequence) is { } known && known.Equals(block)) continue;
            var verdict = validator.Validate(block, expected);
            if (verdict.Fraud is { } fraud) expected.AddFraud(fraud);
            if (verdict.IsInvalid) expected.AddRefused(new RefusedBlock(block, verdict.Reason));
            else expected.Add(block);
        }
        var (store, _, _) = Ingest(blocks);
        Assert.Equal(expected.All(), store.All());
        Assert.Equal(expected.Refused([]).Select(refused => (refused.Block, refused.Reason)), store.Refused([]).Select(refused => (refused.Block, refused.Reason)));
        Assert.Equal(expected.Frauds().Select(Hashes), store.Frauds().Select(Hashes));

        static (Hash256, Hash256) Hashes(FraudProof proof) => (proof.First.Hash, proof.Second.Hash);
    }

    [Fact]
    public void Rules_of_types_hold_in_bulk_too()
    {
        var good = Chains.Block(_alice, 1, _bob.Public.Bytes, 0, HalfBlock.GenesisHash, type: "tribler_bandwidth", transaction: """{"up":0,"down":5,"total_up":0,"total_down":5}""");
        var bad = Chains.Block(_alice, 2, _bob.Public.Bytes, 0, good.Hash, type: "tribler_bandwidth", transaction: """{"up":0,"down":5,"total_up":0,"total_down":11}""");
        var (_, _, result) = Ingest([good, bad]);
        Assert.Equal(new IngestResult(1, 0, 1), result);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(25)]
    [InlineData(26)]
    public void Records_of_bandwidth_are_judged_in_bulk_as_block_by_block(ulong seed)
    {
        var random = new Prng(seed);
        KeyPair[] people = [_alice, _bob, _carol];
        var (tips, lengths, totals) = (new Hash256[3], new uint[3], new (long Up, long Down)[3]);
        Array.Fill(tips, HalfBlock.GenesisHash);
        var blocks = new List<HalfBlock>();
        for (var n = 0; n < 80; n++)
        {
            var (owner, other) = (random.Next(3), 0);
            other = (owner + 1 + random.Next(2)) % 3;
            var (up, down) = (random.Next(4), random.Next(4));
            var proposal = Sign(owner, other, 0, up, down);
            if (random.Chance(0.1)) continue;
            // Mirrored; as a plain copy; with another amount; with wrong totals; in the other encoding; of another type.
            var kind = random.Next(12);
            if (kind == 0) Sign(other, owner, proposal.Sequence, down + 1, up);
            else if (kind == 1) Sign(other, owner, proposal.Sequence, 0, 0, copy: proposal);
            else Sign(other, owner, proposal.Sequence, down, up, wrong: kind == 2 ? 1 : 0, plain: kind == 3, isOther: kind == 4);
        }
        for (var n = 0; n < 8; n++)
        {
            var (i, j) = (random.Next(blocks.Count), random.Next(blocks.Count));
            (blocks[i], blocks[j]) = (blocks[j], blocks[i]);
        }

        var expected = new MemoryBlockStore();
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        foreach (var block in blocks)
        {
            if (expected.Get(block.PublicKey, block.Sequence) is { } known && known.Equals(block)) continue;
            var verdict = validator.Validate(block, expected);
            if (verdict.Fraud is { } fraud) expected.AddFraud(fraud);
            if (verdict.IsInvalid) expected.AddRefused(new RefusedBlock(block, verdict.Reason));
            else expected.Add(block);
        }
        var (store, _, _) = Ingest(blocks);
        Assert.Equal(expected.Refused([]).Select(refused => (refused.Block, refused.Reason)), store.Refused([]).Select(refused => (refused.Block, refused.Reason)));
        Assert.Equal(expected.All(), store.All());
        Assert.Equal(expected.Frauds().Count, store.Frauds().Count);

        HalfBlock Sign(int owner, int other, uint link, long up, long down, int wrong = 0, bool plain = false, bool isOther = false, HalfBlock? copy = null)
        {
            var (totalUp, totalDown) = (totals[owner].Up + up, totals[owner].Down + down);
            var says = copy is not null ? System.Text.Encoding.ASCII.GetString(copy.Transaction)
                : plain ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a4d2sup1i{up}4sdown1i{down}8stotal_up{Digits(totalUp)}i{totalUp}10stotal_down{Digits(totalDown)}i{totalDown}")
                : Work.Transaction(up, down, totalUp + wrong, totalDown);
            if (!isOther && copy is null) totals[owner] = (totalUp + wrong, totalDown);
            var block = Chains.Block(people[owner], ++lengths[owner], people[other].Public.Bytes, link, tips[owner], type: isOther ? "other" : "tribler_bandwidth", transaction: says);
            tips[owner] = block.Hash;
            blocks.Add(block);
            return block;
        }

        static int Digits(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
    }

    private static HalfBlock Broken(HalfBlock block)
    {
        var packed = block.Packed.ToArray();
        packed[^1] ^= 1;
        return LedgerVectors.Block(packed);
    }

    private static (MemoryBlockStore Store, MemoryPlatter Platter, IngestResult Result) Ingest(IReadOnlyList<HalfBlock> blocks)
    {
        var world = new World(1, options: new WorldOptions { RealSignatures = true });
        var platter = new MemoryPlatter();
        var store = new MemoryBlockStore(platter);
        var node = world.AddNode("node", null, _ => null);
        var validator = new BlockValidator(world.Signatures);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        var done = node.Ask(() => new BlockIngest(node.Environment, store, validator).RunAsync(blocks));
        world.RunUntil(() => done.IsCompleted, TimeSpan.FromMinutes(1), "all blocks are in");
        return (store, platter, done.Got());
    }
}
