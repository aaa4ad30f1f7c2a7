using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Polder.Node.PortMapping;

/// <summary>
/// Asks by UPnP-IGD: search, description, calls. All of it at the gateway's own address: the search is sent to it alone, and
/// nothing is fetched from elsewhere, whatever an answer says.
/// </summary>
internal sealed class UpnpControl : IPortControl, IDisposable
{
    private const int PortTries = 3;
    private static readonly TimeSpan FetchLimit = TimeSpan.FromSeconds(2);

    private readonly Gateway _gateway;
    private readonly int _searchPort;
    private readonly HttpClient _http;
    private UpnpService? _service;

    public UpnpControl(Gateway gateway, int searchPort = Upnp.SearchPort)
    {
        (_gateway, _searchPort) = (gateway, searchPort);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectTimeout = FetchLimit, MaxConnectionsPerServer = 2,
            MaxResponseHeadersLength = 16, ConnectCallback = ConnectAsync,
        }) { Timeout = FetchLimit, MaxResponseContentBufferSize = Upnp.BodyBytesMax };
    }

    public string Name => "UPnP";

    public async Task<PortLease?> MapAsync(ushort innerPort, ushort outerPort, CancellationToken cancellation)
    {
        if ((_service ??= await FindAsync(cancellation).ConfigureAwait(false)) is not { } service) return null;
        var lease = PortMapper.LeaseWanted;
        for (var tries = 0; tries < PortTries; tries++)
        {
            var (body, done) = await CallAsync(service, "AddPortMapping", Upnp.Add(service.Type, outerPort, innerPort, _gateway.Own, lease), cancellation).ConfigureAwait(false);
            if (done)
            {
                var (answer, told) = await CallAsync(service, "GetExternalIPAddress", Upnp.AskAddress(service.Type), cancellation).ConfigureAwait(false);
                if (!told || !IPAddress.TryParse(Upnp.TryReadValue(answer, "NewExternalIPAddress"), out var outer) || outer.AddressFamily != AddressFamily.InterNetwork) return null;
                // A lease without end is renewed like any other: a router that was switched off forgets it too.
                return new PortLease(this, new IPEndPoint(outer, outerPort), innerPort, PortMapper.LeaseWanted);
            }
            switch (Upnp.ErrorOf(body))
            {
                case Upnp.OnlyPermanentLeases: lease = TimeSpan.Zero; break;
                case Upnp.Conflict: outerPort = (ushort)RandomNumberGenerator.GetInt32(1024, 65536); break;
                default:
                    // The service may have gone with a restart of the router: look anew next time.
                    _service = null;
                    return null;
            }
        }
        return null;
    }

    public async Task UnmapAsync(PortLease lease, CancellationToken cancellation)
    {
        if (_service is { } service)
            await CallAsync(service, "DeletePortMapping", Upnp.Delete(service.Type, (ushort)lease.External.Port), cancellation).ConfigureAwait(false);
    }

    public void Dispose() => _http.Dispose();

    private async Task<UpnpService?> FindAsync(CancellationToken cancellation)
    {
        var router = new IPEndPoint(_gateway.Router, _searchPort);
        Uri? location = null;
        // Some routers answer from another port than the one that was asked.
        if (!await GatewaySocket.AskAsync(_gateway.Own, router, Upnp.Search(router), Upnp.SearchAnswerBytesMax,
                answer => Upnp.TryReadLocation(answer, _gateway.Router, out location!), anyPort: true, cancellation).ConfigureAwait(false)) return null;
        using var request = new HttpRequestMessage(HttpMethod.Get, location);
        var (body, done) = await SendAsync(request, cancellation).ConfigureAwait(false);
        return done && Upnp.TryReadDescription(body, location!, _gateway.Router, out var service) ? service : null;
    }

    private async Task<(byte[] Body, bool Done)> CallAsync(UpnpService service, string action, string envelope, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, service.Control) { Content = new StringContent(envelope, Encoding.UTF8, "text/xml") };
        request.Headers.TryAddWithoutValidation("SOAPAction", $"\"{service.Type}#{action}\"");
        return await SendAsync(request, cancellation).ConfigureAwait(false);
    }

    private async Task<(byte[] Body, bool Done)> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
            return (await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false), response.StatusCode == HttpStatusCode.OK);
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException or IOException or SocketException) { return ([], false); }
    }

    // The second lock on the same door: whatever the address says, the connection goes to the gateway or nowhere.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        if (!IPAddress.TryParse(context.DnsEndPoint.Host, out var host) || !host.Equals(_gateway.Router)) throw new IOException("Not the gateway.");
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(host, context.DnsEndPoint.Port), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
