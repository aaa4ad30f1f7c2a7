using System.Buffers.Binary;
using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>What is in an opened packet: frame after frame, each to whom it concerns.</summary>
internal sealed class SessionFrames(SessionTable table)
{
    private readonly NodeHost _host = table.Host;
    private FrameHandler?[] _handlers = [];

    /// <summary>Handles frames of one type. A second handler for a type throws.</summary>
    public void On(FrameType type, FrameHandler handler)
    {
        if ((int)type >= _handlers.Length) Array.Resize(ref _handlers, (int)type + 1);
        if (type <= FrameType.MessageBound || _handlers[(int)type] is not null) throw new InvalidOperationException($"Frame type {type} is taken already.");
        _handlers[(int)type] = handler;
    }

    /// <summary>Handles the frames of an opened packet, one after the other.</summary>
    public void Handle(Session session, ReadOnlySpan<byte> frames, TimeSpan now)
    {
        bool? admits = null;
        while (session.IsOpen && Frames.TryNext(ref frames, out var type, out var body, out _))
        {
            var isStream = type is >= FrameType.Stream and <= FrameType.Stream + 0xF;
            if (!isStream && !(admits ??= session.Admits(now)))
            {
                table.Refuse(Refusal.PeerRate);
                continue;
            }
            if (!Handle(session, type, body) && session.IsOpen) Discard(session);
        }
        // The loop ends at a broken frame as at the end; look which it was.
        if (session.IsOpen && !Frames.TryNext(ref frames, out _, out _, out var isBroken) && isBroken) Discard(session);
    }

    /// <summary>For a fuzzer: our own frames of one packet, of a session that is in no table.</summary>
    public void HandleForTest(Session session, ReadOnlySpan<byte> frames)
    {
        while (Frames.TryNext(ref frames, out var type, out var body, out _))
            if (type <= FrameType.MessagePart && type != FrameType.Close) Handle(session, type, body);
        table.Messages.Forget(session);
    }

    private bool Handle(Session session, FrameType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case FrameType.Ping:
                if (body.Length != 8) return false;
                session.SendFrame(session.ReceivedOn.Equals(session.Path) || session.Moves.MaySend(session.ReceivedOn, 45) ? session.ReceivedOn : session.Path, FrameType.Pong, body);
                return true;
            case FrameType.Pong:
                if (body.Length != 8) return false;
                var (sentAt, now) = (BinaryPrimitives.ReadInt64BigEndian(body), _host.Now.Ticks);
                if (sentAt >= 0 && sentAt <= now && now - sentAt < TimeSpan.TicksPerMinute) session.Measured(TimeSpan.FromTicks(now - sentAt));
                return true;
            case FrameType.PathChallenge:
                if (body.Length != 8) return false;
                // The answer goes back the way the question came: that is the path that it proves.
                if (session.ReceivedOn.Equals(session.Path) || session.Moves.MaySend(session.ReceivedOn, 45))
                    session.SendFrame(session.ReceivedOn, FrameType.PathResponse, body);
                return true;
            case FrameType.PathResponse:
                if (body.Length != 8) return false;
                var challenge = BinaryPrimitives.ReadUInt64BigEndian(body);
                if (session.MovesOrNull?.Answered(challenge) != true && !table.Mtu.Answered(session, challenge)) table.Refuse(Refusal.Unasked);
                return true;
            case FrameType.Close:
                if (body.Length != 1) return false;
                table.Remove(session);
                return true;
            case FrameType.Message: return table.Messages.ReceiveMessage(session, body);
            case FrameType.MessageBind: return table.Messages.ReceiveBind(session, body);
            case FrameType.MessageBound: return SessionMessages.ReceiveBound(session, body);
            case FrameType.MessagePart: return table.Messages.ReceivePart(session, body);
            case FrameType.Addresses: return ReceiveAddresses(session, body);
            case FrameType.Observed:
                if (body.Length != Frames.AddressBytes) return false;
                if (Frames.ReadAddress(body) is not { } seen || session.SeenAs == seen) return true;
                session.SeenAs = seen;
                if (session.Path.Kind == PathKind.Direct) _host.Own.Heard(session.Path.Remote, seen);
                return true;
            default:
                if ((int)type < _handlers.Length && _handlers[(int)type] is { } handler) return handler(session, body);
                return table.Refuse(Refusal.UnknownFrame) || true;
        }
    }

    /// <summary>A frame that no honest peer sends, under its own key: it is set aside.</summary>
    private void Discard(Session session)
    {
        _host.Peers.Discourage(session.Peer, Violation.Malformed);
        _host.Neighbourhood.Charge(session.Peer, Neighbourhood.Misdeed.MalformedFrame);
        session.Close(1);
    }

    private static bool ReceiveAddresses(Session session, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body[0] > OverlayLimits.AddressesPerPeerMax || body.Length != 1 + body[0] * Frames.AddressBytes) return false;
        var addresses = new List<Endpoint>(body[0]);
        for (var rest = body[1..]; rest.Length > 0; rest = rest[Frames.AddressBytes..])
            if (Frames.ReadAddress(rest) is { } address) addresses.Add(address);
        session.PeerAddresses = addresses;
        return true;
    }

    /// <summary>Tells the peer our addresses.</summary>
    public void SendAddresses(Session session)
    {
        Span<byte> body = stackalloc byte[1 + 2 * Frames.AddressBytes];
        var (lan, wan) = (_host.Own.Lan, _host.Own.Wan);
        var count = 0;
        foreach (var address in (ReadOnlySpan<Endpoint>)[wan, lan])
            if (address.IsSendable && (count == 0 || address != wan)) Frames.WriteAddress(body[(1 + Frames.AddressBytes * count++)..], address);
        body[0] = (byte)count;
        if (count > 0) session.Send(FrameType.Addresses, body[..(1 + count * Frames.AddressBytes)]);
    }

    /// <summary>Tells the peer where we see it.</summary>
    public static void SendObserved(Session session)
    {
        if (session.Path.Kind == PathKind.Relayed) return;
        Span<byte> body = stackalloc byte[Frames.AddressBytes];
        Frames.WriteAddress(body, session.Path.Remote);
        session.Send(FrameType.Observed, body);
    }
}
