using Polder.Ledger;
using Polder.Node.Dumps;
using Polder.Node.Operations;
using Polder.Node.Storage;

namespace Polder.Host.Commands.Records;

/// <summary>The ledger commands on a shared PostgreSQL database, without a node.</summary>
internal static class PostgresLedger
{
    public static OpenedStore Open(string url)
    {
        var store = PostgresBlockStore.Open(url, readOnly: true);
        return new OpenedStore(store, store);
    }

    public static Task<LedgerStatsView> StatsAsync(string url, CancellationToken cancellation) => Task.Run(() =>
    {
        using var store = PostgresBlockStore.Open(url, readOnly: true);
        var totals = store.Totals();
        return new LedgerStatsView("postgres", totals.Blocks, totals.Chains, totals.Peers, totals.Records, store.Frauds().Count, store.DiskBytes, null, new TrustChainOptions().BlocksMax,
            [.. store.Days().Select(static day => new DayView(day.Day?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), day.Blocks, day.Users, day.Newcomers))]);
    }, cancellation);

    public static async Task<ImportReport> ImportAsync(string url, Stream stream, ImportOptions options, IProgress<(long Blocks, long Bytes)> progress, CancellationToken cancellation)
    {
        using var store = PostgresBlockStore.Open(url);
        return await LedgerImport.RunAsync(store, owner: null, stream, options, progress, cancellation).ConfigureAwait(false);
    }
}
