using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class HalfBlockTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("trustchain/trustchain_blocks.json");

    [Fact]
    public void The_constants_are_ASCII_zeros()
    {
        var constants = Vectors.GetProperty("constants");
        Assert.Equal(constants.Text("GENESIS_HASH"), HalfBlock.GenesisHash.ToString());
        Assert.Equal(constants.Hex("EMPTY_SIG"), HalfBlock.EmptySignature);
        Assert.Equal(constants.Hex("ANY_COUNTERPARTY_PK"), HalfBlock.AnyCounterparty);
        Assert.Equal(constants.Hex("EMPTY_PK"), HalfBlock.AnyCounterparty);
        Assert.Equal(HalfBlock.GenesisSequence, constants.GetProperty("GENESIS_SEQ").GetUInt32());
        Assert.Equal(HalfBlock.UnknownSequence, constants.GetProperty("UNKNOWN_SEQ").GetUInt32());
    }

    [Fact]
    public void Every_golden_block_is_read_field_by_field()
    {
        foreach (var vector in Vectors.GetProperty("blocks").EnumerateArray())
        {
            var block = LedgerVectors.Block(vector.Hex("pack"));
            Assert.Equal(vector.Hex("public_key"), block.PublicKey);
            Assert.Equal(vector.GetProperty("sequence_number").GetUInt32(), block.Sequence);
            Assert.Equal(vector.Hex("link_public_key"), block.LinkKey);
            Assert.Equal(vector.GetProperty("link_sequence_number").GetUInt32(), block.LinkSequence);
            Assert.Equal(vector.Text("previous_hash"), block.PreviousHash.ToString());
            Assert.Equal(vector.Hex("signature"), block.Signature);
            Assert.Equal(vector.Hex("type_bytes"), block.Type);
            Assert.Equal(vector.Hex("transaction_raw"), block.Transaction);
            Assert.Equal(vector.GetProperty("timestamp").GetUInt64(), block.Timestamp);
            Assert.Equal(vector.Text("hash"), block.Hash.ToString());
            Assert.Equal(vector.Text("block_id"), block.Id);
            Assert.Equal(vector.Text("linked_block_id"), block.LinkedId);
            Assert.Equal(vector.GetProperty("hash_number").GetUInt32(), block.HashNumber);
            Assert.Equal(vector.GetProperty("is_genesis").GetBoolean(), block.IsGenesis);
            Assert.Equal(vector.GetProperty("kotlin").GetProperty("is_proposal").GetBoolean(), block.IsProposal);
            Assert.Equal(vector.GetProperty("kotlin").GetProperty("is_self_signed").GetBoolean(), block.IsToSelf);
            var signed = new byte[block.Packed.Length];
            block.CopySignedBytes(signed);
            Assert.Equal(vector.Hex("signed_bytes"), signed);
            Assert.True(block.VerifySignature(Ed25519Signatures.Instance));
            Assert.True(TransactionCodec.TryDecode(block.Transaction, TransactionFamily.Kotlin, out var transaction, out _));
            Assert.Equal(LedgerVectors.Value(vector.GetProperty("kotlin").GetProperty("transaction")), transaction);
        }
    }

    [Fact]
    public void The_same_fields_give_the_same_block()
    {
        var people = new Dictionary<string, KeyPair>();
        var keys = LedgerVectors.Open("ipv8/ipv8_keys.json");
        foreach (var secret in Secrets(keys))
            if (KeyPair.TryImport(secret, out var pair)) people[pair.Public.ToString()] = pair;
        foreach (var vector in Vectors.GetProperty("blocks").EnumerateArray())
        {
            var block = LedgerVectors.Block(vector.Hex("pack"));
            var again = HalfBlock.Create(Ed25519Signatures.Instance, people[vector.Text("public_key")], new BlockFields
            {
                Sequence = block.Sequence, LinkKey = block.LinkKey, LinkSequence = block.LinkSequence, PreviousHash = block.PreviousHash,
                Type = block.Type, Transaction = block.Transaction, Timestamp = block.Timestamp,
            });
            Assert.Equal(block.Packed.ToArray(), again.Packed.ToArray());
            Assert.Equal(block.Hash, again.Hash);
        }
    }

    [Fact]
    public void Every_truncation_and_every_tail_is_refused()
    {
        foreach (var vector in Vectors.GetProperty("blocks").EnumerateArray())
        {
            var bytes = vector.Hex("pack");
            for (var length = 0; length < bytes.Length; length++) Assert.False(HalfBlock.TryUnpack(bytes.AsSpan(0, length), out _));
            Assert.False(HalfBlock.TryUnpack([.. bytes, 0], out _));
        }
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_without_a_throw()
    {
        var random = new Prng(4);
        byte[][] seeds = [.. Vectors.GetProperty("blocks").EnumerateArray().Select(vector => vector.Hex("pack"))];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = random.Pick(seeds).ToArray();
            for (var change = random.Next(1, 6); change > 0; change--) bytes[random.Chance(0.5) ? random.Next(bytes.Length) : random.Next(252, 262)] = (byte)random.Next(256);
            if (!HalfBlock.TryUnpack(bytes, out var block)) continue;
            _ = (block.Id, block.LinkedId, block.TypeText, block.HashNumber, block.Timestamp, block.Owner, block.ToString());
            Assert.Equal(bytes.Length, HalfBlock.BytesMin + block.Type.Length + block.Transaction.Length);
        }
    }

    private static IEnumerable<byte[]> Secrets(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                    foreach (var secret in Secrets(property.Value)) yield return secret;
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    foreach (var secret in Secrets(item)) yield return secret;
                break;
            case JsonValueKind.String when element.GetString() is { Length: 148 } text && text.StartsWith("4c69624e61434c534b3a", StringComparison.Ordinal):
                yield return Convert.FromHexString(text);
                break;
        }
    }
}
