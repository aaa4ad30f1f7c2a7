using Polder.Net;
using Polder.Overlay.Packets;

namespace Polder.Overlay.Discovery;

/// <summary>The community that every IPv8 program is in: liveness, and who is in which overlay.</summary>
public sealed class DiscoveryCommunity : Community
{
    private const int HistoricIdBytes = 21;
    private const int RequestBytes = 21;

    private const int ToldAtOnceMax = 64;

    private readonly OpenIdentifiers _pings;
    private bool _overlaysChanged;

    /// <summary>Its id, the same in all implementations.</summary>
    public static CommunityId Id { get; } = CommunityId.FromHex("7e313685c1912a141279f8248fc8db5899c5df5a");

    /// <summary>Named in our similarity lists, so that full Polder nodes know each other; plain peers pass over it (OV-3.1).</summary>
    public static CommunityId Extension { get; } = CommunityId.FromName("polder/extension/1"u8);

    /// <summary>Joins.</summary>
    public DiscoveryCommunity(CommunityContext context) : base(Id, context, MessageForm.GlobalTime)
    {
        _pings = new OpenIdentifiers(Host.Options.PingTime, Host.Options.RequestsMax, Host.Counters);
        On<SimilarityRequest>(Answer);
        On<SimilarityResponse>((peer, response) => Learn(peer, response.Overlays));
        OnUnsigned<Ping>((from, ping) => SendUnsigned(from, new Pong(ping.Identifier)));
        OnUnsigned<Pong>(Receive);
    }

    /// <summary>Asks whether a peer lives; the answer counts as a sign of life and measures the round trip.</summary>
    public void Ping(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        peer.PingedAt = Now;
        peer.Standing.Asked(Now);
        Host.NoteSent(peer);
        var identifier = _pings.Open(Environment.Random, peer.Address, Now);
        SendUnsigned(peer.Address, new Ping(identifier), ours: true);
    }

    internal void Tidy(TimeSpan now) => _pings.Tidy(now);

    /// <summary>Asks a peer which overlays it is in, and tells it ours.</summary>
    public void AskOverlays(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var (lan, wan) = (Host.Own.Lan, Host.Own.Wan);
        Send(peer, new SimilarityRequest(
            Environment.Random.NextUInt16(), lan.IsIPv4 ? lan : Endpoint.None, wan.IsIPv4 ? wan : Endpoint.None, 0, OwnOverlays()));
    }

    /// <summary>An overlay was joined or left while the node runs: those we know are told at the next beat, or they would go by our old list.</summary>
    internal void OverlaysChanged() => _overlaysChanged = true;

    internal void TellIfChanged()
    {
        if (!_overlaysChanged) return;
        _overlaysChanged = false;
        var told = 0;
        foreach (var peer in Peers)
        {
            if (!peer.IsValidated || ++told > ToldAtOnceMax) continue;
            peer.OverlaysAskedAt = Now;
            AskOverlays(peer);
        }
    }

    /// <summary>A peer's list may be old: asks again, once in a while.</summary>
    internal void AskAgain(Peer peer)
    {
        if (peer.OverlaysAskedAt is { } asked && Now - asked < Host.Options.SimilarityInterval) return;
        peer.OverlaysAskedAt = Now;
        AskOverlays(peer);
    }

    /// <inheritdoc/>
    protected internal override void OnIntroduced(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        // Once in a while: py-ipv8 asks at every response, which a well-known node would pay for.
        AskAgain(peer);
    }

    internal override bool OldStyleOnly => true;

    internal override bool IsAlwaysPlain => true;

    /// <summary>
    /// An introduction-request of 2014 has 'Y' and 20 bytes, or 'N', before its fields. py-ipv8 reads every request of 21 or
    /// more extra bytes that way; we only those that begin so and have just that length.
    /// </summary>
    internal static ReadOnlySpan<byte> WithoutHistory(ReadOnlySpan<byte> fields) => fields switch
    {
        [(byte)'Y', ..] when fields.Length == HistoricIdBytes + RequestBytes => fields[HistoricIdBytes..],
        [(byte)'N', ..] when fields.Length == 1 + RequestBytes => fields[1..],
        _ => fields,
    };

    private void Answer(Peer peer, SimilarityRequest request)
    {
        Learn(peer, request.Overlays);
        Send(peer, new SimilarityResponse(request.Identifier, OwnOverlays()));
    }

    private void Learn(Peer peer, CommunityId[] overlays)
    {
        Span<CommunityId> named = stackalloc CommunityId[OverlayLimits.CommunitiesPerPeerMax];
        var count = 1;
        named[0] = Id;
        foreach (var overlay in overlays)
            if (count < named.Length && !named[..count].Contains(overlay)) named[count++] = overlay;
        Book.SetCommunities(peer, named[..count]);
        // A long list may be cut off: what it does not name says nothing then.
        peer.HasListedOverlays = overlays.Length < Host.Options.OverlaysListedMax;
        if (peer.HasListedOverlays)
            foreach (var community in Host.Joined)
                if (community.Contains(peer) && !peer.IsIn(community.CommunityId)) community.RemovePeer(peer);
        if (!peer.IsValidated) return;
        // A list that was checked just now: whoever shares an overlay with us is asked there, once until it answers.
        foreach (var community in Host.Joined)
            if (community != this && community.Walks && community.Peers.Count < Host.Options.PeersWanted && !community.Contains(peer) && peer.IsIn(community.CommunityId)
                && community.Introductions.Candidates.Find(peer.Address) is null or { TriedAt: null })
                community.Introductions.WalkTo(peer.Address);
    }

    private void Receive(Endpoint from, Pong pong)
    {
        if (!_pings.TryClose(pong.Identifier, from, Now, out var roundTrip)) Host.Counters.Count(Refusal.Unasked);
        else if (Book.FindAt(from) is { } peer) Host.Answered(peer, from, roundTrip);
    }

    private CommunityId[] OwnOverlays()
    {
        var count = Math.Min(Host.Communities.Count, Host.Options.OverlaysListedMax - 1);
        var announces = Host.Options.Sessions.Enabled;
        var ids = new CommunityId[announces ? count + 1 : count];
        for (var i = 0; i < count; i++) ids[i] = Host.Communities[i].CommunityId;
        if (announces) ids[count] = Extension;
        return ids;
    }
}
