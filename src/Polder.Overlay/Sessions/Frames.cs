using System.Buffers.Binary;
using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>Frames in the plaintext of a packet, one behind the other.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  type     0: the rest of the packet is padding and has no length
///      1     2  length   of the body
///      3     n  body
/// </code></remarks>
internal static class Frames
{
    public const int HeaderBytes = 3, AddressBytes = 19;

    /// <summary>Writes a frame and gives its length.</summary>
    public static int Write(Span<byte> destination, FrameType type, ReadOnlySpan<byte> body)
    {
        destination[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)body.Length);
        body.CopyTo(destination[HeaderBytes..]);
        return HeaderBytes + body.Length;
    }

    /// <summary>Cuts the next frame off. False at the end, at padding, or when the rest is no frame (<paramref name="isBroken"/>).</summary>
    public static bool TryNext(ref ReadOnlySpan<byte> rest, out FrameType type, out ReadOnlySpan<byte> body, out bool isBroken)
    {
        (type, isBroken) = (FrameType.Padding, false);
        body = default;
        if (rest.IsEmpty || rest[0] == (byte)FrameType.Padding) return false;
        if (rest.Length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(rest[1..]) is var length && length > rest.Length - HeaderBytes)
        {
            isBroken = true;
            return false;
        }
        type = (FrameType)rest[0];
        body = rest.Slice(HeaderBytes, length);
        rest = rest[(HeaderBytes + length)..];
        return true;
    }

    /// <summary>Whether a packet of these frames wants some answer, so that silence after it says something.</summary>
    public static bool WantsAnswer(ReadOnlySpan<byte> frames)
    {
        while (TryNext(ref frames, out var type, out _, out _))
            if (type is not (FrameType.Pong or FrameType.PathResponse or FrameType.Close or FrameType.Ack or FrameType.Observed)) return true;
        return false;
    }

    /// <summary>An address in 19 bytes: 0 none, 1 IPv4 (4 bytes and 12 zeros), 3 IPv6; then the port.</summary>
    public static void WriteAddress(Span<byte> destination, Endpoint address)
    {
        destination[..AddressBytes].Clear();
        if (!address.IsSendable) return;
        destination[0] = address.IsIPv4 ? (byte)1 : (byte)3;
        address.WriteAddress(destination[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination[17..], address.Port);
    }

    /// <summary>Reads 19 bytes; null for "none" and everything that is no address one could send to.</summary>
    public static Endpoint? ReadAddress(ReadOnlySpan<byte> bytes)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[17..]);
        Endpoint? address = bytes[0] switch
        {
            1 => Endpoint.FromBytes(bytes.Slice(1, 4), port),
            3 => Endpoint.FromBytes(bytes.Slice(1, 16), port),
            _ => null,
        };
        return address is { IsSendable: true } ? address : null;
    }
}
