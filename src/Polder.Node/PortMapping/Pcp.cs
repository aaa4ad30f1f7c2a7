using System.Buffers.Binary;
using System.Net;

namespace Polder.Node.PortMapping;

/// <summary>PCP, RFC 6887: the MAP request for UDP and its answer, port 5351 of the gateway.</summary>
/// <remarks><code>
/// request                                     answer
/// offset  size  field                         offset  size  field
///      0     1  version 02                         0     1  version 02
///      1     1  01 (MAP)                           1     1  81 (MAP, answer)
///      2     2  00                                 2     1  00
///      4     4  lifetime in seconds                3     1  result, 0 for done
///      8    16  our address                        4     4  lifetime in seconds
///     24    12  nonce                              8     4  epoch in seconds
///     36     1  17 (UDP)                          12    12  00
///     37     3  00                                24    12  nonce
///     40     2  inner port                        36     1  17
///     42     2  outer port wished                 37     3  00
///     44    16  outer address wished              40     2  inner port
///                                                 42     2  outer port
///                                                 44    16  outer address
/// </code>
/// IPv4 addresses stand as ::ffff:a.b.c.d. Options may follow an answer; they are not read.</remarks>
internal static class Pcp
{
    public const int Port = 5351;
    public const int MapBytes = 60;
    public const int NonceBytes = 12;
    public const int AnswerBytesMax = 1100;
    private const byte Version = 2, Map = 1, Answer = 0x80, Udp = 17;

    /// <summary>Writes a request of <see cref="MapBytes"/>. A lifetime of zero takes the mapping away.</summary>
    public static void WriteMap(Span<byte> request, IPAddress own, ReadOnlySpan<byte> nonce, ushort innerPort, ushort outerPort, IPAddress outer, TimeSpan lifetime)
    {
        request[..MapBytes].Clear();
        (request[0], request[1]) = (Version, Map);
        BinaryPrimitives.WriteUInt32BigEndian(request[4..], (uint)lifetime.TotalSeconds);
        WriteAddress(request[8..], own);
        nonce.CopyTo(request[24..]);
        request[36] = Udp;
        BinaryPrimitives.WriteUInt16BigEndian(request[40..], innerPort);
        BinaryPrimitives.WriteUInt16BigEndian(request[42..], outerPort);
        WriteAddress(request[44..], outer);
    }

    /// <summary>Reads the answer to the request with this nonce and inner port; false for anything else.</summary>
    public static bool TryReadMap(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> nonce, ushort innerPort, out GatewayAnswer read)
    {
        read = default;
        if (answer.Length is < MapBytes or > AnswerBytesMax || answer.Length % 4 != 0) return false;
        if (answer[0] != Version || answer[1] != (Answer | Map) || answer[36] != Udp) return false;
        if (!answer.Slice(24, NonceBytes).SequenceEqual(nonce) || BinaryPrimitives.ReadUInt16BigEndian(answer[40..]) != innerPort) return false;
        var outer = new IPAddress(answer.Slice(44, 16));
        read = new GatewayAnswer(answer[3], outer.IsIPv4MappedToIPv6 ? outer.MapToIPv4() : outer, BinaryPrimitives.ReadUInt16BigEndian(answer[42..]),
            TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(answer[4..])), TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(answer[8..])));
        return true;
    }

    private static void WriteAddress(Span<byte> to, IPAddress address)
    {
        if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) address = address.MapToIPv6();
        _ = address.TryWriteBytes(to, out _);
    }
}
