using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// The network that told us an address, in 8 bytes: the wide prefix of an IPv4 address (below 2^32) or of an IPv6 one (its upper
/// half), or a number of its own for a source without an address, such as a bundle's signer (in ff00::/8, where no peer is).
/// </summary>
internal readonly record struct SourceGroup(ulong Value)
{
    /// <summary>The wide network of an address.</summary>
    public static SourceGroup Of(Endpoint address, OverlayOptions options)
    {
        var network = address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
        if (network.IsIPv4) return new(network.IPv4);
        Span<byte> bytes = stackalloc byte[16];
        network.WriteAddress(bytes);
        return new(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    /// <summary>A source that has no address: a file, by who made it.</summary>
    public static SourceGroup OfFile(ulong number) => new(0xFF00_0000_0000_0000 | number >> 8);
}
