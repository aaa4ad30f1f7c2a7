using Polder.Ledger.Blocks;

namespace Polder.Node.Operations;

/// <summary>The ledger of a running node in this process.</summary>
internal sealed class LocalLedger(PolderNode node, LocalNode operations, LedgerFigures figures) : ILedgerOperations
{
    private const int ProblemsMax = 20;

    public Task<LedgerStatsView> StatsAsync(CancellationToken cancellation = default) => operations.OnLoopAsync(
        () => figures.Stats(node.StoreKind, node.Ledger.Options.DiskBytesMax, node.Ledger.Options.BlocksMax), cancellation);

    public Task<TakenInView> TakeInAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) => operations.OnLoopAsync(async () =>
    {
        var (blocks, problems, unreadable) = (new List<HalfBlock>(packedBlocks.Count), new List<TakenInProblem>(), 0);
        var indexes = new Dictionary<HalfBlock, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < packedBlocks.Count; i++)
        {
            if (HalfBlock.TryUnpack(packedBlocks[i], out var block))
            {
                blocks.Add(block);
                indexes[block] = i;
                continue;
            }
            unreadable++;
            if (problems.Count < ProblemsMax) problems.Add(new TakenInProblem(i, "these bytes are no block: too short, too long, or lengths that do not add up"));
        }
        var result = await node.Ledger.ImportAsync(blocks, (block, reason) =>
        {
            if (problems.Count < ProblemsMax) problems.Add(new TakenInProblem(indexes[block], reason));
        });
        return new TakenInView(result.Kept, result.Known, result.Invalid + unreadable, problems);
    }, cancellation);

    public Task<LedgerSearchView> SearchAsync(string text, CancellationToken cancellation = default) =>
        operations.OnLoopAsync(() => figures.Search(text, operations.Met()), cancellation);
}
