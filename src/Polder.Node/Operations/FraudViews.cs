using System.Globalization;
using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Fraud;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;

namespace Polder.Node.Operations;

/// <summary>Frauds as they are shown, and files as they are judged: the same with a node and without one.</summary>
public static class FraudViews
{
    /// <summary>Judges a file by itself: no node is needed, and nothing is kept.</summary>
    public static FraudCheckView Check(byte[] file) => Check(file, static _ => false, out _);

    /// <summary>A fraud field by field.</summary>
    internal static FraudDetail Detail(FraudProof proof, bool isPortable)
    {
        var (a, b) = (proof.First, proof.Second);
        FraudField[] fields =
        [
            Field("Number", block => Number(block.Sequence)),
            Field("Counterparty", block => block.IsSource ? "anybody" : PeerNames.Of(block.LinkKey).Name),
            Field("Answers", block => block.IsProposal ? "nothing: it is a proposal" : $"block {Number(block.LinkSequence)} of the counterparty"),
            Field("Type", block => block.TypeText),
            Field("Says", HelpRecords.Summary),
            Field("Transaction", block => LedgerViews.TransactionText(block)),
            Field("Signed at", block => LedgerViews.TimeOf(block.Timestamp).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
            Field("After", block => block.PreviousHash == HalfBlock.GenesisHash ? "nothing: the first of its chain" : block.PreviousHash.ToString()),
            Field("Hash", block => block.Hash.ToString()),
            Field("Signature", block => Convert.ToHexStringLower(block.Signature)),
        ];
        return new FraudDetail(PeerNames.Of(proof.Culprit), FraudFile.NameOf(proof.Kind), FraudFile.WordsOf(proof), fields, a.Hash.ToString(), b.Hash.ToString(), isPortable);

        FraudField Field(string name, Func<HalfBlock, string> of) => new(name, of(a), of(b), of(a) != of(b));
    }

    internal static IReadOnlyList<FraudDetail> List(IBlockStore store, int count) =>
        [.. store.Frauds().Reverse().Take(Math.Clamp(count, 0, 1_000)).Select(proof => Detail(proof, store.ProofAgainst(proof.Culprit) is not null))];

    internal static FraudDocument Export(IBlockStore store, Polder.Identity.PublicKey peer)
    {
        if (store.FraudOf(peer.Bytes) is null)
            throw new OperationRefusedException(RefusalKind.NotFound, $"No fraud by {peer.ShortName} is proven here. See: polder fraud");
        var proof = store.ProofAgainst(peer.Bytes) ?? throw new OperationRefusedException(RefusalKind.Conflict,
            $"{peer.ShortName} agreed twice to one proposal, and that proposal is not held here, without which nobody can check it. Fetch the chain of whoever made it: polder crawl PEER");
        return new FraudDocument(PeerNames.Of(proof.Culprit), peer.ShortName + ".polder-fraud", FraudFile.Write(proof));
    }

    internal static FraudCheckView Check(byte[] file, Func<FraudProof, bool> isKnown, out FraudProof? proven)
    {
        proven = null;
        if (!FraudFile.TryRead(file, out var proof, out var error)) return new FraudCheckView(false, $"This proves nothing: {error}.", null, false);
        var fault = FraudRules.FaultOf(proof, Ed25519Signatures.Instance);
        var detail = Detail(proof, isPortable: fault == FraudFault.None);
        if (fault != FraudFault.None) return new FraudCheckView(false, $"This proves nothing: {FraudRules.Words(fault)}.", detail, isKnown(proof));
        proven = proof;
        return new FraudCheckView(true, $"Proven. {FraudFile.WordsOf(proof)} All signatures are good.", detail, isKnown(proof));
    }

    private static string Number(uint number) => number.ToString(CultureInfo.InvariantCulture);
}
