using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Nat;

/// <summary>Where a record stands on its way through a helper.</summary>
internal enum ForwardKind : byte
{
    /// <summary>To the helper: "pass this on to…".</summary>
    Ask = 1,
    /// <summary>From the helper: "this came from…".</summary>
    Passed = 2,
    /// <summary>From the helper: it does not know that node, or may not be bothered now.</summary>
    Refused = 3,
}

/// <summary>A sealed puncture record on its way through a common neighbour, who adds what it sees itself. Frame 0x21.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind: 1 ask, 2 passed on, 3 refused
///      1    74  public key of the other: for whom (1, 3), from whom (2)
///     75    19  where the helper sees the sender (2); otherwise 04 and zeros
///     94     2  round trip between helper and sender in ms (2)
///     96     2  round trip between helper and receiver in ms (2)
///     98     n  the sealed record, at most 448 bytes; empty in 3
/// </code></remarks>
internal readonly ref struct PunctureForward
{
    public const int SealedBytesMax = 448;
    public const int BytesMax = HeadBytes + SealedBytesMax;
    private const int HeadBytes = 98;

    public ForwardKind Kind { get; init; }
    public ReadOnlySpan<byte> Other { get; init; }
    public Endpoint SeenAt { get; init; }
    public ushort SenderRoundTrip { get; init; }
    public ushort ReceiverRoundTrip { get; init; }
    public ReadOnlySpan<byte> Sealed { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> body, out PunctureForward forward)
    {
        var reader = new WireReader(body);
        var kind = reader.ReadByte();
        reader.Require(kind is >= 1 and <= 3, WireError.UnknownTag);
        var other = reader.ReadBytes(KeyFormat.Bytes);
        reader.Require(PublicKey.HasRightForm(other), WireError.BadKey);
        var seen = FixedAddress.Read(ref reader);
        var (senders, receivers) = (reader.ReadUInt16(), reader.ReadUInt16());
        var content = reader.ReadRest(SealedBytesMax);
        reader.Require(content.IsEmpty == (kind == (byte)ForwardKind.Refused));
        forward = new PunctureForward
        {
            Kind = (ForwardKind)kind, Other = other, SeenAt = seen, SenderRoundTrip = senders, ReceiverRoundTrip = receivers, Sealed = content,
        };
        return reader.Finish();
    }

    public ReadOnlySpan<byte> WriteTo(Span<byte> buffer)
    {
        var writer = new WireWriter(buffer);
        writer.WriteByte((byte)Kind);
        writer.WriteBytes(Other);
        FixedAddress.Write(ref writer, SeenAt);
        writer.WriteUInt16(SenderRoundTrip);
        writer.WriteUInt16(ReceiverRoundTrip);
        writer.WriteBytes(Sealed);
        return buffer[..writer.Position];
    }
}
