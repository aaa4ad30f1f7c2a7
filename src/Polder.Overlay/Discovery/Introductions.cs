using System.Buffers.Binary;
using Polder.Net;
using Polder.Overlay.Packets;
using Polder.Overlay.Sessions;
using Polder.Wire;

namespace Polder.Overlay.Discovery;

/// <summary>
/// The introduction protocol of one community, in both styles. A walks to B with an introduction-request; B answers with
/// somebody, C, and asks C to open its NAT for A; A walks to C.
/// </summary>
internal sealed class Introductions
{
    private readonly Community _community;
    private readonly NodeHost _host;
    private readonly IntroductionSender _sender;
    private readonly PunctureExchange _punctures;
    private (Endpoint At, TimeSpan Until) _knocked;

    private static readonly TimeSpan KnockRest = TimeSpan.FromMilliseconds(500);

    public Introductions(Community community)
    {
        (_community, _host) = (community, community.Host);
        Candidates = new Candidates(_host.Options, _host.Counters, _host.Environment.Random);
        Asked = new OpenIdentifiers(_host.Options.IntroductionLifetime, _host.Options.IntroductionsMax, _host.Counters);
        Edges = new EdgeWalk(community);
        _sender = new IntroductionSender(community, _host);
        _punctures = new PunctureExchange(community, _host, this, _sender);
    }

    public Candidates Candidates { get; }

    /// <summary>Questions that may still be answered.</summary>
    public OpenIdentifiers Asked { get; }

    public WalkPace Pace;

    public EdgeWalk Edges { get; }

    /// <summary>Walks that were begun and are neither answered nor given up.</summary>
    public int WalksOpen { get; private set; }

    /// <summary>A walk was answered or given up.</summary>
    public void WalkEnded() => WalksOpen--;

    /// <summary>When somebody outside the community may be asked for its members again, and how often that was in vain.</summary>
    public (TimeSpan DueAt, int Tries) Outside { get; set; }

    /// <summary>Tries an address now, whoever may be there; <paramref name="alive"/>: somebody was just heard there, so a rest ends.</summary>
    public void WalkTo(Endpoint address, bool alive = false)
    {
        if (!_host.MayWalkTo(address)) return;
        var candidate = Candidates.Add(address, asked: true, _host.Now, alive);
        if (candidate is not null) Walk(candidate);
    }

    /// <summary>Forgets what nobody waits for any more, and the memory that it took.</summary>
    public void Tidy(TimeSpan now)
    {
        Candidates.Expire(now);
        Asked.Tidy(now);
    }

    /// <summary>Asks a peer for another introduction.</summary>
    public void Ask(Peer peer) => Request(peer.Address);

    /// <summary>
    /// Sends a request, and again after each of <see cref="OverlayOptions.WalkRepeats"/> while nobody answers (OV-6.1): the
    /// hole in the other's NAT may be open only a moment later.
    /// </summary>
    public void Walk(Candidate candidate)
    {
        candidate.TriedAt = _host.Now;
        Request(candidate.Address);
        WalksOpen++;
        _ = new WalkRepeat(this, _host, _community, candidate);
    }

    /// <summary>
    /// Sends one request to an address that the owner or the book names, unless one is under way: sources do not know of each
    /// other, and a dead address must not get the sum of all (OV-4.1).
    /// </summary>
    public void Knock(Endpoint to)
    {
        var now = _host.Now;
        if (_knocked.At == to && now < _knocked.Until) return;
        if (Candidates.Find(to) is { TriedAt: { } tried } && now - tried < _host.Options.AnswerTime) return;
        _knocked = (to, now + KnockRest);
        Request(to);
    }

    /// <summary>Sends one introduction-request.</summary>
    public void Request(Endpoint to, bool ours = true)
    {
        if (!_host.MayWalkTo(to)) return;
        if (_host.Peers.FindAt(to) is { } known)
        {
            // Nothing new is asked of whom misdeeds brought low (OV-7.3).
            if (known.Standing.IsCharged && known.Standing.Score(_host.Now, known.MetAt) < Neighbourhood.NeighbourhoodKeeper.ScoreMin) return;
            known.Standing.Asked(_host.Now);
        }
        var identifier = Asked.Open(_host.Environment.Random, to, _host.Now);
        _host.Nat.NoteWritten(to);
        var own = _host.Own;
        var request = new IntroductionRequest(
            to, own.Lan, own.Wan, IntroductionRequest.Advice | IntroductionRequest.SpeaksNewStyle, identifier, _sender.Extra());
        if (to.IsIPv4) _sender.Send(to, request with { SourceLan = IntroductionSender.InIPv4(own.Lan), SourceWan = IntroductionSender.InIPv4(own.Wan) }, ours);
        else _sender.Send(to, new NewIntroductionRequest(request with { Flags = 0 }), ours);
    }

    public void Receive(Endpoint from, ReadOnlySpan<byte> datagram, byte number)
    {
        switch (number)
        {
            case OverlayLimits.IntroductionRequestNumber: ReceiveRequest<IntroductionRequest>(from, datagram); break;
            case OverlayLimits.NewIntroductionRequestNumber: ReceiveRequest<NewIntroductionRequest>(from, datagram); break;
            case OverlayLimits.IntroductionResponseNumber: ReceiveResponse<IntroductionResponse>(from, datagram); break;
            case OverlayLimits.NewIntroductionResponseNumber: ReceiveResponse<NewIntroductionResponse>(from, datagram); break;
            case OverlayLimits.PunctureRequestNumber: _punctures.ReceiveRequest<PunctureRequest>(from, datagram); break;
            case OverlayLimits.NewPunctureRequestNumber: _punctures.ReceiveRequest<NewPunctureRequest>(from, datagram); break;
            case OverlayLimits.PunctureNumber: _punctures.Receive<Puncture>(from, datagram); break;
            case OverlayLimits.NewPunctureNumber: _punctures.Receive<NewPuncture>(from, datagram); break;
        }
    }

    private void ReceiveRequest<T>(Endpoint from, ReadOnlySpan<byte> datagram) where T : struct, IMessage<T>
    {
        if (_host.Reception.Open(_community, from, datagram, MessageForm.GlobalTime, out var packet) is not { } sender) return;
        if (!_sender.TryRead(packet.Fields, out T message)) return;
        var newStyle = message is NewIntroductionRequest;
        var request = message is IntroductionRequest old ? old : ((NewIntroductionRequest)(object)message).Content;

        var peer = _host.Peers.GetOrAdd(sender);
        // Members ask for introductions. A node that introduces strangers of overlays in which it is not itself asks for none.
        var isMember = (request.Flags & IntroductionRequest.Advice) != 0;
        if (isMember) _host.Peers.AddCommunity(peer, _community.CommunityId);
        (peer.ClaimedLan, peer.ClaimedWan) = (request.SourceLan, request.SourceWan);
        peer.SpeaksNewStyle |= newStyle || (request.Flags & IntroductionRequest.SpeaksNewStyle) != 0;
        if (!request.Extra.IsEmpty) Learn(peer, request.Extra.Span);

        // A 246 is answered in the old style unless the sender is known to read the new one; a 234 in the new style.
        var answerInNewStyle = newStyle || (peer.SpeaksNewStyle && !_community.OldStyleOnly);
        if (!from.IsIPv4) answerInNewStyle = true;
        Respond(from, request, answerInNewStyle, isMember ? Introduce(peer, from, onlyIPv4: !answerInNewStyle) : null);
        _host.Counters.IntroductionsAnswered++;

        // It knocked; whether it lives there it shows by answering our own request (OV-4.1, OV-3.14).
        if (!isMember) return;
        if (!_host.Peers.IsValidated(peer, from)) _host.Probe(_community, peer, from);
        else _community.AddPeer(peer);
    }

    private Peer? Introduce(Peer asker, Endpoint from, bool onlyIPv4)
    {
        var peers = _community.Peers;
        if (peers.Count == 0 || _host.Environment.Buggify("nobody introduced", 0.2)) return null;
        var start = _host.Environment.Random.Next(peers.Count);
        // A bounded look around: in a full table the first or second fits.
        for (var i = 0; i < Math.Min(peers.Count, 8); i++)
        {
            var peer = peers[(start + i) % peers.Count];
            if (peer.Key == asker.Key || peer.Address == from || (onlyIPv4 && !peer.Address.IsIPv4)) continue;
            if (peer.IsAnchor || _host.Peers.IsDiscouraged(peer.Key) || (_host.ShowsOnly is { } shows && !shows(peer))) continue;
            return peer;
        }
        return null;
    }

    private void Respond(Endpoint to, in IntroductionRequest request, bool newStyle, Peer? introduced)
    {
        var own = _host.Own;
        Endpoint lan = Endpoint.None, wan = Endpoint.None;
        byte flags = IntroductionResponse.SpeaksNewStyle;
        if (introduced is not null)
        {
            (lan, wan) = AddressesOf(introduced);
            // A claimed outer address of the asker's own LAN is of use to the introduced one only behind the same NAT.
            var walkerLan = request.SourceLan.IsSendable ? request.SourceLan : request.Destination;
            var puncture = new PunctureRequest(walkerLan, to, request.Identifier);
            if (walkerLan.IsIPv4 && to.IsIPv4) _sender.SendUnsigned(introduced.Address, puncture);
            else if (introduced.SpeaksNewStyle) _sender.SendUnsigned(introduced.Address, new NewPunctureRequest(puncture));
            if (introduced.SpeaksNewStyle) flags |= IntroductionResponse.IntroducedSpeaksNewStyle;
        }
        if (_community.Peers.Count >= _host.Options.PeersWanted) flags |= IntroductionResponse.Full;
        var response = new IntroductionResponse(to, own.Lan, own.Wan, lan, wan, flags, request.Identifier, _sender.Extra());
        if (newStyle)
            _sender.Send(to, new NewIntroductionResponse(response with
            {
                Flags = introduced is { SpeaksNewStyle: true } ? IntroductionResponse.NewIntroducedSpeaksNewStyle : (byte)0,
            }), ours: false);
        else
            _sender.Send(to, response with
            {
                SourceLan = IntroductionSender.InIPv4(own.Lan), SourceWan = IntroductionSender.InIPv4(own.Wan), LanIntroduction = IntroductionSender.InIPv4(lan), WanIntroduction = IntroductionSender.InIPv4(wan),
            }, ours: false);
    }

    /// <summary>How to tell others where a peer of ours is.</summary>
    private (Endpoint Lan, Endpoint Wan) AddressesOf(Peer peer)
    {
        var address = peer.Address;
        var isNear = address.IsPrivate || address.IsLoopback || address.IsLinkLocal || address.SameAddress(_host.Own.Lan);
        if (!isNear) return (peer.ClaimedLan.IsSendable ? peer.ClaimedLan : Endpoint.None, address);
        // It is in our own network: from outside it is behind our outer address.
        var outside = _host.Own.Wan;
        return (address, outside.IsPrivate || outside.IsLoopback || outside.IsIPv4 != address.IsIPv4 ? address : outside.WithPort(address.Port));
    }

    private void ReceiveResponse<T>(Endpoint from, ReadOnlySpan<byte> datagram) where T : struct, IMessage<T>
    {
        if (Reception.IsLegacySigned(datagram))
        {
            ReceiveFromTracker(from, datagram);
            return;
        }
        if (_host.Reception.Open(_community, from, datagram, MessageForm.GlobalTime, out var packet) is not { } sender) return;
        if (!_sender.TryRead(packet.Fields, out T message)) return;
        var newStyle = message is NewIntroductionResponse;
        var response = message is IntroductionResponse old ? old : ((NewIntroductionResponse)(object)message).Content;
        var now = _host.Now;
        var asked = Asked.TryClose(response.Identifier, from, now, out var roundTrip);
        // Somebody in between would have its own address where ours belongs: a known peer is not moved by that (OV-3.14).
        if (asked && sender.IsValidated && sender.Address != from && !_host.Own.CouldBeOurs(response.Destination)) asked = false;
        if (!asked)
        {
            // Anybody can send this unasked: what it introduces is dropped, nothing changes (overlay.md §8.2).
            _host.Counters.Count(Refusal.Unasked);
            _host.Neighbourhood.Unasked(sender, from);
            return;
        }
        // Unknown until it answered: it was we who spoke first.
        var chosenByUs = sender.BookIndex < 0;
        var peer = _host.Peers.GetOrAdd(sender);
        peer.ChosenByUs |= chosenByUs | _host.Contact.Answered(peer, from);
        (peer.ClaimedLan, peer.ClaimedWan) = (response.SourceLan, response.SourceWan);
        peer.SpeaksNewStyle |= newStyle || (response.Flags & IntroductionResponse.SpeaksNewStyle) != 0;
        _host.Answered(peer, from, roundTrip);
        _host.Own.Heard(from, response.Destination);
        if (Candidates.Find(from)?.ToldBy is { } teller) _host.Neighbourhood.Useful(teller);
        Candidates.Met(from);
        // Every node of ours, like a tracker, answers for overlays that it is not in; its list of overlays tells.
        var isMember = !peer.HasListedOverlays || peer.IsIn(_community.CommunityId);
        if (isMember)
        {
            _host.Peers.AddCommunity(peer, _community.CommunityId);
            _community.AddPeer(peer);
        }
        else if (!_community.IsLeft) _host.Discovery.AskAgain(peer);
        if (!response.Extra.IsEmpty) Learn(peer, response.Extra.Span);
        Edges.Met(peer, from);
        TakeIntroduction(peer, response);
        if (isMember) _community.OnIntroduced(peer);
    }

    /// <summary>A tracker with a key that we cannot check: believed only from the owner's list, and only as an introduction.</summary>
    private void ReceiveFromTracker(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        var keyBytes = BinaryPrimitives.ReadUInt16BigEndian(datagram[Packet.HeaderBytes..]);
        var fieldsOffset = Packet.HeaderBytes + 2 + keyBytes + Packet.GlobalTimeBytes;
        var signatureBytes = datagram.Length >= Packet.HeaderBytes + 2 + keyBytes
            ? LegacyKey.SignatureBytes(datagram.Slice(Packet.HeaderBytes + 2, keyBytes)) : 0;
        if (signatureBytes == 0 || datagram.Length < fieldsOffset + signatureBytes)
        {
            _host.Counters.Count(WireError.BadKey);
            return;
        }
        if (!_host.Bootstrap.IsListed(from))
        {
            _host.Counters.Count(Refusal.LegacyKey);
            return;
        }
        if (!_sender.TryRead(datagram[fieldsOffset..^signatureBytes], out IntroductionResponse response)) return;
        var asked = Asked.TryClose(response.Identifier, from, _host.Now, out _);
        if (!asked) _host.Counters.Count(Refusal.Unasked);
        else _host.Bootstrap.Answered(from);
        Candidates.Met(from);
        if (asked) TakeIntroduction(null, response);
    }

    private void TakeIntroduction(Peer? introducer, in IntroductionResponse response)
    {
        var (lan, wan) = (response.LanIntroduction, response.WanIntroduction);
        var ownWan = _host.Own.Wan;
        if (wan.IsSendable && !wan.SameAddress(ownWan))
        {
            Take(lan);
            Take(wan);
        }
        // py-ipv8 of 2020 does not know the outer address of its own neighbours and says 0.0.0.0 with a port.
        else if (lan.IsSendable && (!wan.IsSendable || wan.SameAddress(ownWan))) Take(lan);
        else if (wan.IsSendable)
        {
            Take(wan);
            // A second node on our own machine.
            if (!_host.Own.Lan.SameAddress(wan)) Take(_host.Own.Lan.WithPort(wan.Port));
        }

        void Take(Endpoint address)
        {
            if (!address.IsSendable || !_host.MayWalkTo(address)) return;
            if (_host.Peers.FindAt(address) is { } known && _community.Contains(known))
            {
                // It came to us before we could come to it: by the word of one whom we chose, from elsewhere, we would have come.
                if (introducer is { ChosenByUs: true } && address == wan && !IsSameNetwork(introducer.Address, address)) known.IsVouchedFor = true;
                return;
            }
            if (introducer is not null && address == wan) _host.Contact.Heard(address, introducer);
            var before = Candidates.Count;
            var candidate = Candidates.Add(address, asked: true, _host.Now);
            if (candidate is null) return;
            if (Candidates.Count > before) Pace.News();
            if (introducer is not null)
            {
                candidate.ToldBy ??= introducer;
                _host.Neighbourhood.Introduced(introducer);
                Edges.Introduced(introducer, candidate);
            }
            // At once where it may still help: the other's NAT was just opened for us.
            if (candidate.TriedAt is null && IsHungry && _host.MayWalkNow()) Walk(candidate);
        }
    }

    private bool IsSameNetwork(Endpoint one, Endpoint other) =>
        one.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6) == other.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6);

    /// <summary>Whether an address is tried at once: with very few peers, and as long as the node has no firm footing yet (OV-5.2).</summary>
    public bool IsHungry => _community.Peers.Count < Math.Min(_community.PeersTarget, _host.Contact.IsLooking ? _host.Options.PeersWanted : _host.Options.WalksAtOnceBelow);

    private void Learn(Peer peer, ReadOnlySpan<byte> extra)
    {
        if (_community.AnnouncesSessions && Announcement.TryTake(ref extra, _host.Options.Sessions.NetworkId)) _host.Peers.AddCommunity(peer, DiscoveryCommunity.Extension);
        if (!extra.IsEmpty) _community.OnIntroductionExtra(peer, extra);
    }
}
