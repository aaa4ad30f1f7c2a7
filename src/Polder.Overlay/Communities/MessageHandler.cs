using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay;

/// <summary>What a community does with one message number.</summary>
internal abstract class MessageHandler
{
    public abstract void Receive(Community community, Endpoint from, ReadOnlySpan<byte> datagram);
    public abstract void ReceiveInSession(Community community, Sessions.Session session, ReadOnlySpan<byte> fields);
}

/// <summary>A signed message: checks the signature, reads the fields, hands over an answer or a message.</summary>
internal sealed class SignedHandler<T>(MessageForm form) : MessageHandler where T : struct, IMessage<T>
{
    public Action<Peer, T>? Handle { get; set; }

    /// <summary>Open questions that this message answers; null when it is never an answer.</summary>
    public PendingRequests<T>? Pending { get; set; }

    public override void Receive(Community community, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        var host = community.Host;
        if (host.Reception.Open(community, from, datagram, form, out var packet) is not { } peer) return;
        if (host.Sessions.RefusesPlain(community, peer, from)) return;
        var error = Packet.Read<T>(packet.Fields, out var message);
        if (error != WireError.None)
        {
            community.Malformed(peer, from, error);
            return;
        }
        if (Pending is not null && Pending.TryAnswer(peer, from, message)) return;
        if (Handle is not null) Handle(peer, message);
        else host.Counters.Count(Refusal.Unasked);
    }

    public override void ReceiveInSession(Community community, Sessions.Session session, ReadOnlySpan<byte> fields)
    {
        var host = community.Host;
        var error = Packet.Read<T>(fields, out var message);
        if (error != WireError.None)
        {
            community.Malformed(session.Peer, error);
            return;
        }
        if (Pending is not null && Pending.TryAnswer(session.Peer, message)) return;
        if (Handle is not null) Handle(session.Peer, message);
        else host.Counters.Count(Refusal.Unasked);
    }
}

/// <summary>An unsigned message.</summary>
internal sealed class UnsignedHandler<T>(Action<Endpoint, T> handle, MessageForm form) : MessageHandler where T : struct, IMessage<T>
{
    public override void Receive(Community community, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        var error = Packet.CutUnsigned(datagram, form, out _, out var fields);
        var message = default(T);
        if (error == WireError.None) error = Packet.Read(fields, out message);
        if (error == WireError.None) handle(from, message);
        else community.Host.Counters.Count(error);
    }

    public override void ReceiveInSession(Community community, Sessions.Session session, ReadOnlySpan<byte> fields)
    {
        var error = Packet.Read<T>(fields, out var message);
        if (error == WireError.None) handle(session.Peer.Address, message);
        else community.Host.Counters.Count(error);
    }
}
