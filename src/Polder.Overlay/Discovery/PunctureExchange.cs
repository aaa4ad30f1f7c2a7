using Polder.Net;
using Polder.Overlay.Packets;
using Polder.Overlay.Refusals;
using Polder.Wire;

namespace Polder.Overlay.Discovery;

/// <summary>The part of the introduction protocol that opens NATs: what an introducer asks of us, and what comes of what it asked of others.</summary>
internal sealed class PunctureExchange(Community community, NodeHost host, Introductions introductions, IntroductionSender sender)
{
    /// <summary>Somebody whom we know asks us to open our NAT for a walker.</summary>
    public void ReceiveRequest<T>(Endpoint from, ReadOnlySpan<byte> datagram) where T : struct, IMessage<T>
    {
        var error = Packet.CutUnsigned(datagram, MessageForm.GlobalTime, out _, out var fields);
        T message = default;
        if (error == WireError.None) error = Packet.Read(fields, out message);
        if (error != WireError.None)
        {
            host.Counters.Count(error);
            return;
        }
        var newStyle = message is NewPunctureRequest;
        var request = message is PunctureRequest old ? old : ((NewPunctureRequest)(object)message).Content;
        var sameNat = request.WanWalker.SameAddress(host.Own.Wan) && request.LanWalker.IsSendable;
        var target = sameNat ? request.LanWalker : request.WanWalker;
        var answer = host.Punctures.Judge(community, from, target, sameNat);
        // Somebody is there. Where our own NAT gives every remote another port the walker cannot find us by our old one: so, while we
        // are alone, we have ourselves introduced to it. The rates above hold here too.
        if (answer != PunctureAnswer.None && community.Peers.Count == 0 && host.MayWalkNow()) introductions.Request(from);
        if (answer == PunctureAnswer.None) return;
        host.Nat.NoteWritten(target);
        if (answer == PunctureAnswer.Opening)
        {
            host.Transmit(target, PunctureRules.OpeningDatagram, ours: true);
            return;
        }
        var own = host.Own;
        var puncture = new Puncture(own.Lan, own.Wan, request.Identifier);
        if (newStyle || !target.IsIPv4) sender.Send(target, new NewPuncture(puncture), ours: true);
        else sender.Send(target, puncture with { SourceLan = IntroductionSender.InIPv4(own.Lan), SourceWan = IntroductionSender.InIPv4(own.Wan) }, ours: true);
    }

    /// <summary>Somebody opened its NAT for us.</summary>
    public void Receive<T>(Endpoint from, ReadOnlySpan<byte> datagram) where T : struct, IMessage<T>
    {
        // Cheap test first: a puncture matters only from a peer, or when it belongs to a question of ours.
        var error = Packet.CutSigned(datagram, MessageForm.GlobalTime, out var packet);
        T message = default;
        if (error == WireError.None) error = Packet.Read(packet.Fields, out message);
        if (error != WireError.None)
        {
            host.Counters.Count(error);
            return;
        }
        var puncture = message is Puncture old ? old : ((NewPuncture)(object)message).Content;
        if (host.Peers.IsValidated(from)) return;
        // It mostly comes after the response, and behind a symmetric NAT from another port than the one we were told.
        if (!introductions.Asked.WasAsked(puncture.Identifier, host.Now) && introductions.Candidates.Find(from) is null)
        {
            host.Counters.Count(Refusal.Unasked);
            return;
        }
        if (host.Reception.Open(community, from, datagram, MessageForm.GlobalTime, out _) is null) return;
        if (!host.MayWalkTo(from)) return;
        // With peers enough, an opened NAT is a candidate like any other; else each walk would beget the next.
        var isWanted = introductions.IsHungry || introductions.Candidates.Find(from) is { TriedAt: not null };
        var candidate = introductions.Candidates.Add(from, asked: true, host.Now, alive: true);
        if (candidate is not null && isWanted && (candidate.TriedAt is null || introductions.WalksOpen < host.Options.WalksMax) && host.MayWalkNow()) introductions.Walk(candidate);
    }
}
