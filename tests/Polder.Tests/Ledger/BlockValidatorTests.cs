using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class BlockValidatorTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("trustchain/trustchain_validation.json");
    private readonly KeyPair _alice = Chains.Key(1), _bob = Chains.Key(2), _carol = Chains.Key(3);
    private readonly BlockValidator _validator = new(Ed25519Signatures.Instance);

    [Fact]
    public void All_cases_end_as_in_py()
    {
        Assert.Equal(41, Vectors.GetProperty("cases").GetArrayLength());
        foreach (var (name, store, block, vector) in Cases())
        {
            var verdict = new BlockValidator(Ed25519Signatures.Instance, ValidationRules.Py).Validate(block, store);
            Assert.True(Name(vector.GetProperty("py")) == Level(verdict), $"{name}: {verdict.Reason}");
            Assert.Equal(Errors(vector.GetProperty("py")), verdict.PyErrors);
            Assert.Equal(vector.GetProperty("py").GetProperty("rows_in_double_spends").GetInt32() > 0, verdict.Fraud?.Kind == FraudKind.DoubleSign);
        }
    }

    [Fact]
    public void All_cases_end_as_in_Kotlin()
    {
        foreach (var (name, store, block, vector) in Cases())
        {
            var verdict = new BlockValidator(Ed25519Signatures.Instance, ValidationRules.Kotlin).Validate(block, store);
            Assert.True(Name(vector.GetProperty("kotlin")) == Level(verdict), $"{name}: {verdict.Reason}");
            Assert.Equal(Errors(vector.GetProperty("kotlin")), verdict.KotlinErrors);
        }
    }

    [Fact]
    public void We_decide_as_py_but_for_blocks_to_oneself_and_keep_both_kinds_of_proof()
    {
        foreach (var (name, store, block, vector) in Cases())
        {
            var verdict = _validator.Validate(block, store);
            var expected = block.IsToSelf ? Name(vector.GetProperty("kotlin")) : Name(vector.GetProperty("py"));
            Assert.True(expected == Level(verdict), $"{name}: {verdict.Reason}");
            Assert.Equal(name.Contains("double countersign", StringComparison.Ordinal), verdict.Fraud?.Kind == FraudKind.DoubleCountersign);
            if (verdict.Fraud is not { } fraud) continue;
            Assert.True(fraud.First.PublicKey.SequenceEqual(fraud.Second.PublicKey));
            Assert.NotEqual(fraud.First.Hash, fraud.Second.Hash);
            Assert.Contains("fraud", verdict.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_third_partys_block_does_not_make_a_proposal_invalid()
    {
        var proposal = Chains.Of(_alice, 1, _bob)[0];
        var intruder = Chains.Block(_carol, 1, _alice.Public.Bytes, 1, HalfBlock.GenesisHash, timestamp: 5);
        var store = new MemoryBlockStore();
        store.Add(intruder);
        Assert.Equal(BlockLevel.PartialNext, _validator.Validate(proposal, store).Level);
        store.Add(proposal);
        Assert.Equal(BlockLevel.PartialNext, _validator.Validate(Chains.Agree(_bob, [proposal])[0], store).Level);
        Assert.Equal([BlockFault.LinkedKeyMismatch], _validator.Validate(intruder, store).Faults);
    }

    [Fact]
    public void Two_agreements_are_proof_in_whatever_order_the_three_blocks_come()
    {
        var proposal = Chains.Of(_alice, 1, _bob)[0];
        var first = Chains.Block(_bob, 1, _alice.Public.Bytes, 1, HalfBlock.GenesisHash);
        var second = Chains.Block(_bob, 2, _alice.Public.Bytes, 1, first.Hash);
        foreach (var order in (HalfBlock[][])[[proposal, first, second], [first, second, proposal], [first, proposal, second], [second, proposal, first], [second, first, proposal]])
        {
            var store = new MemoryBlockStore();
            FraudProof? fraud = null;
            foreach (var block in order)
            {
                var verdict = _validator.Validate(block, store);
                fraud ??= verdict.Fraud;
                if (!verdict.IsInvalid) store.Add(block);
            }
            Assert.Equal(FraudKind.DoubleCountersign, fraud?.Kind);
            Assert.True(fraud!.Culprit.SequenceEqual(_bob.Public.Bytes));
            Assert.NotNull(store.Get(_alice.Public.Bytes, 1));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_valid_chain_stays_valid_in_any_order(ulong seed)
    {
        var random = new Prng(seed);
        var proposals = Chains.Of(_alice, 12, _bob);
        HalfBlock[] blocks = [.. proposals, .. Chains.Agree(_bob, proposals)];
        random.Shuffle(blocks.AsSpan());
        var store = new MemoryBlockStore();
        foreach (var block in blocks)
        {
            var verdict = _validator.Validate(block, store);
            Assert.False(verdict.IsInvalid, verdict.Reason);
            Assert.Null(verdict.Fraud);
            Assert.True(store.Add(block));
        }
        foreach (var block in blocks)
            Assert.Equal(block.Sequence == 12 ? BlockLevel.PartialNext : BlockLevel.Valid, _validator.Validate(block, store).Level);
    }

    private static IEnumerable<(string Name, IBlockStore Store, HalfBlock Block, JsonElement Vector)> Cases()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var store = new MemoryBlockStore();
            foreach (var known in vector.GetProperty("database").EnumerateArray())
                Assert.True(store.Add(LedgerVectors.Block(Convert.FromHexString(known.GetString()!))));
            yield return (vector.Text("case"), store, LedgerVectors.Block(vector.Hex("block")), vector);
        }
    }

    private static string Name(JsonElement column) => column.Text("result");

    private static string Level(Verdict verdict) => verdict.IsInvalid ? "invalid" : verdict.Reason.Replace('-', '_');

    private static IEnumerable<string> Errors(JsonElement column) => column.GetProperty("errors").EnumerateArray().Select(error => error.GetString()!);
}
