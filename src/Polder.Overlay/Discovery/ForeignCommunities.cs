using Polder.Net;
using Polder.Overlay.Packets;
using Polder.Wire;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Introduces strangers of communities that do not run here to each other, as IPv8's trackers do (OV-5.1): so every node is a
/// place to begin. Only strangers that answered a request of ours are introduced. Bounded in communities and strangers.
/// </summary>
internal sealed class ForeignCommunities(NodeHost host)
{
    private const int Sample = 8;

    private Dictionary<CommunityId, Table> Tables => field ??= [];
    private readonly List<Table> _all = [];

    private sealed class Table(CommunityId id, OpenIdentifiers asked)
    {
        public CommunityId Id { get; } = id;
        public OpenIdentifiers Asked { get; } = asked;
        public List<Stranger> Strangers { get; } = [];
        public Dictionary<Endpoint, Stranger> ByAddress { get; } = [];
        public TimeSpan UsedAt { get; set; }
        public int Index { get; set; }
    }

    private sealed class Stranger(Endpoint address)
    {
        public Endpoint Address { get; } = address;
        public Endpoint Lan { get; set; }
        public TimeSpan HeardAt { get; set; }
        public TimeSpan? ValidatedAt { get; set; }
        public bool SpeaksNewStyle { get; set; }
        public int Index { get; set; }
    }

    public int Count => _all.Count;

    public void Receive(CommunityId community, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        var number = Packet.NumberOf(datagram);
        if (!host.IntroducesForeign) host.Counters.Count(Refusal.UnknownCommunity);
        else if (number == OverlayLimits.IntroductionRequestNumber) ReceiveRequest(community, from, datagram);
        else if (number == OverlayLimits.IntroductionResponseNumber && Tables.TryGetValue(community, out var table))
            ReceiveResponse(table, from, datagram);
        else host.Counters.Count(Refusal.UnknownCommunity);
    }

    private void ReceiveRequest(CommunityId community, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!TryOpen<IntroductionRequest>(from, datagram, out var request)) return;
        var (now, own) = (host.Now, host.Own);
        var table = TableOf(community);
        table.UsedAt = now;
        var stranger = StrangerAt(table, from);
        if (stranger is null) return;
        (stranger.Lan, stranger.HeardAt) = (request.SourceLan, now);
        stranger.SpeaksNewStyle = (request.Flags & IntroductionRequest.SpeaksNewStyle) != 0;

        var (lan, wan) = (Endpoint.None, Endpoint.None);
        byte flags = 0; // Like a tracker we speak only the old style here.
        if (Pick(table, stranger) is { } other)
        {
            (lan, wan) = (other.Lan, other.Address);
            if (other.SpeaksNewStyle) flags |= IntroductionResponse.IntroducedSpeaksNewStyle;
            Span<byte> small = stackalloc byte[64];
            var puncture = new PunctureRequest(request.SourceLan.IsSendable ? request.SourceLan : request.Destination, from, request.Identifier);
            host.Transmit(other.Address, small[..Packet.WriteUnsigned(
                small, community, MessageForm.GlobalTime, host.NextGlobalTime(), puncture)], ours: true);
        }
        Send(community, from, new IntroductionResponse(from, InIPv4(own.Lan), InIPv4(own.Wan), lan, wan, flags, request.Identifier, default));
        host.Counters.IntroductionsAnswered++;
        if (IsValid(stranger)) return;
        Send(community, from, new IntroductionRequest(
            // Without "advice": we want nobody introduced, only to see who answers; so nobody takes us for a member.
            from, InIPv4(own.Lan), InIPv4(own.Wan), 0,
            table.Asked.Open(host.Environment.Random, from, now), default));
    }

    private void ReceiveResponse(Table table, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!table.ByAddress.TryGetValue(from, out var stranger))
        {
            host.Counters.Count(Refusal.Unasked);
            return;
        }
        if (!TryOpen<IntroductionResponse>(from, datagram, out var response)) return;
        if (table.Asked.TryClose(response.Identifier, from, host.Now, out _)) stranger.ValidatedAt = host.Now;
        else host.Counters.Count(Refusal.Unasked);
    }

    private bool TryOpen<T>(Endpoint from, ReadOnlySpan<byte> datagram, out T message) where T : struct, IMessage<T>
    {
        message = default;
        if (host.Reception.Open(null, from, datagram, MessageForm.GlobalTime, out var packet) is null) return false;
        var error = Packet.Read(packet.Fields, out message);
        if (error != WireError.None) host.Counters.Count(error);
        return error == WireError.None;
    }

    private Stranger? Pick(Table table, Stranger asker)
    {
        for (var i = 0; i < Sample && table.Strangers.Count > 1; i++)
        {
            var other = table.Strangers[host.Environment.Random.Next(table.Strangers.Count)];
            if (other == asker) continue;
            if (host.Now - other.HeardAt > host.Options.ForeignLifetime) Remove(table, other);
            else if (IsValid(other)) return other;
        }
        return null;
    }

    private bool IsValid(Stranger stranger) =>
        stranger.ValidatedAt is { } at && host.Now - at < host.Options.ForeignLifetime;

    private Stranger? StrangerAt(Table table, Endpoint address)
    {
        if (table.ByAddress.TryGetValue(address, out var known)) return known;
        if (!host.MayWalkTo(address)) return null;
        if (table.Strangers.Count >= host.Options.ForeignPeersMax)
        {
            host.Counters.Reached(Cap.ForeignPeers);
            var oldest = table.Strangers[host.Environment.Random.Next(table.Strangers.Count)];
            for (var i = 1; i < Sample; i++)
            {
                var other = table.Strangers[host.Environment.Random.Next(table.Strangers.Count)];
                if (other.HeardAt < oldest.HeardAt) oldest = other;
            }
            Remove(table, oldest);
        }
        var stranger = new Stranger(address) { Index = table.Strangers.Count };
        table.Strangers.Add(stranger);
        table.ByAddress.Add(address, stranger);
        return stranger;
    }

    private static void Remove(Table table, Stranger stranger)
    {
        var last = table.Strangers[^1];
        table.Strangers[stranger.Index] = last;
        last.Index = stranger.Index;
        table.Strangers.RemoveAt(table.Strangers.Count - 1);
        table.ByAddress.Remove(stranger.Address);
    }

    private Table TableOf(CommunityId community)
    {
        if (Tables.TryGetValue(community, out var known)) return known;
        if (_all.Count >= host.Options.ForeignCommunitiesMax)
        {
            host.Counters.Reached(Cap.ForeignCommunities);
            var oldest = _all[host.Environment.Random.Next(_all.Count)];
            for (var i = 1; i < Sample; i++)
            {
                var other = _all[host.Environment.Random.Next(_all.Count)];
                if (other.UsedAt < oldest.UsedAt) oldest = other;
            }
            var last = _all[^1];
            _all[oldest.Index] = last;
            last.Index = oldest.Index;
            _all.RemoveAt(_all.Count - 1);
            Tables.Remove(oldest.Id);
        }
        var table = new Table(community, new OpenIdentifiers(host.Options.IntroductionLifetime, host.Options.ForeignPeersMax, host.Counters))
        {
            Index = _all.Count,
        };
        _all.Add(table);
        Tables.Add(community, table);
        return table;
    }

    private static Endpoint InIPv4(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint : Endpoint.None;

    private void Send<T>(CommunityId community, Endpoint to, T message) where T : struct, IMessage<T>
    {
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteSigned(
            buffer, community, MessageForm.GlobalTime, host.NextGlobalTime(), message, host.Identity, host.Environment.Signatures);
        host.Transmit(to, buffer.AsSpan(0, length));
    }
}
