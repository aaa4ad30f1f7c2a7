using System.Text;
using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class BandwidthTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("economy/bandwidth.json").GetProperty("trustchain");

    [Fact]
    public void The_published_blocks_are_reproduced_byte_for_byte()
    {
        var keys = Vectors.GetProperty("keys").EnumerateObject().Select(person =>
        {
            Assert.True(KeyPair.TryImport(person.Value.Hex("secret"), out var pair));
            return pair;
        }).ToDictionary(pair => pair.Public.ToString());
        foreach (var vector in Halves())
        {
            var transaction = vector.GetProperty("transaction");
            var entry = new BandwidthEntry(transaction.GetProperty("up").GetInt64(), transaction.GetProperty("down").GetInt64(),
                transaction.GetProperty("total_up").GetInt64(), transaction.GetProperty("total_down").GetInt64(), "");
            Assert.Equal(vector.Text("transaction_bytes"), Encoding.UTF8.GetString(entry.Encode(json: true)));
            var block = HalfBlock.Create(Ed25519Signatures.Instance, keys[vector.Text("public_key")], new BlockFields
            {
                Sequence = vector.GetProperty("sequence_number").GetUInt32(), LinkKey = vector.Hex("link_public_key"),
                LinkSequence = vector.GetProperty("link_sequence_number").GetUInt32(), PreviousHash = new Hash256(vector.Hex("previous_hash")),
                Type = HelpClaim.BandwidthType, Transaction = entry.Encode(json: true), Timestamp = vector.GetProperty("timestamp").GetUInt64(),
            });
            Assert.Equal(vector.Text("signature"), Convert.ToHexStringLower(block.Signature));
            Assert.Equal(vector.Text("hash"), block.Hash.ToString());
            Assert.Equal(vector.Text("packed"), Convert.ToHexStringLower(block.Packed.Span));
            Assert.Equal(entry, BandwidthEntry.Read(block));
        }
    }

    [Fact]
    public void A_plain_peer_agrees_by_a_copy_and_a_third_amount_is_refused()
    {
        using var alice = Person(1);
        using var bob = Person(2);
        var store = new MemoryBlockStore();
        var graphs = new WorkGraphs(alice.Public);
        HalfBlock Sign(KeyPair signer, PublicKey link, uint sequence, uint linkSequence, Hash256 previous, BandwidthEntry entry) =>
            HalfBlock.Create(Ed25519Signatures.Instance, signer, new BlockFields
            {
                Sequence = sequence, LinkKey = link.Bytes.ToArray(), LinkSequence = linkSequence, PreviousHash = previous,
                Type = HelpClaim.BandwidthType, Transaction = entry.Encode(json: false), Timestamp = 1_600_000_000_000UL + sequence,
            });
        void Keep(HalfBlock block, bool valid)
        {
            var verdict = Validator().Validate(block, store);
            Assert.Equal(valid, !verdict.IsInvalid);
            if (!valid) return;
            store.Add(block);
            graphs.Add(block);
        }

        var first = Sign(alice, bob.Public, 1, 0, HalfBlock.GenesisHash, new BandwidthEntry(0, 500, 0, 500, "seeding"));
        Keep(first, valid: true);
        Keep(Sign(bob, alice.Public, 1, 1, HalfBlock.GenesisHash, new BandwidthEntry(0, 499, 0, 499, "seeding")), valid: false);
        var copy = Sign(bob, alice.Public, 1, 1, HalfBlock.GenesisHash, new BandwidthEntry(0, 500, 0, 500, "seeding"));
        Keep(copy, valid: true);
        // The copy is no entry of Bob's own accounts: his first true one begins at nothing.
        Keep(Sign(bob, alice.Public, 2, 0, copy.Hash, new BandwidthEntry(0, 7, 0, 7, "")), valid: true);

        var graph = graphs.Find(HelpClaim.Bytes)!;
        Assert.Equal(500, graph.SumsOf(bob.Public).Gave);
        Assert.Equal(500, graph.SumsOf(alice.Public).Got);

        static KeyPair Person(byte fill)
        {
            var entropy = new byte[KeyPair.EntropyBytes];
            Array.Fill(entropy, fill);
            return KeyPair.FromEntropy(entropy);
        }
    }

    [Fact]
    public void Balances_come_out_in_any_order_and_sum_up_to_nothing()
    {
        var blocks = Halves().Select(half => LedgerVectors.Block(half.Hex("packed"))).ToArray();
        var people = Vectors.GetProperty("keys").EnumerateObject().ToDictionary(person => person.Name, person => person.Value.Hex("public"));
        for (var seed = 0ul; seed < 20; seed++)
        {
            new Prng(seed).Shuffle(blocks.AsSpan());
            var store = new MemoryBlockStore();
            var validator = Validator();
            var graphs = new WorkGraphs(blocks[0].Owner!);
            foreach (var block in blocks.Concat(blocks))
            {
                var verdict = validator.Validate(block, store);
                Assert.False(verdict.IsInvalid, verdict.Reason);
                store.Add(block);
                graphs.Add(block);
            }
            var graph = graphs.Find(HelpClaim.Bytes)!;
            var sum = 0.0;
            foreach (var person in Vectors.GetProperty("balances_after").EnumerateObject())
            {
                Assert.True(PublicKey.TryParse(people[person.Name], out var key));
                var (gave, got, _, unconfirmed) = graph.SumsOf(key);
                Assert.Equal(person.Value.GetInt64(), (long)(gave - got));
                Assert.Equal(0, unconfirmed);
                sum += gave - got;
            }
            Assert.Equal(0, sum);
            Assert.Equal(blocks.Length / 2, graph.RecordCount);
        }
    }

    [Fact]
    public void Our_validation_refuses_what_the_published_one_refuses_and_totals_that_are_too_high()
    {
        var blocks = Halves().Select(half => LedgerVectors.Block(half.Hex("packed"))).ToArray();
        foreach (var vector in Vectors.GetProperty("validation").EnumerateArray())
        {
            var number = vector.GetProperty("of")[1].GetUInt32();
            var original = blocks.First(block => block.Owner!.ToString() == Vectors.GetProperty("keys").GetProperty("A").Text("public") && block.Sequence == number);
            var store = new MemoryBlockStore();
            store.AddRange([.. blocks.Where(block => block != original)]);
            var changed = Chains.Block(Chains.Key(1), 1, original.LinkKey, original.LinkSequence, original.PreviousHash, type: "tribler_bandwidth",
                transaction: vector.GetProperty("transaction").GetRawText());
            var packed = changed.Packed.ToArray();
            original.PublicKey.CopyTo(packed);
            original.Packed.Span.Slice(74, 4).CopyTo(packed.AsSpan(74));
            var fault = new BandwidthRules().FaultOf(LedgerVectors.Block(packed), store);
            var isTooHigh = vector.Text("name").Contains("too HIGH", StringComparison.Ordinal);
            Assert.True((vector.GetProperty("valid").GetBoolean() && !isTooHigh) == (fault is null), $"{vector.Text("name")}: {fault}");
        }
    }

    [Fact]
    public void Both_encodings_are_read_and_a_purpose_is_a_fifth_key()
    {
        var entry = new BandwidthEntry(5, 0, 12, 7, "storing a file");
        Assert.Equal("""{"up":5,"down":0,"total_up":12,"total_down":7,"for":"storing a file"}""", Encoding.UTF8.GetString(entry.Encode(json: true)));
        Assert.Equal("a5d2sup1i54sdown1i08stotal_up2i1210stotal_down1i73sfor14sstoring a file", Encoding.UTF8.GetString(entry.Encode(json: false)));
        Assert.Equal(entry, BandwidthEntry.Read(entry.Encode(json: true)));
        Assert.Equal(entry, BandwidthEntry.Read(entry.Encode(json: false)));
        Assert.Equal(new BandwidthEntry(50328238, 0, 12392744309837, 1610926277867, ""),
            BandwidthEntry.Read("a4d4bdown1i010btotal_down13i16109262778672bup8i503282388btotal_up14i12392744309837"u8));
    }

    [Theory]
    [InlineData("""{"up":0,"down":0,"total_up":0,"total_down":0}""")]
    [InlineData("""{"up":-1,"down":0,"total_up":0,"total_down":0}""")]
    [InlineData("""{"up":1,"down":0,"total_up":1}""")]
    [InlineData("""{"up":1.0,"down":0,"total_up":1,"total_down":0}""")]
    [InlineData("""{"up":9223372036854775808,"down":0,"total_up":1,"total_down":0}""")]
    [InlineData("""{"up":"1","down":0,"total_up":1,"total_down":0}""")]
    [InlineData("a0d")]
    [InlineData("")]
    public void What_does_not_add_up_by_itself_is_not_read(string transaction) => Assert.Null(BandwidthEntry.Read(Encoding.UTF8.GetBytes(transaction)));

    [Fact]
    public void Help_in_other_units_is_read_from_both_sides()
    {
        var (alice, bob) = (Chains.Key(1), Chains.Key(2));
        var bytes = HelpRecords.EncodeHelp(gave: true, 3, "hours", "fixing a bike");
        Assert.Equal("a4d4sgave0T6samount1i34sunit5shours3sfor13sfixing a bike", Encoding.UTF8.GetString(bytes));
        var proposal = Chains.Block(alice, 1, bob.Public.Bytes, 0, HalfBlock.GenesisHash, type: "polder_help", transaction: Encoding.UTF8.GetString(bytes));
        var agreement = Chains.Block(bob, 1, alice.Public.Bytes, 1, HalfBlock.GenesisHash, type: "polder_help", transaction: Encoding.UTF8.GetString(bytes));
        Assert.True(HelpClaim.TryRead(proposal, out var first) && HelpClaim.TryRead(agreement, out var second) && first.Mirrors(second));
        Assert.Equal(new HelpClaim(3, 0, "hours", "fixing a bike"), first);
        var graphs = new WorkGraphs(alice.Public);
        graphs.Add(agreement);
        graphs.Add(proposal);
        graphs.Add(proposal);
        Assert.Equal(3, graphs.Find("hours")!.Work(alice.Public, bob.Public));
        Assert.Null(graphs.Find(HelpClaim.Bytes));
        Assert.Equal($"3 hours to {bob.Public.ShortName} for fixing a bike", HelpRecords.Summary(proposal));
    }

    [Fact]
    public void An_unconfirmed_proposal_counts_against_its_signer_only()
    {
        var (alice, bob) = (Chains.Key(1), Chains.Key(2));
        var graphs = new WorkGraphs(alice.Public);
        var bytes = Encoding.UTF8.GetString(new BandwidthEntry(0, 1 << 21, 0, 1 << 21, "").Encode(json: false));
        graphs.Add(Chains.Block(alice, 1, bob.Public.Bytes, 0, HalfBlock.GenesisHash, type: "tribler_bandwidth", transaction: bytes));
        var graph = graphs.Find(HelpClaim.Bytes)!;
        Assert.Equal(new PeerSums(0, 0, 0, 1 << 21), graph.SumsOf(alice.Public));
        Assert.Equal(default, graph.SumsOf(bob.Public));
        graphs.Add(Chains.Block(bob, 1, alice.Public.Bytes, 1, HalfBlock.GenesisHash, type: "tribler_bandwidth",
            transaction: Encoding.UTF8.GetString(new BandwidthEntry(1 << 21, 0, 1 << 21, 0, "").Encode(json: false))));
        Assert.Equal(new PeerSums(0, 1 << 21, 1, 0), graph.SumsOf(alice.Public));
        Assert.Equal(1 << 21, graph.Work(bob.Public, alice.Public));
    }

    private static BlockValidator Validator()
    {
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        return validator;
    }

    private static IEnumerable<JsonElement> Halves() => Vectors.GetProperty("payments").EnumerateArray()
        .SelectMany(payment => new[] { payment.GetProperty("proposal"), payment.GetProperty("agreement") }).Where(half => half.ValueKind == JsonValueKind.Object);
}
