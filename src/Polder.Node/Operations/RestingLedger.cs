namespace Polder.Node.Operations;

/// <summary>The ledger of a folder at rest: it can be read.</summary>
internal sealed class RestingLedger(RestingNode node) : ILedgerOperations
{
    public Task<LedgerStatsView> StatsAsync(CancellationToken cancellation = default) => node.StatsAsync();

    public Task<TakenInView> TakeInAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) =>
        throw node.NotRunningFor("Only a running node can take in blocks this way; a folder at rest takes a whole dump: polder ledger import FILE.");

    public Task<LedgerSearchView> SearchAsync(string text, CancellationToken cancellation = default) => node.SearchAsync(text);
}
