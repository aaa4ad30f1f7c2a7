using System.Net;
using System.Net.Sockets;

namespace Polder.Node.PortMapping;

/// <summary>Which addresses others on the Internet can reach.</summary>
internal static class PublicAddress
{
    // 0/8, 10/8, 100.64/10 (carriers), 127/8, 169.254/16, 172.16/12, 192.0.0/24, 192.168/16, 224/3 (groups, reserved, broadcast).
    private static readonly IPNetwork[] Others =
    [
        .. new[] { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "224.0.0.0/3" }
            .Select(static text => IPNetwork.Parse(text)),
    ];

    /// <summary>Whether an IPv4 address belongs to nobody else but one host of the Internet.</summary>
    public static bool IsPublic(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork && !Array.Exists(Others, network => network.Contains(address));
}
