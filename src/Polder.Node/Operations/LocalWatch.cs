
namespace Polder.Node.Operations;

/// <summary>A running node's frauds and survey. Hops onto the loop, as <see cref="LocalNode"/> does.</summary>
internal sealed class LocalWatch(PolderNode node, LocalNode local) : IFraudOperations, ISurveyOperations
{
    public Task<IReadOnlyList<FraudDetail>> ListAsync(int count = 100, CancellationToken cancellation = default) =>
        local.OnLoopAsync(() => FraudViews.List(node.Ledger.Store, count), cancellation);

    public Task<FraudDocument> ExportAsync(string peer, CancellationToken cancellation = default) =>
        local.OnLoopAsync(() => FraudViews.Export(node.Ledger.Store, local.Resolve(peer)), cancellation);

    public Task<FraudCheckView> CheckAsync(byte[] file, CancellationToken cancellation = default) =>
        local.OnLoopAsync(() => FraudViews.Check(file, proof => node.Ledger.Store.FraudOf(proof.Culprit) is not null, out _), cancellation);

    public Task<FraudCheckView> ImportAsync(byte[] file, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        var view = FraudViews.Check(file, proof => node.Ledger.Store.FraudOf(proof.Culprit) is not null, out var proven);
        if (proven is null) throw new OperationRefusedException(RefusalKind.BadInput, $"{view.Verdict} Nothing was kept.");
        node.Ledger.Import(proven);
        if (node.Ledger.Store.FraudOf(proven.Culprit) is null)
            throw new OperationRefusedException(RefusalKind.Conflict, $"{view.Verdict} But this node holds as many proofs against strangers as it keeps, so it was not kept.");
        await node.Ledger.Store.FlushAsync();
        return view;
    }, cancellation);

    public Task<CrawlProgressView> ProgressAsync(CancellationToken cancellation = default) =>
        local.OnLoopAsync(() => SurveyViews.Of(node.Ledger.Survey.Progress), cancellation);

    public Task<CrawlProgressView> RunAsync(bool run, CancellationToken cancellation = default) => local.OnLoopAsync(() =>
    {
        if (run) node.Ledger.Survey.Begin();
        else node.Ledger.Survey.End();
        return SurveyViews.Of(node.Ledger.Survey.Progress);
    }, cancellation);

    public Task<NetworkStatisticsView> StatisticsAsync(CancellationToken cancellation = default) =>
        local.OnLoopAsync(() => SurveyViews.Of(node.Ledger.Store, node.Host.Environment.Time.GetUtcNow()), cancellation);
}
