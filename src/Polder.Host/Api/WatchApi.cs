using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>The routes of <see cref="IFraudOperations"/> and <see cref="ISurveyOperations"/> (docs/api.md).</summary>
internal static class WatchApi
{
    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application, INodeOperations node)
    {
        var json = HostJson.Default;

        NodeApi.MapGet(application, "fraud", json.IReadOnlyListFraudDetail, (query, stop) => node.Fraud.ListAsync(NodeApi.Number(query, "count", 100, 1_000), stop));
        NodeApi.MapGet(application, "fraud/export", json.FraudDocument, (query, stop) => node.Fraud.ExportAsync(NodeApi.Needed(query, "peer"), stop));
        NodeApi.MapPost(application, "fraud/check", json.FileBody, json.FraudCheckView, (body, stop) => node.Fraud.CheckAsync(File(body), stop));
        NodeApi.MapPost(application, "fraud/import", json.FileBody, json.FraudCheckView, (body, stop) => node.Fraud.ImportAsync(File(body), stop));

        NodeApi.MapGet(application, "crawl", json.CrawlProgressView, (_, stop) => node.Survey.ProgressAsync(stop));
        NodeApi.MapPost(application, "crawl/all", json.RunBody, json.CrawlProgressView, (body, stop) =>
            node.Survey.RunAsync(body.Run ?? throw NodeApi.Bad("\"run\" is missing: true or false."), stop));
        NodeApi.MapGet(application, "network", json.NetworkStatisticsView, (_, stop) => node.Survey.StatisticsAsync(stop));
    }

    private static byte[] File(FileBody body) => body.File ?? throw NodeApi.Bad("\"file\" is missing: the file as base64.");
}
