using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Relays;

/// <summary>A way through a peer: session datagrams inside frames of our session with the relay, which sees their lengths and nothing else (OV-6.10).</summary>
public sealed class RelayedPath : SessionPath
{
    /// <summary>Head of a frame, and number of the pair.</summary>
    private const int OverheadBytes = 3 + RelayData.HeadBytes;

    private readonly NodeHost _host;
    private readonly Peer _relay;

    internal RelayedPath(NodeHost host, Peer relay, PublicKey other, uint pair)
    {
        (_host, _relay, Other, Pair) = (host, relay, other, pair);
        // The relay's own datagrams have 1200 bytes at least; what its session adds is not ours to use.
        DatagramBytesMax = (DatagramBytesDefault - DataPacket.OverheadBytes) / DataPacket.PaddingBytes * DataPacket.PaddingBytes - OverheadBytes;
    }

    /// <inheritdoc/>
    public override PathKind Kind => PathKind.Relayed;

    /// <inheritdoc/>
    public override Endpoint Remote => Direct is { } session ? session.Path.Remote : _relay.Address;

    // One hop only: two peers that relay for each other would send a datagram round for ever.
    private Session? Direct => _host.Sessions.Find(_relay) is { Path.Kind: not PathKind.Relayed } session ? session : null;

    /// <inheritdoc/>
    public override Peer Relay => _relay;

    /// <summary>Who is at the other end.</summary>
    public PublicKey Other { get; }

    /// <summary>Number of the pair at the relay.</summary>
    internal uint Pair { get; }

    /// <summary>Bytes of session datagrams sent, and received.</summary>
    internal long Sent { get; set; }
    internal long Received { get; set; }
    internal TimeSpan OpenedAt { get; init; }
    internal ulong StatedForth { get; set; }
    internal bool WeAsked { get; init; }

    /// <inheritdoc/>
    public override void Send(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > DatagramBytesDefault || Direct is not { } session) return;
        Span<byte> body = stackalloc byte[RelayData.HeadBytes + DatagramBytesDefault];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(body, Pair);
        datagram.CopyTo(body[RelayData.HeadBytes..]);
        if (session.Send(FrameType.RelayData, body[..(RelayData.HeadBytes + datagram.Length)])) Sent += datagram.Length;
    }

    /// <inheritdoc/>
    public override bool Equals(SessionPath? other) => other is RelayedPath path && path.Pair == Pair && path._relay.Key == _relay.Key && path.Other == Other;

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)Pair);
}
