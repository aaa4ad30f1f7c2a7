using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Overlay;
using Polder.Wire;

namespace Polder.Tests.Ledger;

/// <summary>Every decoder of the ledger, and the rules behind them, under damaged and random bytes.</summary>
public sealed class LedgerFuzzTests
{
    private static readonly List<byte[]> Bodies =
        [.. LedgerVectors.Open("trustchain/trustchain_messages.json").GetProperty("messages").EnumerateArray().Select(vector => vector.Hex("packet")[31..])];

    private static readonly HalfBlock[] Blocks =
    [
        .. Chains.Of(Chains.Key(1), 3, Chains.Key(2)), .. Chains.Agree(Chains.Key(2), Chains.Of(Chains.Key(1), 3, Chains.Key(2))),
        Chains.Block(Chains.Key(1), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash, type: "tribler_bandwidth",
            transaction: System.Text.Encoding.UTF8.GetString(new BandwidthEntry(1 << 20, 0, 1 << 20, 0, "x").Encode(json: true))),
    ];

    private static void Messages<T>() where T : struct, IMessage<T> => Fuzz.Run(typeof(T).Name, Bodies, static bytes =>
    {
        if (Packet.Read<T>(bytes, out var message) != WireError.None) return;
        var writer = new WireWriter(new byte[bytes.Length + 16]);
        message.Write(ref writer);
        Assert.True(bytes.SequenceEqual(writer.Written));
    }, allocationFactor: 8);

    [Fact] public void HalfBlockMessage_survives() => Messages<HalfBlockMessage>();
    [Fact] public void CrawlRequest_survives() => Messages<CrawlRequest>();
    [Fact] public void CrawlResponse_survives() => Messages<CrawlResponse>();
    [Fact] public void HalfBlockPair_survives() => Messages<HalfBlockPair>();
    [Fact] public void HalfBlockBroadcast_survives() => Messages<HalfBlockBroadcast>();
    [Fact] public void HalfBlockPairBroadcast_survives() => Messages<HalfBlockPairBroadcast>();
    [Fact] public void EmptyCrawlResponse_survives() => Messages<EmptyCrawlResponse>();

    // A value of two bytes ("0n") is an object: so many for each byte.
    [Fact]
    public void Transactions_survive_in_every_family() => Fuzz.Run("TransactionCodec", Transactions(), static bytes =>
    {
        foreach (var family in Enum.GetValues<TransactionFamily>()) TransactionCodec.TryDecode(bytes, family, out _, out _);
        TransactionCodec.TryDecodeAny(bytes, out _);
        TransactionJson.TryDecode(bytes, out _);
    }, allocationFactor: 512);

    [Fact]
    public void Blocks_their_claims_and_verdicts_survive()
    {
        var store = new MemoryBlockStore();
        foreach (var block in Blocks) store.Add(block);
        // Signatures count as good, so that the rules behind them are reached.
        var validator = new BlockValidator(AllGood.Instance);
        Fuzz.Run("HalfBlock", [.. Blocks.Select(block => block.Packed.ToArray())], bytes =>
        {
            if (!HalfBlock.TryUnpack(bytes, out var block)) return;
            Assert.True(bytes.SequenceEqual(block.Packed.Span));
            _ = block.TypeText;
            _ = BandwidthEntry.Read(block);
            HelpClaim.TryRead(block, out _);
            _ = HelpRecords.Summary(block);
            _ = validator.Validate(block, store).Reason;
        }, allocationFactor: 512);
    }

    private static List<byte[]> Transactions()
    {
        List<byte[]> corpus = ["a0d"u8.ToArray(), "a2d6samount3i1007sbalance3J250"u8.ToArray(), "a1l2t0n0T3f1.5"u8.ToArray(), """{"up":1,"down":[true,null,"x"]}"""u8.ToArray()];
        corpus.AddRange(Blocks.Select(block => block.Transaction.ToArray()));
        return corpus;
    }

    private sealed class AllGood : Cryptography.ISignatures
    {
        public static AllGood Instance { get; } = new();
        public void Sign(KeyPair key, ReadOnlySpan<byte> message, Span<byte> signature) => throw new NotSupportedException();
        public bool Verify(PublicKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => true;
    }
}
