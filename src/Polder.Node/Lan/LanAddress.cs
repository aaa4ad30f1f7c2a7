using System.Net.NetworkInformation;
using System.Net.Sockets;
using Polder.Net;

namespace Polder.Node.Lan;

/// <summary>This machine's address in its own network, as the system knows it; nothing is sent to find out.</summary>
internal static class LanAddress
{
    /// <summary>The IPv4 address of the interface that has a gateway, else of any that is up; null when there is none.</summary>
    public static Endpoint? Find(ushort port)
    {
        Endpoint? second = null;
        try
        {
            foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (card.OperationalStatus != OperationalStatus.Up || card.NetworkInterfaceType == NetworkInterfaceType.Loopback) continue;
                var properties = card.GetIPProperties();
                foreach (var address in properties.UnicastAddresses)
                {
                    if (address.Address.AddressFamily != AddressFamily.InterNetwork) continue;
                    var found = Endpoint.From(address.Address, port);
                    if (found.IsLoopback || found.IsLinkLocal) continue;
                    if (properties.GatewayAddresses.Count > 0) return found;
                    second ??= found;
                }
            }
        }
        catch (NetworkInformationException) { }
        return second;
    }
}
