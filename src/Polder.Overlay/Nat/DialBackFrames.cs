using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Nat;

/// <summary>What a dial-back is to show, or what became of it.</summary>
internal enum DialBackKind : byte
{
    /// <summary>Whether a stranger gets through to the socket of this session.</summary>
    Own = 1,
    /// <summary>Whether a stranger gets through to a spare socket, which shows itself by a probe with the nonce.</summary>
    Spare = 2,
    /// <summary>Whether the mapping of a spare socket survives a silence: the neighbour itself writes after it.</summary>
    Silence = 3,
    /// <summary>Answer: nobody there whom it could ask, or too many questions.</summary>
    Refused = 0x80,
    /// <summary>Answer: somebody was asked.</summary>
    Asked = 0x81,
}

/// <summary>"Have somebody write to me." Frame 0x22, and its answer (OV-5.7).</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind: 1 own socket, 2 spare socket, 3 silence; 80 refused, 81 somebody was asked
///      1     8  nonce that the probe carries
///      9     2  seconds of silence (3), otherwise 0
///     11     2  another port of the same address that is to be tried (1); 0 for the session's own
/// </code></remarks>
internal readonly record struct DialBackAsk(DialBackKind Kind, ulong Nonce, ushort SilenceSeconds = 0, ushort Port = 0)
{
    public const int Bytes = 13;
    /// <summary>The longest silence that anybody waits for.</summary>
    public const int SilenceSecondsMax = 600;

    public static bool TryRead(ReadOnlySpan<byte> body, out DialBackAsk ask)
    {
        var reader = new WireReader(body);
        var kind = reader.ReadByte();
        reader.Require(kind is 1 or 2 or 3 or 0x80 or 0x81, WireError.UnknownTag);
        ask = new DialBackAsk((DialBackKind)kind, reader.ReadUInt64(), reader.ReadUInt16(), reader.ReadUInt16());
        reader.Require(ask.SilenceSeconds <= SilenceSecondsMax);
        return reader.Finish();
    }

    public void Write(Span<byte> body)
    {
        var writer = new WireWriter(body[..Bytes]);
        writer.WriteByte((byte)Kind);
        writer.WriteUInt64(Nonce);
        writer.WriteUInt16(SilenceSeconds);
        writer.WriteUInt16(Port);
    }
}

/// <summary>"Write one probe with this nonce to that address", from the asked neighbour to one of its own. Frame 0x23.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  nonce
///      8    19  address and port
/// </code></remarks>
internal readonly record struct DialBackDo(ulong Nonce, Endpoint To)
{
    public const int Bytes = 8 + FixedAddress.Bytes;

    public static bool TryRead(ReadOnlySpan<byte> body, out DialBackDo order)
    {
        var reader = new WireReader(body);
        order = new DialBackDo(reader.ReadUInt64(), FixedAddress.Read(ref reader));
        return reader.Finish();
    }

    public void Write(Span<byte> body)
    {
        var writer = new WireWriter(body[..Bytes]);
        writer.WriteUInt64(Nonce);
        FixedAddress.Write(ref writer, To);
    }
}
