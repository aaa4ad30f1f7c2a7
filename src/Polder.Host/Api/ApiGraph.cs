using System.Globalization;
using Polder.Node.Operations.People;

namespace Polder.Host.Api;

/// <summary>A running node's graph, behind its local API.</summary>
internal sealed class ApiGraph(ApiNode node) : IGraphOperations
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public Task<GraphStatusView> LookAsync(CancellationToken cancellation = default) => node.GetAsync("graph", HostJson.Default.GraphStatusView, cancellation);

    public Task<GraphSoulsView> SoulsAsync(string prefix = "", string? after = null, int count = 100, CancellationToken cancellation = default) =>
        node.GetAsync("graph/souls" + ApiNode.Query(("prefix", prefix), ("after", after), ("count", Text(count))), HostJson.Default.GraphSoulsView, cancellation);

    public Task<GraphNodeView> NodeAsync(string soul, string? key = null, string? after = null, int count = 200, CancellationToken cancellation = default) =>
        node.GetAsync("graph/node" + ApiNode.Query(("soul", soul), ("key", key), ("after", after), ("count", Text(count))), HostJson.Default.GraphNodeView, cancellation);

    public Task<GraphNodeView> HistoryAsync(string soul, string key, CancellationToken cancellation = default) =>
        node.GetAsync("graph/history" + ApiNode.Query(("soul", soul), ("key", key)), HostJson.Default.GraphNodeView, cancellation);

    public Task<GraphNodeView> PutAsync(GraphPutRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/node", request, HostJson.Default.GraphPutRequest, HostJson.Default.GraphNodeView, Patience, cancellation);

    public Task<GraphEntriesView> EntriesAsync(string prefix = "", string? afterSoul = null, string? afterKey = null, int count = 1000, CancellationToken cancellation = default) =>
        node.GetAsync("graph/entries" + ApiNode.Query(("prefix", prefix), ("soul", afterSoul), ("key", afterKey), ("count", Text(count))), HostJson.Default.GraphEntriesView, cancellation);

    public Task<GraphMergeView> MergeAsync(IReadOnlyList<GraphEntryView> entries, CancellationToken cancellation = default) =>
        node.PostAsync("graph/entries", entries, HostJson.Default.IReadOnlyListGraphEntryView, HostJson.Default.GraphMergeView, Patience, cancellation);

    public async Task<GraphChangesView> ChangesAsync(string prefix, long seen, CancellationToken cancellation = default)
    {
        while (true)
        {
            var changes = await node.GetAsync("graph/changes" + ApiNode.Query(("prefix", prefix), ("seen", seen.ToString(CultureInfo.InvariantCulture))), HostJson.Default.GraphChangesView, cancellation, Patience).ConfigureAwait(false);
            if (seen < 0 || changes.Changes.Count > 0) return changes;
        }
    }

    public Task<GraphAccountView> CreateAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/accounts", request, HostJson.Default.GraphAccountRequest, HostJson.Default.GraphAccountView, Patience, cancellation);

    public Task<GraphAccountView> OpenAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/accounts/open", request, HostJson.Default.GraphAccountRequest, HostJson.Default.GraphAccountView, Patience, cancellation);

    public Task<GraphTopicsView> TopicsAsync(CancellationToken cancellation = default) => node.GetAsync("graph/topics", HostJson.Default.GraphTopicsView, cancellation);

    public Task<GraphTopicsView> ChangeTopicAsync(GraphTopicRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/topics", request, HostJson.Default.GraphTopicRequest, HostJson.Default.GraphTopicsView, Patience, cancellation);

    /// <summary>A long wait is asked for in pieces, so that a connection which breaks is noticed.</summary>
    public async Task<GraphCopiesView> CopiesAsync(string soul, string key, int? peers = null, string? contact = null, TimeSpan wait = default, CancellationToken cancellation = default)
    {
        while (true)
        {
            var piece = Math.Min(GraphApi.WaitSecondsMax, (int)Math.Ceiling(wait.TotalSeconds));
            var view = await node.GetAsync("graph/copies" + ApiNode.Query(("soul", soul), ("key", key), ("peers", peers is { } count ? Text(count) : null), ("contact", contact), ("wait", piece > 0 ? Text(piece) : null)),
                HostJson.Default.GraphCopiesView, cancellation, Patience).ConfigureAwait(false);
            wait -= TimeSpan.FromSeconds(piece);
            if (view.IsMet != false || wait <= TimeSpan.Zero) return view;
        }
    }

    public Task<GraphSharesView> MakeSharesAsync(GraphSharesRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/accounts/shares", request, HostJson.Default.GraphSharesRequest, HostJson.Default.GraphSharesView, Patience, cancellation);

    public Task<GraphAccountView> RecoverAsync(GraphRecoveryRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/accounts/recover", request, HostJson.Default.GraphRecoveryRequest, HostJson.Default.GraphAccountView, Patience, cancellation);

    public Task<GraphKnownKeysView> TrustAsync(GraphTrustRequest request, CancellationToken cancellation = default) =>
        node.PostAsync("graph/trust", request, HostJson.Default.GraphTrustRequest, HostJson.Default.GraphKnownKeysView, Patience, cancellation);

    public Task<GraphKnownKeysView> FindKeyAsync(string alias, string name, CancellationToken cancellation = default) =>
        node.GetAsync("graph/trust" + ApiNode.Query(("alias", alias), ("name", name)), HostJson.Default.GraphKnownKeysView, cancellation);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
