namespace Polder.Node.Operations;

/// <summary>
/// What people and programs do with a node's place in the network: how it is connected and why, invitations and contacts, names
/// and records in the DHT, tagged overlays. Refusals are <see cref="OperationRefusedException"/>, as everywhere.
/// </summary>
public interface INetworkOperations
{
    /// <summary>How this node is connected, by what evidence, and what would improve it.</summary>
    Task<DoctorView> DoctorAsync(CancellationToken cancellation = default);

    /// <summary>Opens an encrypted session with a peer by every way there is: known addresses, help of others, a relay.</summary>
    Task<ConnectionView> ConnectAsync(string peer, CancellationToken cancellation = default);

    /// <summary>Makes an invitation: one text that carries my key, my addresses, helpers, and a token that works once.</summary>
    Task<InvitationView> InviteAsync(TimeSpan lifetime, CancellationToken cancellation = default);

    /// <summary>Takes somebody's invitation: connects to its maker, and both become contacts without a further question.</summary>
    Task<ContactView> AcceptInvitationAsync(string text, CancellationToken cancellation = default);

    /// <summary>The people that this node's owner knows, by name.</summary>
    Task<IReadOnlyList<ContactView>> ContactsAsync(CancellationToken cancellation = default);

    /// <summary>The records under a key: 64 hex digits, "PUBLICKEY/NAME" for somebody's record, or the name of a record of ours.</summary>
    Task<DhtAnswer> DhtGetAsync(string key, CancellationToken cancellation = default);

    /// <summary>Stores a value in the DHT.</summary>
    Task<DhtStored> DhtPutAsync(DhtPut put, CancellationToken cancellation = default);

    /// <summary>64 hex digits: the nodes closest to that key. A peer: where it says it is. Other text: who belongs to that topic.</summary>
    Task<DhtNodes> DhtFindAsync(string key, CancellationToken cancellation = default);

    /// <summary>The tagged overlays that this node is in.</summary>
    Task<IReadOnlyList<TagView>> TagsAsync(CancellationToken cancellation = default);

    /// <summary>Joins a tagged overlay, or changes its budget.</summary>
    Task<TagView> JoinTagAsync(string name, double kilobytesPerSecond, int neighbours, CancellationToken cancellation = default);

    /// <summary>Leaves a tagged overlay.</summary>
    Task LeaveTagAsync(string name, CancellationToken cancellation = default);

    /// <summary>A signed file of addresses with which a node elsewhere can make its first contact.</summary>
    Task<byte[]> ExportPeersAsync(CancellationToken cancellation = default);

    /// <summary>Loads such a file, as untrusted hints; gives how many addresses are new.</summary>
    Task<int> ImportPeersAsync(byte[] bundle, CancellationToken cancellation = default);
}
