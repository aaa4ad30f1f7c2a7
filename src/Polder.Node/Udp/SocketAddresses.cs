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

    public static void Write(Endpoint endpoint, SocketAddress address) => WriteAfterFamily(endpoint, address.Family, address.Buffer.Span);

    /// <summary>Writes a whole address of Linux's form, family included.</summary>
    public static void Write(Endpoint endpoint, AddressFamily family, Span<byte> address)
    {
        const ushort linuxIPv4 = 2, linuxIPv6 = 10;
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, family == AddressFamily.InterNetwork ? linuxIPv4 : linuxIPv6);
        WriteAfterFamily(endpoint, family, address);
    }

    private static void WriteAfterFamily(Endpoint endpoint, AddressFamily family, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], endpoint.Port);
        if (family == AddressFamily.InterNetwork) BinaryPrimitives.WriteUInt32BigEndian(bytes[IPv4Offset..], endpoint.IPv4);
        else endpoint.WriteAddress(bytes[IPv6Offset..]);
    }
}
