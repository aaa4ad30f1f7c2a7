using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Polder.Net;

namespace Polder.Node;

/// <summary>"HOST:PORT" as people type it: an address or a name, and a port.</summary>
internal static class JoinAddress
{
    private static readonly SearchValues<char> NeverInNames = SearchValues.Create(" /:[]@"), InAddresses = SearchValues.Create("0123456789.");

    /// <summary>Throws <see cref="ArgumentException"/> with what is wrong.</summary>
    public static void Check(string text)
    {
        if (Endpoint.TryParse(text, out _)) return;
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            throw new ArgumentException($"\"{text}\" is no address. An address is a host and a port: 127.0.0.1:8090, [::1]:8090 or example.org:8090.");
        var host = text.AsSpan(0, colon);
        // What consists of digits and dots only was meant as an address, and is none.
        if (host.ContainsAny(NeverInNames) || !host.ContainsAnyExcept(InAddresses) || Uri.CheckHostName(host.ToString()) != UriHostNameType.Dns)
            throw new ArgumentException($"\"{host}\" in \"{text}\" is neither an address nor a name. Examples: 127.0.0.1:8090, [::1]:8090, example.org:8090.");
    }

    /// <summary>The addresses behind the text. On loopback no name but "localhost" is looked up: nothing leaves the machine.</summary>
    public static async Task<IReadOnlyList<Endpoint>> ResolveAsync(string text, bool loopback, CancellationToken cancellation)
    {
        if (Endpoint.TryParse(text, out var endpoint)) return [endpoint];
        var colon = text.LastIndexOf(':');
        var (host, port) = (text[..colon], ushort.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        if (host == "localhost") return [Endpoint.FromIPv4(0x7F000001, port)];
        if (loopback) throw new NodeStartException($"A node that is confined to loopback looks up no names: give {text} as an address, 127.0.0.1:{port}.");
        try
        {
            var found = await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false);
            return [.. found.Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                .Select(address => Endpoint.From(address, port))];
        }
        catch (SocketException) { return []; }
    }
}
