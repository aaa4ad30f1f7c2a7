using System.Buffers.Binary;
using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Wire;

namespace Polder.Overlay.Sessions;

/// <summary>A datagram's way into its session: handshakes to who makes them, data through its keys to the frames.</summary>
internal sealed class SessionReceiver(SessionTable table)
{
    private readonly NodeHost _host = table.Host;

    /// <summary>Takes a datagram; without <paramref name="via"/> it came on the node's own socket.</summary>
    public void Receive(SessionPath? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > 0 && datagram[0] == DataPacket.FirstByte) ReceiveData(via, from, datagram);
        else if (Packet.HasHeader(datagram) && Packet.CommunityOf(datagram) == DiscoveryCommunity.Extension) ReceiveHandshake(via ?? new DirectPath(_host, from), datagram);
        else table.Refuse(Refusal.NotIPv8);
    }

    private void ReceiveHandshake(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        var number = Packet.NumberOf(datagram);
        if (HandshakeWire.BytesOf(number) is var bytes && bytes != datagram.Length)
        {
            if (bytes == 0) table.Refuse(Refusal.UnknownMessage);
            else _host.Counters.Count(datagram.Length < bytes ? WireError.Truncated : WireError.TrailingBytes);
            return;
        }
        switch (number)
        {
            case HandshakeWire.Initiation or HandshakeWire.OpenInitiation: table.Responder.Receive(via, datagram); break;
            case HandshakeWire.Response or HandshakeWire.OpenResponse: table.Handshakes.Receive(via, datagram); break;
            case HandshakeWire.OpenFinish: table.Responder.ReceiveFinish(via, datagram); break;
            case HandshakeWire.Cookie: table.Handshakes.ReceiveCookie(via, datagram); break;
        }
    }

    private void ReceiveData(SessionPath? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < DataPacket.OverheadBytes + DataPacket.PaddingBytes || (datagram.Length - DataPacket.OverheadBytes) % DataPacket.PaddingBytes != 0)
        {
            _host.Counters.Count(WireError.Truncated);
            return;
        }
        if (table.Indexes.Find(BinaryPrimitives.ReadUInt32BigEndian(datagram[1..])) is not { } owner)
        {
            table.Refuse(Refusal.UnknownSession);
            // We may have started again and the other side does not know: a new handshake tells it, towards a peer we know to be there.
            if (via is null && _host.Peers.FindAt(from) is { } known && _host.Peers.IsValidated(known, from) && table.IsSticky(known.Key)) table.Reopen(known, from);
            return;
        }
        var session = owner as Session;
        if (session is not null && via is null && session.Path is DirectPath && session.Path.Remote == from) via = session.Path;
        else if (via is null)
        {
            // From elsewhere than where the peer is: as any stranger's, until it proves itself.
            if (!_host.Reception.Admits(from, datagram.Length)) return;
            via = session?.MovesOrNull?.PathTo(from) ?? new DirectPath(_host, from);
        }
        if (PacketBuffers.Rent() is not { } buffer) return;
        try
        {
            var text = buffer.AsSpan(0, datagram.Length - DataPacket.OverheadBytes);
            if (session is null)
            {
                session = Confirm((Answered)owner, datagram, text);
                if (session is null) return;
            }
            var now = _host.Now;
            if (!session.TryOpen(datagram, text, now, out var isHighest)) return;
            session.Peer.LastIn = now;
            session.ReceivedFrom(via);
            if (session.MovesOrNull is { } moves) moves.Received(via, datagram.Length, isHighest);
            else if (!via.Equals(session.Path)) session.Moves.Received(via, datagram.Length, isHighest);
            else if (via.Kind == PathKind.Direct) _host.Peers.Refresh(session.Peer, via.Remote);
            table.Frames.Handle(session, text, now);
        }
        finally { PacketBuffers.Return(); }
    }

    /// <summary>The first packet under keys that waited for it: only now does anything change (OV-3.6).</summary>
    private Session? Confirm(Answered answered, ReadOnlySpan<byte> datagram, Span<byte> text)
    {
        var counter = BinaryPrimitives.ReadUInt64BigEndian(datagram[5..]);
        if (answered.Key is not { } key
            || !table.Crypto.TryOpen(answered.Receiving, counter, datagram[..DataPacket.HeaderBytes], datagram[DataPacket.HeaderBytes..], text))
        {
            table.Refuse(Refusal.BadTag);
            return null;
        }
        Span<byte> keys = stackalloc byte[64];
        answered.Sending.CopyTo(keys);
        answered.Receiving.CopyTo(keys[32..]);
        table.Responder.Remove(answered);
        var session = table.Install(
            key, answered.Path, answered.Continues, answered.Facts with { Flags = answered.Continues is null ? (byte)0 : answered.Facts.Flags },
            keys[..32], keys[32..], answered.LocalIndex, answered.RemoteIndex, answered.Epoch, byUs: false);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(keys);
        table.Completed(key, session);
        return session.IsOpen ? session : null;
    }
}
