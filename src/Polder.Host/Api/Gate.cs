using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Polder.Host.Api;

/// <summary>
/// Stands in front of every request, so that no web page elsewhere and no other name for this machine reaches the node.
/// The wrong host is refused (DNS rebinding), so are foreign origins (cross-site requests), and the API wants the token
/// from the data folder, which a web page cannot read. Pages are for programs of the node's own user (<see cref="LocalUser"/>).
/// </summary>
internal sealed class Gate(string token)
{
    /// <summary>No script, style or frame but our own; nobody may put us into a frame and borrow a click.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly byte[] _token = Encoding.ASCII.GetBytes(token);
    private string[] _hosts = [];

    /// <summary>Lets requests for this port in. Until then all are refused.</summary>
    public void Open(int port) => Volatile.Write(ref _hosts, port == 80
        ? ["127.0.0.1:80", "localhost:80", "127.0.0.1", "localhost"]
        : [$"127.0.0.1:{port}", $"localhost:{port}"]);

    /// <summary>The first thing that sees a request.</summary>
    public Task PassAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        // Not "no-referrer": browsers then call the origin of our own forms "null".
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";

        var api = context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);
        if (api) headers.CacheControl = "no-store";
        if (Refusal(context.Request, api) is not { } refusal)
        {
            // The token says who asks the API; pages have none, so the system is asked whose connection it is.
            if (api || IsOwnUser(context)) return next(context);
            refusal = (HttpStatusCode.Forbidden, "This page belongs to another user of this machine.");
        }
        return Answers.WriteErrorAsync(context, refusal.Status, refusal.Words);
    }

    private (HttpStatusCode Status, string Words)? Refusal(HttpRequest request, bool api)
    {
        var hosts = Volatile.Read(ref _hosts);
        var host = request.Host.Value ?? "";
        if (!hosts.Contains(host, StringComparer.OrdinalIgnoreCase))
            return (HttpStatusCode.Forbidden, "This node answers only to its own address, 127.0.0.1 and its port.");

        // Browsers name the page that a request comes from. A foreign one is refused whatever it wants.
        if (request.Headers.Origin is { Count: > 0 } origin && !IsOurs(origin, host))
            return (HttpStatusCode.Forbidden, "A page from elsewhere may not ask this node.");
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var safe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        // Following a link from elsewhere to a page of ours is harmless, so only that is let through.
        var foreign = site is not ("" or "same-origin" or "none");
        if (foreign && (!safe || api || request.Headers["Sec-Fetch-Mode"] != "navigate"))
            return (HttpStatusCode.Forbidden, "A page from elsewhere may not ask this node.");

        if (api && !HasToken(request.Headers.Authorization))
            return (HttpStatusCode.Unauthorized,
                "The token is missing or wrong. It is in the file api.json of the node's data folder and changes at every start: Authorization: Bearer TOKEN.");
        return null;
    }

    /// <summary>Asked once a connection.</summary>
    private static bool IsOwnUser(HttpContext context)
    {
        var items = context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(typeof(LocalUser), out var known)) return known is true;
        var isOurs = LocalUser.IsOurs(context.Connection);
        if (items is not null) items[typeof(LocalUser)] = isOurs;
        return isOurs;
    }

    private static bool IsOurs(StringValues origin, string host) =>
        origin.Count == 1 && string.Equals(origin[0], "http://" + host, StringComparison.OrdinalIgnoreCase);

    private bool HasToken(StringValues authorization)
    {
        const string scheme = "Bearer ";
        if (authorization is not [{ } value] || !value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return false;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[scheme.Length..].Trim()), _token);
    }
}
