using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Nat;

/// <summary>What a probe is for.</summary>
internal enum ProbeKind : byte
{
    /// <summary>"Do you hear me?" Answered by <see cref="Answer"/> when the nonce is one of ours.</summary>
    Probe = 1,
    /// <summary>"I hear you."</summary>
    Answer = 2,
    /// <summary>From somebody who was asked to write to us: the nonce is the one that we gave for this.</summary>
    DialBack = 3,
    /// <summary>A spare socket shows itself to a helper: the nonce is the one that the helper was told.</summary>
    Show = 4,
}

/// <summary>A datagram that opens a NAT and shows who heard it: 61 bytes, first byte 09 (OV-2.2). Not answered unless its nonce is known.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  09
///      1     1  kind: 1 probe, 2 answer, 3 dial-back, 4 show
///      2     8  nonce that the receiver gave out
///     10     8  nonce that the sender gave out; 0 in kinds 3 and 4
///     18    19  the address that this is sent to: 04 and 4 bytes and 12 zeros, or 06 and 16 bytes; port
///     37    24  zero: the size hides nothing, it bounds what a probe can cause
/// </code></remarks>
internal readonly record struct PunctureProbe(ProbeKind Kind, ulong ReceiverNonce, ulong SenderNonce, Endpoint SentTo)
{
    public const byte FirstByte = 0x09;
    public const int Bytes = 61;
    private const int PaddingBytes = 24;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out PunctureProbe probe)
    {
        probe = default;
        if (datagram.Length != Bytes || datagram[0] != FirstByte) return false;
        var reader = new WireReader(datagram[1..]);
        var kind = reader.ReadByte();
        reader.Require(kind is >= 1 and <= 4, WireError.UnknownTag);
        probe = new PunctureProbe((ProbeKind)kind, reader.ReadUInt64(), reader.ReadUInt64(), FixedAddress.Read(ref reader));
        reader.ReadBytes(PaddingBytes);
        return reader.Finish();
    }

    /// <summary>Writes the 61 bytes.</summary>
    public void Write(Span<byte> datagram)
    {
        var writer = new WireWriter(datagram[..Bytes]);
        writer.WriteByte(FirstByte);
        writer.WriteByte((byte)Kind);
        writer.WriteUInt64(ReceiverNonce);
        writer.WriteUInt64(SenderNonce);
        FixedAddress.Write(ref writer, SentTo);
        writer.Reserve(PaddingBytes).Clear();
    }
}

/// <summary>An address and a port in 19 bytes, whatever the family: in messages whose size must not tell.</summary>
internal static class FixedAddress
{
    public const int Bytes = 19;

    public static Endpoint Read(ref WireReader reader)
    {
        var family = reader.ReadByte();
        var address = reader.ReadBytes(16);
        var port = reader.ReadUInt16();
        reader.Require(family is 4 or 6, WireError.UnknownTag);
        return reader.Failed ? Endpoint.None : Endpoint.FromBytes(family == 4 ? address[..4] : address, port);
    }

    public static void Write(ref WireWriter writer, Endpoint endpoint)
    {
        writer.WriteByte(endpoint.IsIPv4 ? (byte)4 : (byte)6);
        var address = writer.Reserve(16);
        address.Clear();
        endpoint.WriteAddress(address);
        writer.WriteUInt16(endpoint.Port);
    }
}
