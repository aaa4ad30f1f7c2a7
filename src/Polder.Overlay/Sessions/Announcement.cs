namespace Polder.Overlay.Sessions;

/// <summary>"I have sessions", behind the introductions of our own communities (OV-3.1). Plain peers pass over it.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  4E 58
///      2     1  version   1
///      3     1  features  0
///      4     4  network   the last 4 bytes of the network id
/// </code></remarks>
internal static class Announcement
{
    public const int Bytes = 8;

    public static void Write(Span<byte> destination, UInt128 network)
    {
        (destination[0], destination[1], destination[2], destination[3]) = (0x4E, 0x58, 1, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(destination[4..], unchecked((uint)network));
    }

    /// <summary>Cuts an announcement off the end of extra bytes. True when there was one of our network.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> extra, UInt128 network)
    {
        if (extra.Length < Bytes || extra[^Bytes..] is not [0x4E, 0x58, 1, ..]) return false;
        var isOurs = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(extra[^4..]) == unchecked((uint)network);
        extra = extra[..^Bytes];
        return isOurs;
    }
}
