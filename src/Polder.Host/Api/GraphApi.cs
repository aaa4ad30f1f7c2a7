using System.Globalization;
using Polder.Node.Operations.People;

namespace Polder.Host.Api;

/// <summary>The routes of <see cref="IGraphOperations"/> (docs/api.md).</summary>
internal static class GraphApi
{
    public const int WaitSecondsMax = 50;

    private static readonly TimeSpan ChangeWait = TimeSpan.FromSeconds(25);

    public static void Map(WebApplication application, IGraphOperations graph)
    {
        NodeApi.MapGet(application, "graph", HostJson.Default.GraphStatusView, (_, stop) => graph.LookAsync(stop));
        NodeApi.MapGet(application, "graph/souls", HostJson.Default.GraphSoulsView, (query, stop) => graph.SoulsAsync(Text(query, "prefix") ?? "", Text(query, "after"), Count(query, 100), stop));
        NodeApi.MapGet(application, "graph/node", HostJson.Default.GraphNodeView, (query, stop) => graph.NodeAsync(NodeApi.Needed(query, "soul"), Text(query, "key"), Text(query, "after"), Count(query, 200), stop));
        NodeApi.MapPost(application, "graph/node", HostJson.Default.GraphPutRequest, HostJson.Default.GraphNodeView, (body, stop) =>
            body is { Soul: not null, Key: not null, Value: not null } ? graph.PutAsync(body, stop) : throw NodeApi.Bad("soul, key and value are needed; value is JSON in a text."));
        NodeApi.MapGet(application, "graph/history", HostJson.Default.GraphNodeView, (query, stop) => graph.HistoryAsync(NodeApi.Needed(query, "soul"), NodeApi.Needed(query, "key"), stop));
        NodeApi.MapGet(application, "graph/entries", HostJson.Default.GraphEntriesView, (query, stop) =>
            graph.EntriesAsync(Text(query, "prefix") ?? "", Text(query, "soul"), query["key"] is [var key] ? key : null, Count(query, 1000), stop));
        NodeApi.MapPost(application, "graph/entries", HostJson.Default.IReadOnlyListGraphEntryView, HostJson.Default.GraphMergeView, (body, stop) =>
            body.All(static entry => entry is { Soul: not null, Key: not null, Value: not null }) ? graph.MergeAsync(body, stop) : throw NodeApi.Bad("Each entry has soul, key, state and value."));
        NodeApi.MapGet(application, "graph/changes", HostJson.Default.GraphChangesView, async (query, stop) =>
        {
            var seen = long.TryParse(Text(query, "seen"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : -1;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(ChangeWait);
            try { return await graph.ChangesAsync(Text(query, "prefix") ?? "", seen, patience.Token).ConfigureAwait(false); }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested) { return new GraphChangesView(seen, []); }
        });
        NodeApi.MapPost(application, "graph/accounts", HostJson.Default.GraphAccountRequest, HostJson.Default.GraphAccountView, (body, stop) => graph.CreateAccountAsync(Checked(body), stop));
        NodeApi.MapPost(application, "graph/accounts/open", HostJson.Default.GraphAccountRequest, HostJson.Default.GraphAccountView, (body, stop) => graph.OpenAccountAsync(Checked(body), stop));
        NodeApi.MapPost(application, "graph/accounts/shares", HostJson.Default.GraphSharesRequest, HostJson.Default.GraphSharesView, (body, stop) =>
            body is { Alias.Length: > 0, Passphrase: not null } ? graph.MakeSharesAsync(body, stop) : throw NodeApi.Bad("alias, passphrase, needed and count are needed."));
        NodeApi.MapPost(application, "graph/accounts/recover", HostJson.Default.GraphRecoveryRequest, HostJson.Default.GraphAccountView, (body, stop) =>
            body is { Alias.Length: > 0, Shares: not null, NewPassphrase: not null } ? graph.RecoverAsync(body, stop) : throw NodeApi.Bad("alias, shares and newPassphrase are needed."));
        NodeApi.MapPost(application, "graph/trust", HostJson.Default.GraphTrustRequest, HostJson.Default.GraphKnownKeysView, (body, stop) =>
            body is { Alias.Length: > 0, Passphrase: not null, PublicKey.Length: > 0 } ? graph.TrustAsync(body, stop) : throw NodeApi.Bad("alias, passphrase, publicKey and name are needed; name null takes it back."));
        NodeApi.MapGet(application, "graph/trust", HostJson.Default.GraphKnownKeysView, (query, stop) => graph.FindKeyAsync(NodeApi.Needed(query, "alias"), NodeApi.Needed(query, "name"), stop));
        NodeApi.MapGet(application, "graph/topics", HostJson.Default.GraphTopicsView, (_, stop) => graph.TopicsAsync(stop));
        NodeApi.MapPost(application, "graph/topics", HostJson.Default.GraphTopicRequest, HostJson.Default.GraphTopicsView, (body, stop) =>
            body is { Topic: not null } ? graph.ChangeTopicAsync(body, stop) : throw NodeApi.Bad("topic is needed."));
        NodeApi.MapGet(application, "graph/copies", HostJson.Default.GraphCopiesView, (query, stop) => graph.CopiesAsync(NodeApi.Needed(query, "soul"), NodeApi.Needed(query, "key"),
            Text(query, "peers") is null ? null : NodeApi.Number(query, "peers", 1, 1000), Text(query, "contact"), TimeSpan.FromSeconds(NodeApi.Number(query, "wait", 0, WaitSecondsMax)), stop));
    }

    private static GraphAccountRequest Checked(GraphAccountRequest body) =>
        body is { Alias.Length: > 0, Passphrase: not null } ? body : throw NodeApi.Bad("alias and passphrase are needed.");

    private static int Count(IQueryCollection query, int fallback) => NodeApi.Number(query, "count", fallback, IGraphOperations.CountMax);

    private static string? Text(IQueryCollection query, string name) => query[name] is [{ Length: > 0 } text] ? text : null;
}
