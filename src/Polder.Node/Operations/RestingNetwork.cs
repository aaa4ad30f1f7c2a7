namespace Polder.Node.Operations;

/// <summary>The network as a folder at rest sees it: not at all.</summary>
internal sealed class RestingNetwork(Func<string, OperationRefusedException> notRunning) : INetworkOperations
{
    public Task<DoctorView> DoctorAsync(CancellationToken cancellation = default) => throw notRunning("Only a running node can tell how it is connected.");
    public Task<ConnectionView> ConnectAsync(string peer, CancellationToken cancellation = default) => throw notRunning("Only a running node can meet others.");
    public Task<InvitationView> InviteAsync(TimeSpan lifetime, CancellationToken cancellation = default) => throw notRunning("Only a running node can invite.");
    public Task<ContactView> AcceptInvitationAsync(string text, CancellationToken cancellation = default) => throw notRunning("Only a running node can take an invitation.");
    public Task<IReadOnlyList<ContactView>> ContactsAsync(CancellationToken cancellation = default) => throw notRunning("Contacts are known to a running node only.");
    public Task<DhtAnswer> DhtGetAsync(string key, CancellationToken cancellation = default) => throw notRunning("Only a running node can ask the DHT.");
    public Task<DhtStored> DhtPutAsync(DhtPut put, CancellationToken cancellation = default) => throw notRunning("Only a running node can store in the DHT.");
    public Task<DhtNodes> DhtFindAsync(string key, CancellationToken cancellation = default) => throw notRunning("Only a running node can ask the DHT.");
    public Task<IReadOnlyList<TagView>> TagsAsync(CancellationToken cancellation = default) => throw notRunning("Only a running node is in tagged overlays.");
    public Task<TagView> JoinTagAsync(string name, double kilobytesPerSecond, int neighbours, CancellationToken cancellation = default) => throw notRunning("Only a running node can join.");
    public Task LeaveTagAsync(string name, CancellationToken cancellation = default) => throw notRunning("Only a running node can leave.");
    public Task<byte[]> ExportPeersAsync(CancellationToken cancellation = default) => throw notRunning("Only a running node knows who was reachable lately.");
    public Task<int> ImportPeersAsync(byte[] bundle, CancellationToken cancellation = default) => throw notRunning("Only a running node can take addresses.");
}
