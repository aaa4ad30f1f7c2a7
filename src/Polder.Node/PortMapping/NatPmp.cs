using System.Buffers.Binary;
using System.Net;

namespace Polder.Node.PortMapping;

/// <summary>NAT-PMP, RFC 6886, the older form on the same port.</summary>
/// <remarks><code>
/// "which outer address?"                      answer
///      0     1  version 00                         0     1  version 00
///      1     1  00                                 1     1  80
///                                                  2     2  result
///                                                  4     4  epoch in seconds
///                                                  8     4  outer IPv4 address
/// map UDP                                     answer
///      0     1  version 00                         0     1  version 00
///      1     1  01                                 1     1  81
///      2     2  00                                 2     2  result
///      4     2  inner port                         4     4  epoch in seconds
///      6     2  outer port wished                  8     2  inner port
///      8     4  lifetime in seconds               10     2  outer port
///                                                 12     4  lifetime in seconds
/// </code></remarks>
internal static class NatPmp
{
    public const int AddressRequestBytes = 2, MapBytes = 12, AnswerBytesMax = 16;
    private const int AddressAnswerBytes = 12, MapAnswerBytes = 16;
    private const byte AnswerBit = 0x80, AddressCode = 0, MapUdpCode = 1;

    public static ReadOnlySpan<byte> AddressRequest => [0, AddressCode];

    /// <summary>Writes a request of <see cref="MapBytes"/>. A lifetime of zero takes the mapping away.</summary>
    public static void WriteMap(Span<byte> request, ushort innerPort, ushort outerPort, TimeSpan lifetime)
    {
        request[..MapBytes].Clear();
        request[1] = MapUdpCode;
        BinaryPrimitives.WriteUInt16BigEndian(request[4..], innerPort);
        BinaryPrimitives.WriteUInt16BigEndian(request[6..], outerPort);
        BinaryPrimitives.WriteUInt32BigEndian(request[8..], (uint)lifetime.TotalSeconds);
    }

    public static bool TryReadAddress(ReadOnlySpan<byte> answer, out GatewayAnswer read)
    {
        read = default;
        if (answer.Length != AddressAnswerBytes || answer[0] != 0 || answer[1] != (AnswerBit | AddressCode)) return false;
        read = new GatewayAnswer(BinaryPrimitives.ReadUInt16BigEndian(answer[2..]), new IPAddress(answer.Slice(8, 4)), 0, TimeSpan.Zero,
            TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(answer[4..])));
        return true;
    }

    public static bool TryReadMap(ReadOnlySpan<byte> answer, ushort innerPort, out GatewayAnswer read)
    {
        read = default;
        if (answer.Length != MapAnswerBytes || answer[0] != 0 || answer[1] != (AnswerBit | MapUdpCode)) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(answer[8..]) != innerPort) return false;
        read = new GatewayAnswer(BinaryPrimitives.ReadUInt16BigEndian(answer[2..]), null, BinaryPrimitives.ReadUInt16BigEndian(answer[10..]),
            TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(answer[12..])), TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(answer[4..])));
        return true;
    }
}
