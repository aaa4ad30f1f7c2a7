using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Polder.Net;

namespace Polder.Node.Udp;

/// <summary>Reads and writes the system's socket addresses in place. Port at 2, IPv4 address at 4, IPv6 address at 8 on every system we run on.</summary>
internal static class SocketAddresses
{
    public const int IPv4Offset = 4, IPv6Offset = 8;

    public static SocketAddress For(AddressFamily family) => new(family, SocketAddress.GetMaximumAddressSize(family));

    public static void Write(Endpoint endpoint, SocketAddress address)
    {
        var bytes = address.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], endpoint.Port);
        if (address.Family == AddressFamily.InterNetwork) BinaryPrimitives.WriteUInt32BigEndian(bytes[IPv4Offset..], endpoint.IPv4);
        else endpoint.WriteAddress(bytes[IPv6Offset..]);
    }
}
