using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Overlay.Nat;
using Polder.Overlay.Refusals;
using Polder.Overlay.Sessions;
using Polder.Wire;

namespace Polder.Overlay;

/// <summary>A datagram's way in: cheapest checks first, signatures late, handlers last. What is not admitted leaves no trace but a count.</summary>
internal sealed class Reception(NodeHost host)
{
    private readonly ReplayFilter _replays = new(host.Options.ReplayGeneration, host.Options.ReplayEntriesMax, host.Counters);
    private readonly ForeignCommunities _foreign = new(host);
    private PendingChecks? _pending;

    /// <summary>Nothing waits any more.</summary>
    public void Stop() => _pending?.Stop();

    /// <summary>A datagram came on the node's own socket.</summary>
    public void Receive(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        host.Counters.Received++;
        host.Counters.BytesIn += datagram.Length;
        try
        {
            // Cheapest first (OV-2.5): length and first bytes, then rates, then the community; signatures come much later.
            if (datagram is [DataPacket.FirstByte, ..]) host.Sessions.Receive(from, datagram);
            else if (datagram is [PunctureProbe.FirstByte, ..]) host.Nat.Receive(null, from, datagram);
            else if (!Packet.HasHeader(datagram)) ReceiveOther(from, datagram);
            else if (Admits(from, datagram.Length)) Deliver(from, datagram);
        }
        // The one catch-all (design §8): whatever a handler throws is our bug, and one datagram must not stop the node.
        catch (Exception problem)
        {
            host.Fault(problem, from.ToString(), datagram);
        }
    }

    private void Deliver(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        var id = Packet.CommunityOf(datagram);
        if (host.FindCommunity(id) is { } community) community.Receive(from, datagram);
        else if (id == DiscoveryCommunity.Extension) host.Sessions.Receive(from, datagram);
        else _foreign.Receive(id, from, datagram);
    }

    /// <summary>A packet that was admitted before and waited for its signature to be checked.</summary>
    private void Dispatch(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        try { Deliver(from, datagram); }
        catch (Exception problem) { host.Fault(problem, from.ToString(), datagram); }
    }

    /// <summary>A datagram came to a further socket of ours: only probes and sessions use those.</summary>
    public void ReceiveExtra(IExtraSocket socket, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        host.Counters.Received++;
        host.Counters.BytesIn += datagram.Length;
        try
        {
            if (datagram is [PunctureProbe.FirstByte, ..]) host.Nat.Receive(socket, from, datagram);
            else if (datagram is [DataPacket.FirstByte, ..] || (Packet.HasHeader(datagram) && Packet.CommunityOf(datagram) == DiscoveryCommunity.Extension))
                host.Sessions.Receive(new SocketPath(socket, from), datagram);
            else host.Counters.Count(Refusal.NotIPv8);
        }
        catch (Exception problem)
        {
            host.Fault(problem, from.ToString(), datagram);
        }
    }

    /// <summary>Whether a datagram from there may cost us anything: rates of its source, or of the peer that proved to be there.</summary>
    public bool Admits(Endpoint from, int bytes)
    {
        var now = host.Now;
        if (host.Peers.FindAddress(from) is not { } known || !known.IsFresh(now, host.Options.ValidationLifetime)) return host.Guard.Admits(from, bytes, now);
        if (!host.Guard.Admits(known.Owner, now)) return false;
        known.Owner.LastIn = now;
        return true;
    }

    /// <summary>IPv8's beacon in the local network: 00 00 "IPv8" 00, then the prefix of an overlay. Understood, never sent.</summary>
    private void ReceiveOther(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        ReadOnlySpan<byte> magic = [0, 0, (byte)'I', (byte)'P', (byte)'v', (byte)'8', 0];
        if (datagram.Length != magic.Length + Packet.PrefixBytes || !datagram.StartsWith(magic) || datagram[magic.Length + 1] != 2)
        {
            host.Counters.Count(Refusal.NotIPv8);
            return;
        }
        // A beacon comes from our own network; from anywhere else it would make us knock at strangers.
        if (!(from.IsPrivate || from.IsLinkLocal || from.IsLoopback) || !host.Guard.Admits(from, datagram.Length, host.Now)) return;
        var id = new CommunityId(datagram[(magic.Length + 2)..]);
        if (host.FindCommunity(id) is { } community && host.Peers.FindAt(from) is null && host.MayWalkNow())
            community.Introductions.WalkTo(from);
    }

    /// <summary>Whether a packet is signed with a legacy key, by its first bytes.</summary>
    public static bool IsLegacySigned(ReadOnlySpan<byte> datagram) =>
        datagram.Length > Packet.HeaderBytes + 2 && datagram[Packet.HeaderBytes + 2] == 0x30;

    /// <summary>
    /// Checks a signed packet. Gives its signer (from the book, or a passing one), or null when it is to be dropped.
    /// <paramref name="community"/> is null for communities that do not run here.
    /// </summary>
    public Peer? Open(Community? community, Endpoint from, ReadOnlySpan<byte> datagram, MessageForm form, out SignedPacket packet)
    {
        var error = Packet.CutSigned(datagram, form, out packet);
        if (error != WireError.None)
        {
            host.Counters.Count(error);
            return null;
        }
        if (packet.Key.SequenceEqual(host.Identity.Public.Bytes)) return Refuse(Refusal.OwnPacket);
        var known = host.Peers.Find(packet.Key);
        var key = known?.Key;
        if (key is null && !host.Environment.TryParseKey(packet.Key, out key)) return null;
        if (host.Peers.IsDiscouraged(key)) return Refuse(Refusal.Discouraged);
        var now = host.Now;
        var isProved = known is not null && host.Peers.IsValidated(known, from);
        // A good signature belongs to one message only, so its hash is the packet's, in a third of the time.
        var hash = host.Hash.Of(packet.Signature);
        if (_replays.Contains(hash, now) && !MayRepeat(isProved, form, Packet.NumberOf(datagram))) return Refuse(Refusal.Replay);
        if (!isProved && _pending?.TakeGrant() != true && !host.Guard.MayCheckSignature(now))
        {
            (_pending ??= new PendingChecks(host.Environment, host.Guard, host.Counters, () => host.Now, Dispatch)).Add(from, datagram);
            return null;
        }
        host.Counters.SignaturesChecked++;
        if (!host.Environment.Signatures.Verify(key, packet.SignedBytes, packet.Signature))
        {
            host.Counters.Count(WireError.BadSignature);
            return null;
        }
        _replays.Add(hash, now);
        if (known is null) return new Peer(key, from);
        if (isProved) host.Peers.Refresh(known, from);
        else if (!known.IsValidated) known.Address = from;
        else if (community is not null && !OverlayLimits.IsIntroduction(Packet.NumberOf(datagram))) host.Probe(community, known, from);
        return known;
    }

    /// <summary>
    /// Which packets may come twice from where their signer is: honest peers repeat a message without a counter, and a peer that
    /// starts again counts from the beginning and so repeats its first requests. From anywhere else a copy is a copy.
    /// </summary>
    private static bool MayRepeat(bool isProved, MessageForm form, byte number) => isProved
        && (form == MessageForm.Plain || number is OverlayLimits.IntroductionRequestNumber or OverlayLimits.NewIntroductionRequestNumber);

    private Peer? Refuse(Refusal refusal)
    {
        host.Counters.Count(refusal);
        return null;
    }
}
