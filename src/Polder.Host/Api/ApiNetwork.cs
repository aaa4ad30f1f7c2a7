using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>A running node's place in the network, behind its local API.</summary>
internal sealed class ApiNetwork(ApiNode node) : INetworkOperations
{
    private static HostJson Json => HostJson.Default;

    public Task<DoctorView> DoctorAsync(CancellationToken cancellation = default) => node.GetAsync("doctor", Json.DoctorView, cancellation);
    public Task<ConnectionView> ConnectAsync(string peer, CancellationToken cancellation = default) =>
        node.PostAsync("connect", new PeerBody(peer), Json.PeerBody, Json.ConnectionView, ApiNode.Short * 2, cancellation);
    public Task<InvitationView> InviteAsync(TimeSpan lifetime, CancellationToken cancellation = default) =>
        node.PostAsync("invitations", new InviteBody(lifetime.TotalHours), Json.InviteBody, Json.InvitationView, ApiNode.Short, cancellation);
    public Task<ContactView> AcceptInvitationAsync(string text, CancellationToken cancellation = default) =>
        node.PostAsync("invitations/accept", new TextBody(text), Json.TextBody, Json.ContactView, ApiNode.Short * 2, cancellation);
    public Task<IReadOnlyList<ContactView>> ContactsAsync(CancellationToken cancellation = default) =>
        node.GetAsync("contacts", Json.IReadOnlyListContactView, cancellation);
    public Task<DhtAnswer> DhtGetAsync(string key, CancellationToken cancellation = default) =>
        node.GetAsync("dht/get" + ApiNode.Query(("key", key)), Json.DhtAnswer, cancellation, ApiNode.Short * 2);
    public Task<DhtStored> DhtPutAsync(DhtPut put, CancellationToken cancellation = default) =>
        node.PostAsync("dht", new DhtPutBody(put.Value, put.Name, put.Topic, put.Lifetime.TotalHours), Json.DhtPutBody, Json.DhtStored, ApiNode.Short * 2, cancellation);
    public Task<DhtNodes> DhtFindAsync(string key, CancellationToken cancellation = default) =>
        node.GetAsync("dht/find" + ApiNode.Query(("key", key)), Json.DhtNodes, cancellation, ApiNode.Short * 2);
    public Task<IReadOnlyList<TagView>> TagsAsync(CancellationToken cancellation = default) => node.GetAsync("tags", Json.IReadOnlyListTagView, cancellation);
    public Task<TagView> JoinTagAsync(string name, double kilobytesPerSecond, int neighbours, CancellationToken cancellation = default) =>
        node.PostAsync("tags", new TagBody(name, kilobytesPerSecond, neighbours), Json.TagBody, Json.TagView, ApiNode.Short, cancellation);
    public Task LeaveTagAsync(string name, CancellationToken cancellation = default) =>
        node.PostAsync("tags/leave", new TextBody(name), Json.TextBody, Json.TextBody, ApiNode.Short, cancellation);
    public async Task<byte[]> ExportPeersAsync(CancellationToken cancellation = default) =>
        (await node.GetAsync("bundle", Json.BundleBody, cancellation).ConfigureAwait(false)).Bundle ?? [];
    public async Task<int> ImportPeersAsync(byte[] bundle, CancellationToken cancellation = default) =>
        (await node.PostAsync("bundle", new BundleBody(bundle), Json.BundleBody, Json.CountView, ApiNode.Short, cancellation).ConfigureAwait(false)).Count;
}
