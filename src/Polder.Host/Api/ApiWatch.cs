using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>A running node's frauds and survey, behind its local API.</summary>
internal sealed class ApiWatch(ApiNode node) : IFraudOperations, ISurveyOperations
{
    private static HostJson Json => HostJson.Default;

    public Task<IReadOnlyList<FraudDetail>> ListAsync(int count = 100, CancellationToken cancellation = default) =>
        node.GetAsync("fraud" + ApiNode.Query(("count", ApiNode.Text(count))), Json.IReadOnlyListFraudDetail, cancellation);
    public Task<FraudDocument> ExportAsync(string peer, CancellationToken cancellation = default) =>
        node.GetAsync("fraud/export" + ApiNode.Query(("peer", peer)), Json.FraudDocument, cancellation);
    public Task<FraudCheckView> CheckAsync(byte[] file, CancellationToken cancellation = default) =>
        node.PostAsync("fraud/check", new FileBody(file), Json.FileBody, Json.FraudCheckView, ApiNode.Short, cancellation);
    public Task<FraudCheckView> ImportAsync(byte[] file, CancellationToken cancellation = default) =>
        node.PostAsync("fraud/import", new FileBody(file), Json.FileBody, Json.FraudCheckView, ApiNode.Short, cancellation);
    public Task<CrawlProgressView> ProgressAsync(CancellationToken cancellation = default) => node.GetAsync("crawl", Json.CrawlProgressView, cancellation);
    public Task<CrawlProgressView> RunAsync(bool run, CancellationToken cancellation = default) =>
        node.PostAsync("crawl/all", new RunBody(run), Json.RunBody, Json.CrawlProgressView, ApiNode.Short, cancellation);
    public Task<NetworkStatisticsView> StatisticsAsync(CancellationToken cancellation = default) =>
        node.GetAsync("network", Json.NetworkStatisticsView, cancellation);
}
