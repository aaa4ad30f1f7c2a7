using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Polder.Graph.Sync;
using Polder.Node;
using Polder.Node.Operations;
using Polder.Runtime;

namespace Polder.Host.Graph;

/// <summary>
/// Where gun.js applications find the node: ws://ADDRESS:PORT/gun. No token, since gun.js has none: what a stranger may do there is what
/// the firewall and the limits allow.
/// </summary>
internal sealed class GraphFace : IAsyncDisposable
{
    private const int ConnectionsMax = 2_000, ConnectionsPerAddressMax = 64;

    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _perAddress = [];

    // A gun.js client whose connection broke tries again once, after two seconds, and gives up for good where it is refused. So the port
    // is opened first of all at a start; who comes before the node is ready waits for it.
    private readonly TaskCompletionSource<(GraphHub Hub, NodeLoop Loop)> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GraphFace(WebApplication application) => _application = application;

    /// <summary>"ws://127.0.0.1:PORT/gun".</summary>
    public string Address { get; private set; } = "";

    /// <summary>Starts to listen. Throws <see cref="OperationRefusedException"/> when the port is taken.</summary>
    public static async Task<GraphFace> StartAsync(NodeOptions options, CancellationToken cancellation)
    {
        var address = IPAddress.Parse(options.GraphAddress);
        var builder = PlainWeb.NewBuilder(kestrel =>
        {
            PlainWeb.ForSockets(kestrel, ConnectionsMax);
            kestrel.Listen(address, options.Graph!.Value, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        var face = new GraphFace(application);
        application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30) });
        application.Run(face.ServeAsync);
        try { await application.StartAsync(cancellation).ConfigureAwait(false); }
        catch (IOException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new OperationRefusedException(RefusalKind.Conflict, $"Port {options.Graph} on {address} is taken, so the graph cannot be served there. Choose another with --graph PORT, or --graph 0 for any free one.");
        }
        face.Address = $"ws://{(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address)}:{new Uri(application.Urls.First()).Port}/gun";
        return face;
    }

    /// <summary>The node is ready: those who wait are served.</summary>
    public void Open(GraphHub hub, NodeLoop loop) => _ready.TrySetResult((hub, loop));

    /// <summary>Cuts all connections and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try { await _application.StopAsync(patience.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) { }
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(HttpContext context)
    {
        var from = context.Connection.RemoteIpAddress ?? IPAddress.None;
        // Exactly /gun, as gun.js's relay has it.
        if (!context.WebSockets.IsWebSocketRequest || context.Request.Path.Value != "/gun")
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.Headers.AccessControlAllowOrigin = "*";
            await context.Response.WriteAsync("This is a gun peer. Give gun.js this address with the path /gun.\n").ConfigureAwait(false);
            return;
        }
        if (!TryEnter(from))
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }
        try
        {
            var (hub, loop) = await _ready.Task.WaitAsync(_stopping.Token).ConfigureAwait(false);
            using var socket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
            using var link = new GraphSocket(socket, hub, loop, new IPEndPoint(from, context.Connection.RemotePort));
            await link.RunAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested) { }
        finally { Leave(from); }
    }

    private bool TryEnter(IPAddress from)
    {
        lock (_gate)
        {
            var count = _perAddress.GetValueOrDefault(from);
            if (count >= ConnectionsPerAddressMax && !IPAddress.IsLoopback(from)) return false;
            _perAddress[from] = count + 1;
            return true;
        }
    }

    private void Leave(IPAddress from)
    {
        lock (_gate)
        {
            if (--_perAddress[from] == 0) _perAddress.Remove(from);
        }
    }
}
