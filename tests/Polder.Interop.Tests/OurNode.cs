using System.Diagnostics;
using Polder.Identity;
using Polder.Net;
using Polder.Node;
using Polder.Overlay;

namespace Polder.Interop.Tests;

/// <summary>A whole node of ours on 127.0.0.1, with the demo overlay and a folder that goes with it.</summary>
internal sealed class OurNode : IAsyncDisposable
{
    private readonly string _folder;

    private OurNode(PolderNode node, string folder) => (Node, _folder) = (node, folder);

    public PolderNode Node { get; }
    public PublicKey Key => Node.Identity;
    public Endpoint Address => Node.UdpEndpoint;
    public DemoCommunity Demo => Node.Community<DemoCommunity>();

    public static async Task<OurNode> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("polder-interop-").FullName;
        var node = await new NodeBuilder(new NodeOptions { Data = folder, Port = 0, Loopback = true })
            .Join(static context => new DemoCommunity(context)).StartAsync();
        return new OurNode(node, folder);
    }

    public Task WalkTo(LivingPeer peer) => Node.InvokeAsync(() => Node.Host.WalkTo(peer.Address));

    /// <summary>The peer, once it proved itself in that community; the demo overlay when none is named.</summary>
    public async Task<Peer> MeetAsync(PublicKey key, Func<PolderNode, Community>? where = null)
    {
        Peer? found = null;
        await UntilAsync(async () => (found = await Node.InvokeAsync(() =>
            (where?.Invoke(Node) ?? Demo).Peers.FirstOrDefault(peer => peer.Key == key))) is not null, $"{key.ShortName} is met");
        return found!;
    }

    public async Task UntilAsync(Func<Task<bool>> holds, string what, TimeSpan? patience = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > (patience ?? LivingPeer.Patience))
            {
                var counters = await Node.InvokeAsync(() => string.Join(", ", Node.Host.Counters.ToDictionary()));
                throw new TimeoutException($"Never came about: {what}. {counters}");
            }
            await Task.Delay(50);
        }
    }

    public Task UntilAsync(Func<bool> holds, string what) => UntilAsync(() => Node.InvokeAsync(holds), what);

    /// <summary>Exceptions in handlers: bugs of ours.</summary>
    public async Task AssertNoFaultsAsync() => Assert.Equal(0, await Node.InvokeAsync(() => Node.Host.Counters.Faults));

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
