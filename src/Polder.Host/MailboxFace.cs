using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Polder.Apps.Parcels.Mailbox;
using Polder.Node;
using Polder.Node.Parcels;

namespace Polder.Host;

/// <summary>The mailbox server's web end: a WebSocket at /v1, on a port of its own because strangers may reach it.</summary>
internal sealed class MailboxFace : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly MailboxService _service;

    private MailboxFace(WebApplication application, MailboxService service, int port) => (_application, _service, Port) = (application, service, port);

    /// <summary>The port that it listens on.</summary>
    public int Port { get; }

    /// <summary>The rules behind it.</summary>
    public MailboxService Service => _service;

    /// <summary>Starts to listen. Throws <see cref="NodeStartException"/> when the port is taken.</summary>
    public static async Task<MailboxFace> StartAsync(MailboxService service, int port, bool loopback, CancellationToken cancellation)
    {
        var builder = PlainWeb.NewBuilder(kestrel =>
        {
            PlainWeb.ForSockets(kestrel, MailboxLimits.ConnectionsMax);
            if (loopback) kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http1);
            else kestrel.ListenAnyIP(port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(60), KeepAliveTimeout = TimeSpan.FromSeconds(600) });
        application.Run(async context =>
        {
            if (context.Request.Path == "/v1" && context.WebSockets.IsWebSocketRequest)
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
                var remote = context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort) : null;
                await service.ServeAsync(socket, remote, context.RequestAborted).ConfigureAwait(false);
                return;
            }
            if (context.Request.Path != "/") context.Response.StatusCode = StatusCodes.Status404NotFound;
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync("Wormhole Relay\n", context.RequestAborted).ConfigureAwait(false);
        });
        try { await application.StartAsync(cancellation).ConfigureAwait(false); }
        catch (IOException problem)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            service.Dispose();
            throw new NodeStartException($"The mailbox server cannot listen on TCP port {port}: it is taken. Choose another with --mailbox PORT.", problem);
        }
        return new MailboxFace(application, service, new Uri(application.Urls.First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal)).Port);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        try { await _application.StopAsync(patience.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) { }
        await _application.DisposeAsync().ConfigureAwait(false);
        _service.Dispose();
    }
}
