using System.Buffers.Binary;

namespace Polder.Apps.Parcels.Native;

/// <summary>A datagram of the meeting on a LAN: a question for a rendezvous, or the sender's answer to it.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  "PLDR"
///      4     1  version, 1
///      5     1  1 question, 2 answer
///      6    20  rendezvous
///     26     8  nonce, drawn by the asker
///     34    32  answer only: the sender's key for this code
///     66     2  answer only: its TCP port
/// </code></remarks>
/// <param name="Meeting">Rendezvous, 20 bytes.</param>
/// <param name="Nonce">8 bytes.</param>
/// <param name="Key">The sender's key, 32 bytes; null in a question.</param>
/// <param name="Port">The sender's TCP port; 0 in a question.</param>
internal sealed record LanDatagram(byte[] Meeting, byte[] Nonce, byte[]? Key = null, ushort Port = 0)
{
    /// <summary>UDP port of questions.</summary>
    public const int Port4Questions = 8076;

    /// <summary>Ports that answerers of one machine share in loopback: 8076 to 8091.</summary>
    public const int LoopbackPorts = 16;

    /// <summary>The groups on a LAN.</summary>
    public const string Group4 = "239.255.80.76", Group6 = "ff02::504c";

    /// <summary>When to ask, in seconds since the first question; then each 10 s.</summary>
    public static readonly double[] AskAt = [0, 0.5, 1, 2, 4];

    private const int QuestionBytes = 34, AnswerBytes = QuestionBytes + 34;

    /// <summary>Whether it is an answer.</summary>
    public bool IsAnswer => Key is not null;

    /// <summary>Its bytes.</summary>
    public byte[] Write()
    {
        var bytes = new byte[IsAnswer ? AnswerBytes : QuestionBytes];
        "PLDR"u8.CopyTo(bytes);
        (bytes[4], bytes[5]) = (1, (byte)(IsAnswer ? 2 : 1));
        Meeting.CopyTo(bytes.AsSpan(6, Rendezvous.Bytes));
        Nonce.CopyTo(bytes.AsSpan(26, 8));
        if (Key is null) return bytes;
        Key.CopyTo(bytes.AsSpan(34, 32));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(66), Port);
        return bytes;
    }

    /// <summary>Reads one; null for anything else.</summary>
    public static LanDatagram? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith("PLDR\x01"u8) || bytes.Length is not (QuestionBytes or AnswerBytes)) return null;
        if (bytes[5] != (bytes.Length == AnswerBytes ? 2 : 1)) return null;
        var (meeting, nonce) = (bytes.Slice(6, Rendezvous.Bytes).ToArray(), bytes.Slice(26, 8).ToArray());
        if (bytes.Length == QuestionBytes) return new LanDatagram(meeting, nonce);
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[66..]);
        return port == 0 ? null : new LanDatagram(meeting, nonce, bytes.Slice(34, 32).ToArray(), port);
    }
}
