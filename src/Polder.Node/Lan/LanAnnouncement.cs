using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Polder.Node.Lan;

/// <summary>"I am a Polder node in this local network, and this is my UDP port." Sent to a multicast group, TTL 1.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "POLDER/1"
///      8    16  network id, zeros by default
///     24     8  first 8 bytes of the node id
///     32     2  UDP port
///     34     8  nonce, drawn at the start of the node: how it knows its own voice
///     42    54  zeros
/// </code></remarks>
/// <param name="NodeIdHead">First 8 bytes of the node id.</param>
/// <param name="Port">Where the node listens.</param>
/// <param name="Nonce">Tells one run of a node from another.</param>
public readonly record struct LanAnnouncement(ulong NodeIdHead, ushort Port, ulong Nonce)
{
    /// <summary>Its size, always.</summary>
    public const int Bytes = 96;

    private static ReadOnlySpan<byte> Magic => "POLDER/1"u8;

    /// <summary>Writes 96 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Bytes].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], NodeIdHead);
        BinaryPrimitives.WriteUInt16BigEndian(destination[32..], Port);
        BinaryPrimitives.WriteUInt64BigEndian(destination[34..], Nonce);
    }

    /// <summary>Reads an announcement of our network; false for everything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, [NotNullWhen(true)] out LanAnnouncement? announcement)
    {
        announcement = null;
        if (datagram.Length != Bytes || !datagram.StartsWith(Magic) || datagram[8..24].ContainsAnyExcept((byte)0)
            || datagram[42..].ContainsAnyExcept((byte)0)) return false;
        var port = BinaryPrimitives.ReadUInt16BigEndian(datagram[32..]);
        if (port < 1024) return false;
        announcement = new(BinaryPrimitives.ReadUInt64BigEndian(datagram[24..]), port, BinaryPrimitives.ReadUInt64BigEndian(datagram[34..]));
        return true;
    }
}
