using System.Text.Json;
using Polder.Node.Operations.People;

namespace Polder.Host.Api;

/// <summary>A running node's mail-bag, behind its local API.</summary>
internal sealed class ApiMail(ApiNode node) : IMailOperations
{
    public Task<MailbagView> LookAsync(CancellationToken cancellation = default) => node.GetAsync("mailbag", HostJson.Default.MailbagView, cancellation);

    public async Task<BundleMadeView> ExportAsync(string? receiver, Stream to, CancellationToken cancellation = default) =>
        JsonSerializer.Deserialize(await node.FetchAsync("mailbag/bundle" + ApiNode.Query(("for", receiver)), MailApi.MadeHeader, to, cancellation).ConfigureAwait(false), HostJson.Default.BundleMadeView)!;

    public Task<BundleTakenView> ImportAsync(Stream from, CancellationToken cancellation = default) =>
        node.SendAsync("mailbag/bundle", from, HostJson.Default.BundleTakenView, cancellation);
}
