using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;

namespace Polder.Node.Operations;

/// <summary>What is shown of blocks, chains and frauds: the same for a running node and a folder at rest.</summary>
internal sealed class LedgerViews(IBlockStore store, BlockValidator validator)
{
    /// <summary>Blocks of a chain that are read in one go.</summary>
    public const int ChainBlocksMax = 5_000;
    private const int IdDigits = 8;

    public BlockView View(HalfBlock block) => View(block, validator.Validate(block, store));

    public BlockView View(HalfBlock block, bool signatureIsGood) => View(block, validator.Validate(block, store, signatureIsGood));

    public BlockView View(HalfBlock block, Verdict verdict) => View(block, !verdict.IsInvalid, verdict.Reason);

    public BlockView View(HalfBlock block, bool valid, string reason) => new(
        Convert.ToHexStringLower(block.PublicKey), block.Sequence, Convert.ToHexStringLower(block.LinkKey), block.LinkSequence,
        block.TypeText, block.Hash.ToString(), valid, reason, store.Linked(block, 1).Count > 0, HelpRecords.Summary(block), TimeOf(block.Timestamp));

    /// <summary>The view of bytes that are no block at all.</summary>
    public static BlockView NoBlock(ReadOnlySpan<byte> packed) => new(
        "", 0, "", 0, "", Hash256.Of(packed).ToString(), false, "these bytes are no block: too short, too long, or lengths that do not add up",
        false, "", DateTimeOffset.UnixEpoch);

    public IReadOnlyList<HalfBlock> Page(PublicKey owner, int from, int count) =>
        store.Range(owner.Bytes, (uint)Math.Max(1, from), uint.MaxValue, Math.Clamp(count, 0, ChainBlocksMax));

    public ChainView Chain(PublicKey owner, IEnumerable<BlockView> page) => new(
        PeerNames.Of(owner), store.Latest(owner.Bytes)?.Sequence ?? 0, store.MissingOf(owner.Bytes), [.. page],
        [.. store.Refused(owner.Bytes).Select(refused => View(refused.Block, false, refused.Reason))]);

    public HalfBlock Find(string id, Func<string, PublicKey> resolve)
    {
        var text = id.Trim();
        if (text.Length == 2 * Hash256.Bytes && text.All(char.IsAsciiHexDigit))
            return store.Get(new Hash256(Convert.FromHexString(text)))
                ?? throw new OperationRefusedException(RefusalKind.NotFound, $"No block with the hash {text} is held here.");
        var dot = text.LastIndexOf('.');
        if (dot < 1 || !uint.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) || sequence == 0)
            throw new OperationRefusedException(RefusalKind.BadInput, $"\"{text}\" names no block. A block is KEY.NUMBER (polder chain shows them) or a hash of 64 hex digits.");
        var owner = resolve(text[..dot]);
        return store.Get(owner.Bytes, sequence)
            ?? throw new OperationRefusedException(RefusalKind.NotFound, $"Block {sequence} of {owner.ShortName} is not held here. Fetch its chain: polder crawl {owner.ShortName}");
    }

    public BlockDetail Detail(HalfBlock block) => new(
        View(block), [.. store.Linked(block).Select(View)], block.PreviousHash.ToString(), Convert.ToHexStringLower(block.Signature),
        TransactionText(block), Convert.ToHexStringLower(block.Packed.Span));

    public static InboxItem Item(HalfBlock proposal, HelpClaim? claim) => new(
        IdOf(proposal), Convert.ToHexStringLower(proposal.PublicKey), PeerNames.Of(proposal.PublicKey).Name,
        claim is { } known ? Math.Max(known.Gave, known.Got) : null, claim?.Unit, claim is { } help ? help.Gave > 0 : null, claim?.For ?? "",
        proposal.TypeText, proposal.Id, TimeOf(proposal.Timestamp));

    public static string IdOf(HalfBlock proposal) => proposal.Hash.ToString()[..IdDigits];

    public IReadOnlyList<FraudView> Frauds() =>
        [.. store.Frauds().Select(Fraud)];

    public FraudView Fraud(FraudProof proof) => new(
        PeerNames.Of(proof.Culprit), proof.Kind == FraudKind.DoubleSign ? "double-sign" : "double-countersign", View(proof.First), View(proof.Second));

    public static DateTimeOffset TimeOf(ulong milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(milliseconds, 253_402_300_799_999));

    internal static string TransactionText(HalfBlock block)
    {
        if (TransactionJson.TryDecode(block.Transaction, out var json)) return json.ToDisplayText();
        return TransactionCodec.TryDecodeAny(block.Transaction, out var value) ? value.ToDisplayText() : Convert.ToHexStringLower(block.Transaction);
    }
}
