using Polder.Graph.Sync;
using Polder.Identity;
using Polder.Node.Chat;
using Polder.Node.Folders;
using Polder.Node.Graph;
using Polder.Node.Lan;
using Polder.Node.PortMapping;
using Polder.Node.Runtime;
using Polder.Node.Storage;
using Polder.Node.Udp;
using Polder.Overlay;

namespace Polder.Node;

/// <summary>What a running node holds of the machine, given back in the reverse order of taking, as far as it was taken.</summary>
internal sealed class NodeParts : IAsyncDisposable
{
    public DataFolder? Folder { get; set; }
    public KeyPair? Identity { get; set; }
    public ThreadLoop? Loop { get; set; }
    public UdpSocket? Socket { get; set; }
    public SqliteBlockStore? Store { get; set; }
    /// <summary>The shared database, where one is configured.</summary>
    public PostgresBlockStore? Shared { get; set; }
    public SqliteChatStore? Chat { get; set; }
    public Bundles.SqliteMailStore? Mail { get; set; }
    public SqliteGraphStore? GraphStore { get; set; }
    public SharedGraph? Graph { get; set; }
    public GraphHub? GraphHub { get; set; }
    public PeerCacheFile? PeerCache { get; set; }
    public StateFiles? State { get; set; }
    public NetworkWatch? Watch { get; set; }
    public NodeHost? Host { get; set; }
    public LanNeighbours? Lan { get; set; }
    public PortMapper? Ports { get; set; }
    public PortMappingStatus? PortStatus { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Ports is not null) await Ports.DisposeAsync().ConfigureAwait(false);
        if (Host is { } host && Loop is { } running)
        {
            await running.InvokeAsync(async () =>
            {
                PortStatus?.Stop();
                Lan?.Dispose();
                Watch?.Dispose();
                GraphHub?.Dispose();
                Graph?.Dispose();
                await host.StopAsync();
                return true;
            }).ConfigureAwait(false);
        }
        Socket?.Dispose();
        if (State is not null) await State.WrittenAsync().ConfigureAwait(false);
        // The writer ends first, so that those who wait for a flush still continue on the loop; then the loop; then the reader.
        if (Store is not null) await Task.Run(Store.StopWriting).ConfigureAwait(false);
        if (Shared is not null) await Task.Run(Shared.StopWriting).ConfigureAwait(false);
        if (Mail is not null) await Task.Run(Mail.StopWriting).ConfigureAwait(false);
        if (GraphStore is not null) await Task.Run(GraphStore.StopWriting).ConfigureAwait(false);
        if (Loop is not null) await Loop.DisposeAsync().ConfigureAwait(false);
        Chat?.Dispose();
        Store?.Dispose();
        Shared?.Dispose();
        Mail?.Dispose();
        GraphStore?.Dispose();
        if (PeerCache is not null) await PeerCache.WrittenAsync().ConfigureAwait(false);
        Identity?.Dispose();
        Folder?.Dispose();
    }
}
