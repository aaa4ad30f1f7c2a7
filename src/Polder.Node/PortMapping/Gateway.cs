using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Polder.Node.PortMapping;

/// <summary>The router through which this machine reaches the Internet, and the machine's own address towards it.</summary>
/// <param name="Router">Its address in our network, IPv4.</param>
/// <param name="Own">Ours.</param>
internal sealed record Gateway(IPAddress Router, IPAddress Own)
{
    private const string RoutesPath = "/proc/net/route";
    private const int RouteFlagUp = 1, RouteFlagGateway = 2;
    private const int AnyPort = 9;

    /// <summary>The default gateway by the routing table; null without one.</summary>
    public static Gateway? Find()
    {
        try
        {
            var router = OperatingSystem.IsLinux() && File.Exists(RoutesPath) ? Read(File.ReadAllText(RoutesPath)) : OfInterfaces();
            return router is not null && OwnTowards(router) is { } own ? new Gateway(router, own) : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NetworkInformationException or SocketException) { return null; }
    }

    /// <summary>
    /// The default gateway with the lowest metric in Linux's table of routes: after a line of headings, columns by tabs, of which
    /// the second is the destination, the third the gateway, the fourth flags, the seventh the metric, the eighth the mask.
    /// </summary>
    internal static IPAddress? Read(string routes)
    {
        IPAddress? best = null;
        var bestMetric = long.MaxValue;
        Span<Range> columns = stackalloc Range[12];
        foreach (var line in routes.AsSpan().EnumerateLines())
        {
            if (line.Split(columns, '\t', StringSplitOptions.TrimEntries) < 8) continue;
            if (!TryHex(line[columns[1]], out var destination) || destination != 0 || !TryHex(line[columns[7]], out var mask) || mask != 0) continue;
            if (!TryHex(line[columns[2]], out var gateway) || gateway == 0) continue;
            if (!int.TryParse(line[columns[3]], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags)
                || (flags & (RouteFlagUp | RouteFlagGateway)) != (RouteFlagUp | RouteFlagGateway)) continue;
            if (!long.TryParse(line[columns[6]], NumberStyles.None, CultureInfo.InvariantCulture, out var metric) || metric >= bestMetric) continue;
            // The four bytes as the machine holds them, as a number.
            (best, bestMetric) = (new IPAddress(BitConverter.GetBytes(gateway)), metric);
        }
        return best;
    }

    private static bool TryHex(ReadOnlySpan<char> text, out uint number) => uint.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out number);

    private static IPAddress? OfInterfaces() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(static one => one.OperationalStatus == OperationalStatus.Up)
        .SelectMany(static one => one.GetIPProperties().GatewayAddresses)
        .Select(static gateway => gateway.Address)
        .FirstOrDefault(static address => address.AddressFamily == AddressFamily.InterNetwork && !address.Equals(IPAddress.Any));

    // Connecting a UDP socket sends nothing: it only makes the system choose the address that it would send from.
    private static IPAddress? OwnTowards(IPAddress router)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(router, AnyPort);
        return (socket.LocalEndPoint as IPEndPoint)?.Address;
    }
}
