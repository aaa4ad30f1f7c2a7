using System.Globalization;
using Polder.Cryptography;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Node.Storage;

namespace Polder.Node.Dumps;

/// <summary>What a verification found.</summary>
/// <param name="Blocks">Blocks judged in this run.</param>
/// <param name="Whole">Of them, with both neighbours (or the first with its next) here and fitting.</param>
/// <param name="Partial">Of them, with a neighbour missing; nothing is wrong with them.</param>
/// <param name="Invalid">Of them, with something wrong.</param>
/// <param name="Problems">The first problems, in words.</param>
/// <param name="Next">Where to go on: give it to the next run. 0 when all was judged.</param>
/// <param name="Frauds">Proofs that were judged.</param>
public sealed record VerifyReport(long Blocks, long Whole, long Partial, long Invalid, IReadOnlyList<string> Problems, long Next, int Frauds);

/// <summary>
/// Judges every block of a store anew, signatures included, against all that the store holds now; then the proofs of fraud and the
/// accounts. A run that was ended goes on where it was.
/// </summary>
public static class LedgerVerify
{
    private const int PageBlocks = 4_096;
    private const int ProblemsMax = 50;

    /// <summary>Judges the blocks behind a place.</summary>
    /// <param name="store">A store opened for this thread.</param>
    /// <param name="after">0 to begin, <see cref="VerifyReport.Next"/> to go on.</param>
    /// <param name="progress">Told how many blocks were judged.</param>
    /// <param name="cancellation">Ends it early; the report says where to go on.</param>
    public static VerifyReport Run(IBlockStore store, long after = 0, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var problems = new List<string>();
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        var (blocks, whole, partial, invalid, next) = (0L, 0L, 0L, 0L, 0L);
        if (after == 0 && store is SqliteBlockStore file && file.FileFault() is { } fault) Problem($"SQLite finds the file damaged: {fault}");
        // The signatures of the next page are checked while the rules go through this one.
        Task<(PlacedBlock[] Page, bool[] Good)>? coming = null;
        foreach (var page in store.AllAfter(after).Chunk(PageBlocks))
        {
            var verifying = Task.Run(() => (page, Verify(page)), CancellationToken.None);
            if (coming is not null) Judge(coming.GetAwaiter().GetResult());
            coming = verifying;
            if (!cancellation.IsCancellationRequested) continue;
            next = page[0].Place - 1;
            coming.GetAwaiter().GetResult();
            coming = null;
            break;
        }
        if (coming is not null) Judge(coming.GetAwaiter().GetResult());
        var frauds = store.Frauds();
        if (next == 0)
        {
            foreach (var proof in frauds)
                if (LedgerImport.FaultOf(proof, store) is { } wrong) Problem($"A proof of fraud proves nothing: {wrong}");
            if (store is SqliteBlockStore accounts)
                foreach (var wrong in accounts.AccountFaults()) Problem($"An account is wrong: {wrong}");
        }
        return new VerifyReport(blocks, whole, partial, invalid, problems, next, frauds.Count);

        void Judge((PlacedBlock[] Page, bool[] Good) judged)
        {
            for (var i = 0; i < judged.Page.Length; i++)
            {
                var block = judged.Page[i].Block;
                var verdict = validator.Validate(block, store, judged.Good[i]);
                blocks++;
                if (verdict.IsInvalid)
                {
                    invalid++;
                    Problem(string.Create(CultureInfo.InvariantCulture, $"Block {block.Sequence} of {DatabaseCheck.NameOf(block.PublicKey)}: {verdict.Reason}"));
                }
                else if (verdict.Level is BlockLevel.Valid or BlockLevel.PartialNext) whole++;
                else partial++;
            }
            progress?.Report(blocks);
        }

        void Problem(string words)
        {
            if (problems.Count < ProblemsMax) problems.Add(words);
        }
    }

    private static bool[] Verify(PlacedBlock[] page)
    {
        var good = new bool[page.Length];
        Parallel.For(0, page.Length, i => good[i] = page[i].Block.VerifySignature(Ed25519Signatures.Instance));
        return good;
    }
}
