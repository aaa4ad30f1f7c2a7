using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>The routes of <see cref="ILedgerOperations"/> (docs/api.md).</summary>
internal static class LedgerApi
{
    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application, ILedgerOperations ledger)
    {
        var json = HostJson.Default;

        NodeApi.MapGet(application, "ledger", json.LedgerStatsView, (_, stop) => ledger.StatsAsync(stop));
        NodeApi.MapGet(application, "ledger/search", json.LedgerSearchView, (query, stop) => ledger.SearchAsync(NodeApi.Needed(query, "text"), stop));
        NodeApi.MapPost(application, "ledger/blocks", json.ImportBody, json.TakenInView, (body, stop) =>
        {
            var blocks = body.Blocks ?? throw NodeApi.Bad("\"blocks\" is missing: a list of packed blocks as hex.");
            if (blocks.Count > NodeApi.ImportBlocksMax) throw NodeApi.Bad($"At most {NodeApi.ImportBlocksMax} blocks at once.");
            return ledger.TakeInAsync([.. blocks.Select(NodeApi.Hex)], stop);
        });
    }
}

/// <summary>The ledger of a running node behind its API.</summary>
internal sealed class ApiLedger(ApiNode node) : ILedgerOperations
{
    public Task<LedgerStatsView> StatsAsync(CancellationToken cancellation = default) =>
        node.GetAsync("ledger", HostJson.Default.LedgerStatsView, cancellation);

    public Task<TakenInView> TakeInAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) =>
        node.PostAsync("ledger/blocks", new ImportBody([.. packedBlocks.Select(Convert.ToHexStringLower)]),
            HostJson.Default.ImportBody, HostJson.Default.TakenInView, ApiNode.Long, cancellation);

    public Task<LedgerSearchView> SearchAsync(string text, CancellationToken cancellation = default) =>
        node.GetAsync("ledger/search" + ApiNode.Query(("text", text)), HostJson.Default.LedgerSearchView, cancellation);
}
