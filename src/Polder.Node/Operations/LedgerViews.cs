using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;

namespace Polder.Node.Operations;

/// <summary>What is shown of blocks, chains, frauds and trust: the same for a running node and a folder at rest.</summary>
internal sealed class LedgerViews(IBlockStore store, BlockValidator validator, WorkGraphs graphs, PublicKey self)
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
        [.. store.Frauds().Select(proof => new FraudView(PeerNames.Of(proof.Culprit),
            proof.Kind == FraudKind.DoubleSign ? "double-sign" : "double-countersign", View(proof.First), View(proof.Second)))];

    /// <summary>The units to show: bytes first.</summary>
    public IEnumerable<string> Units(string? unit) =>
        unit is not null ? [unit] : graphs.Units.OrderBy(name => name == HelpClaim.Bytes ? 0 : 1).ThenBy(name => name, StringComparer.Ordinal);

    public IReadOnlyList<TrustView> Trust(PublicKey? peer, string? unit)
    {
        var rows = new List<TrustView>();
        foreach (var name in Units(unit))
        {
            if (graphs.Scores(name) is not { } scores) continue;
            if (peer is null) rows.AddRange(scores.Ranking().Select(row => Trust(row.Peer, row.Score, scores.Graph)));
            else if (scores.Graph.SumsOf(peer) is { Records: > 0 }) rows.Add(Trust(peer, scores.Of(peer), scores.Graph));
        }
        // Asked for one peer, there is an answer: nothing is known of it.
        if (peer is not null && rows.Count == 0) rows.Add(new TrustView(peer.ToString(), peer.ShortName, 0, unit ?? HelpClaim.Bytes, 0, 0, 0));
        return rows;
    }

    public TrustExplanation Why(PublicKey peer, string? unit)
    {
        var name = unit ?? Units(null).FirstOrDefault(known => graphs.Find(known)!.SumsOf(peer).Records > 0) ?? HelpClaim.Bytes;
        if (graphs.Scores(name) is not { } scores) return TrustWords.Explain(new TrustView(peer.ToString(), peer.ShortName, 0, name, 0, 0, 0), null, [], [], self, peer);
        var explanation = scores.Explain(peer);
        var paths = explanation.Paths.Select(path => new TrustPath(PeerNames.Of(path.Through), path.First, path.Second, path.Flow)).ToList();
        var records = explanation.Records.Select(record => Record(record, name)).ToList();
        return TrustWords.Explain(Trust(peer, explanation.Score, scores.Graph), explanation.Score, paths, records, self, peer);
    }

    public static DateTimeOffset TimeOf(ulong milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Min(milliseconds, 253_402_300_799_999));

    private static TrustView Trust(PublicKey peer, Score score, WorkGraph graph)
    {
        var sums = graph.SumsOf(peer);
        return new TrustView(peer.ToString(), peer.ShortName, score.Value, graph.Unit, sums.Records, sums.Gave, sums.Got);
    }

    private TrustRecord Record(WorkRecord record, string unit)
    {
        var answerer = record.Proposer == record.Contributor ? record.Consumer : record.Contributor;
        var what = store.Get(record.Proposer.Bytes, record.ProposalSequence) is { } proposal && HelpClaim.TryRead(proposal, out var claim) ? claim.For : "";
        return new TrustRecord(PeerNames.Of(record.Contributor), PeerNames.Of(record.Consumer), record.Amount, unit, what,
            $"{record.Proposer}.{record.ProposalSequence}", $"{answerer}.{record.AgreementSequence}", TimeOf(record.Timestamp));
    }

    internal static string TransactionText(HalfBlock block)
    {
        if (TransactionJson.TryDecode(block.Transaction, out var json)) return json.ToDisplayText();
        return TransactionCodec.TryDecodeAny(block.Transaction, out var value) ? value.ToDisplayText() : Convert.ToHexStringLower(block.Transaction);
    }
}
