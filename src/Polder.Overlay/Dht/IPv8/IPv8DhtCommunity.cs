using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Packets;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>
/// IPv8's own DHT as py-ipv8 and Tribler run it (DHTDiscoveryCommunity): values of at most 170 bytes, and peers by their mid. Plain
/// packets, so that plain peers are found; anybody's values, so nothing found here is believed beyond its signature.
/// </summary>
public sealed class IPv8DhtCommunity : Community
{
    private readonly IPv8DhtOptions _options;
    private readonly IPv8DhtSide _four, _six;
    private readonly TurningSecret<DhtToken> _secrets;
    private readonly QueryRates _in = new(), _out = new();
    private readonly StoredPeers _stored;
    private readonly List<RoutingNode> _storers = [];
    private TimeSpan _storersDue, _bucketsDue, _valuesDue;

    /// <summary>The 20 bytes that its packets begin with.</summary>
    public static CommunityId Id { get; } = CommunityId.FromHex("8d0be1845d74d175f178197cad001591d04d73cc");

    /// <summary>Joins IPv8's DHT, with the caps of <see cref="OverlayOptions.IPv8Dht"/>.</summary>
    public IPv8DhtCommunity(CommunityContext context) : base(Id, context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _options = context.Options.IPv8Dht;
        (_four, _six) = (new IPv8DhtSide(context.Host, _options, isIPv4: true), new IPv8DhtSide(context.Host, _options, isIPv4: false));
        _secrets = new TurningSecret<DhtToken>(Environment.Random, TokenSecrets.SecretBytes, TokenSecrets.Tag);
        _stored = new StoredPeers(_options.StoredPeersMax);
        On<PingRequest>(OnPing);
        On<FindRequest>(OnFind);
        On<StoreRequest>(OnStore);
        On<StorePeerRequest>(OnStorePeer);
        On<ConnectPeerRequest>(OnConnectPeer);
        Every(TimeSpan.FromSeconds(5), MaintainAsync);
    }

    /// <summary>Nodes in the tables of both address classes.</summary>
    public int NodesKnown => _four.Table.Count + _six.Table.Count;

    /// <summary>Values held for others and for ourselves.</summary>
    public int ValuesHeld => _four.Values.Count + _six.Values.Count;

    /// <summary>Bytes of these values.</summary>
    public long BytesHeld => _four.Values.BytesHeld + _six.Values.BytesHeld;

    /// <summary>Peers whose address we remember for others.</summary>
    public int PeersHeld => _stored.Count;

    /// <summary>Nodes that remember our address.</summary>
    public int Storers => _storers.Count;

    /// <summary>
    /// What is stored under a key: the newest value of each signer, and unsigned ones, in the order in which nodes gave them. Empty
    /// when there is nothing or nobody. Throws only when the community is left.
    /// </summary>
    public async Task<IReadOnlyList<DhtValue>> GetAsync(DhtId key)
    {
        var found = new List<DhtValue>();
        foreach (var side in Sides())
        {
            var crawl = await CrawlAsync(side, key, forceNodes: false);
            var values = crawl.MergedValues();
            foreach (var bytes in values)
                if (DhtValue.TryRead(bytes, Environment.Signatures, out var value)) AddNewest(found, value);
            // The nearest that had none keeps a copy, so that the next search ends earlier.
            if (values.Count > 0 && crawl.Answerers().Find(static node => node.Values.Length == 0) is { } candidate)
                _ = StoreAtAsync(side, key, [.. values.Take(IPv8DhtLimits.ValuesMax)], [candidate]);
            foreach (var bytes in side.Values.Get(key, Now))
                if (DhtValue.TryRead(bytes, Environment.Signatures, out var own)) AddNewest(found, own);
        }
        return found;
    }

    /// <summary>
    /// Stores data under a key for an hour at most, at up to 8 nodes; gives how many confirmed. Signed data has at most 23 bytes,
    /// unsigned 169; more throws <see cref="ArgumentException"/>. Throws <see cref="OperationCanceledException"/> when the community is left.
    /// </summary>
    public Task<int> PutAsync(DhtId key, ReadOnlyMemory<byte> data, bool sign)
    {
        var value = sign
            ? DhtValue.Write(data.Span, unchecked((uint)Environment.Time.GetUtcNow().ToUnixTimeSeconds()), Identity, Environment.Signatures)
            : DhtValue.Write(data.Span);
        if (value.Length > IPv8DhtLimits.ValueBytesMax)
            throw new ArgumentException($"A value of IPv8's DHT has at most {IPv8DhtLimits.ValueBytesMax} bytes; this one has {value.Length}.", nameof(data));
        return PutRawAsync(key, value);
    }

    /// <summary>
    /// Where a peer is, by its mid; those that remember it open its NAT for us. Each node's address can be walked to at once. Empty
    /// when nobody knows.
    /// </summary>
    public async Task<IReadOnlyList<(PublicKey Key, Endpoint Address)>> ConnectPeerAsync(PeerId mid)
    {
        var key = DhtId.Of(mid);
        if (_stored.Find(key) is { } here) return [(here.Key, here.Address)];
        var found = new List<(PublicKey, Endpoint)>();
        foreach (var side in Sides())
        {
            var crawl = await CrawlAsync(side, key, forceNodes: true);
            var asked = crawl.Answerers().Take(IPv8DhtLimits.TargetNodes).Select(async node =>
                await AskAsync<ConnectPeerRequest, ConnectPeerResponse>(node.Node.Key, node.Node.Address,
                    id => new ConnectPeerRequest(id, LanFor(side), key), IPv8DhtLimits.RequestTime)).ToList();
            foreach (var answer in await Task.WhenAll(asked))
                if (answer is { } response)
                    foreach (var node in response.Nodes)
                        // Whoever answers can say anything; only the owner of the mid is what was asked for.
                        if (node.Key.Id == mid && node.Address.IsSendable && !found.Contains((node.Key, node.Address))) found.Add((node.Key, node.Address));
        }
        return found;
    }

    /// <inheritdoc/>
    protected internal override void OnIntroduced(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (SideOf(peer.Address) is { } side) Discover(side, peer.Key, peer.Address);
    }

    private IEnumerable<IPv8DhtSide> Sides() => ((IPv8DhtSide[])[_four, _six]).Where(static side => side.Table.Count > 0);

    private IPv8DhtSide? SideOf(Endpoint address)
    {
        var side = address.IsIPv4 ? _four : _six;
        return side.IsPlaced(Now) ? side : null;
    }

    private Endpoint LanFor(IPv8DhtSide side) => side.IsIPv4 == Host.Own.Lan.IsIPv4 ? Host.Own.Lan : side.IsIPv4 ? Endpoint.None : Host.Own.Lan;

    private async Task<int> PutRawAsync(DhtId key, byte[] value)
    {
        var stored = 0;
        foreach (var side in Sides())
        {
            var nodes = (await CrawlAsync(side, key, forceNodes: true)).Answerers();
            if (nodes.Count > IPv8DhtLimits.TargetNodes) nodes.RemoveRange(IPv8DhtLimits.TargetNodes, nodes.Count - IPv8DhtLimits.TargetNodes);
            // We are one of those who should have it.
            if (nodes.Count < IPv8DhtLimits.TargetNodes || side.Table.Own.DistanceTo(key) < nodes[^1].Id.DistanceTo(key))
                side.Keep(key, value, IPv8DhtLimits.ValueLife, null, default);
            stored += await StoreAtAsync(side, key, [value], nodes);
        }
        return stored;
    }

    private async Task<int> StoreAtAsync(IPv8DhtSide side, DhtId key, byte[][] values, IReadOnlyList<CrawlNode> nodes)
    {
        var asked = nodes.Where(static node => node.Token is not null).Select(async node =>
        {
            var answer = await AskAsync<StoreRequest, StoreResponse>(node.Node.Key, node.Node.Address,
                id => new StoreRequest(id, node.Token!.Value, key, values), IPv8DhtLimits.RequestTime);
            side.Note(node.Node, Now, answer is not null);
            return answer is not null ? 1 : 0;
        }).ToList();
        return (await Task.WhenAll(asked)).Sum();
    }

    private async Task<Crawl> CrawlAsync(IPv8DhtSide side, DhtId key, bool forceNodes)
    {
        var crawl = new Crawl(key, side.Table.Closest(key, Now), Identity.Public, forceNodes);
        var running = new List<Task>();
        while (true)
        {
            while (running.Count < IPv8DhtLimits.CrawlParallel && crawl.Take() is { } next) running.Add(ContactAsync(side, crawl, next));
            if (running.Count == 0) return crawl;
            var done = await Task.WhenAny(running);
            running.Remove(done);
            await done;
        }
    }

    private async Task ContactAsync(IPv8DhtSide side, Crawl crawl, CrawlNode node)
    {
        // A search for its own id makes the puncturer open its NAT for us.
        if (node.Puncturer is { } helper)
            await AskAsync<FindRequest, FindResponse>(helper.Node.Key, helper.Node.Address,
                id => new FindRequest(id, LanFor(side), node.Id, 0, crawl.ForceNodes), IPv8DhtLimits.FindTime);
        var began = Now;
        var answer = await AskAsync<FindRequest, FindResponse>(node.Node.Key, node.Node.Address,
            id => new FindRequest(id, LanFor(side), crawl.Target, 0, crawl.ForceNodes), IPv8DhtLimits.FindTime);
        if (answer is not { } response)
        {
            side.Note(node.Node, Now, answered: false);
            return;
        }
        if (side.Add(node.Node.Key, node.Node.Address, Now) is { } known) known.Answered(Now, Now - began);
        crawl.Answered(node, response);
    }

    /// <summary>Asks a node that may be nobody's peer yet, at most ten times in five seconds.</summary>
    private async Task<TReply?> AskAsync<TRequest, TReply>(PublicKey key, Endpoint address, Func<ushort, TRequest> make, TimeSpan timeout)
        where TRequest : struct, Wire.IMessage<TRequest>
        where TReply : struct, Wire.IMessage<TReply>, Wire.ICorrelated
    {
        while (!_out.TryTake(key, Now)) await Task.Delay(_out.Left(Now), Environment.Time, Leaving);
        return await AskAtAsync<TRequest, TReply>(key, address, make, timeout);
    }

    private static void AddNewest(List<DhtValue> found, DhtValue value)
    {
        var at = found.FindIndex(other => value.Signer is null
            ? other.Signer is null && other.Data.Span.SequenceEqual(value.Data.Span) : other.Signer == value.Signer);
        if (at < 0) found.Add(value);
        else if (value.Version > found[at].Version) found[at] = value;
    }

    // ---- Answers ----

    /// <summary>The asker's place in our table, or null when it asks too much.</summary>
    private bool Admits(Peer peer, out IPv8DhtSide? side)
    {
        side = SideOf(peer.Address);
        if (!_in.TryTake(peer.Key, Now))
        {
            Host.Counters.Count(Refusal.PeerRate);
            return false;
        }
        if (side?.Add(peer.Key, peer.Address, Now) is { } node)
        {
            var isNew = node.LastQuery is null && node.LastResponse is null;
            node.LastQuery = Now;
            if (isNew) Ping(side, node);
        }
        return true;
    }

    private void OnPing(Peer peer, PingRequest request)
    {
        if (!Admits(peer, out _)) return;
        _stored.Heard(peer.Key, Now);
        Send(peer, new PingResponse(request.Nonce));
    }

    private void OnFind(Peer peer, FindRequest request)
    {
        if (!Admits(peer, out var side)) return;
        var token = _secrets.Give(peer.Key, peer.Address, Now);
        // An asker that has not shown that it lives there gets at most three times its own bytes (OV-4.1).
        var isProved = Book.IsValidated(peer.Address) || side?.IsProved(peer.Key, peer.Address, Now) == true;
        byte[][] values = side is null || request.ForceNodes ? [] : side.Values.Get(request.Target, Now, request.Offset, isProved ? IPv8DhtLimits.ValuesMax : 2);
        NodeAddress[] nodes = [];
        if (values.Length == 0 && side is not null)
        {
            var closest = side.Table.Closest(request.Target, Now, isProved ? IPv8DhtLimits.NodesMax : 4, DhtId.OfNode(peer.Address, peer.Key.Id));
            nodes = [.. closest.Select(static node => new NodeAddress(node.Address, node.Key))];
            if (closest.Count > 0) AskToPuncture(closest[0].Address, request.Lan, peer.Address, unchecked((ushort)request.Nonce));
        }
        Reply(peer, new FindResponse(request.Nonce, token, values, nodes), isProved);
    }

    private void OnStore(Peer peer, StoreRequest request)
    {
        if (!Admits(peer, out var side) || side is null) return;
        if (Array.Exists(request.Values, static value => value.Length is 0 or > IPv8DhtLimits.ValueBytesMax)
            || !_secrets.IsGood(request.Token, peer.Key, peer.Address, Now))
        {
            Host.Counters.Count(Refusal.Unasked);
            return;
        }
        var closer = 0;
        var ours = side.Table.Own.DistanceTo(request.Target);
        foreach (var node in side.Table.Closest(request.Target, Now, IPv8DhtLimits.CloserLookedAt))
            if (node.Id.DistanceTo(request.Target) < ours) closer++;
        var life = IPv8DhtLimits.ValueLife / (1L << Math.Max(0, closer - IPv8DhtLimits.TargetNodes + 1));
        var network = peer.Address.Network(Host.Options.NarrowPrefixIPv4, Host.Options.NarrowPrefixIPv6);
        foreach (var value in request.Values) side.Keep(request.Target, value, life, peer.Key, network);
        Send(peer, new StoreResponse(request.Nonce));
    }

    private void OnStorePeer(Peer peer, StorePeerRequest request)
    {
        if (!Admits(peer, out _)) return;
        if (request.Target != DhtId.Of(peer.Key.Id) || !_secrets.IsGood(request.Token, peer.Key, peer.Address, Now)) return;
        if (_stored.Put(request.Target, peer.Key, peer.Address, Now)) Send(peer, new StorePeerResponse(request.Nonce));
    }

    private void OnConnectPeer(Peer peer, ConnectPeerRequest request)
    {
        if (!Admits(peer, out _)) return;
        NodeAddress[] nodes = [];
        if (_stored.Find(request.Target) is { } node)
        {
            AskToPuncture(node.Address, request.Lan, peer.Address, unchecked((ushort)request.Nonce));
            nodes = [new NodeAddress(node.Address, node.Key)];
        }
        Send(peer, new ConnectPeerResponse(request.Nonce, nodes));
    }

    private void AskToPuncture(Endpoint helper, Endpoint lan, Endpoint wan, ushort identifier)
    {
        if (!lan.IsSendable) lan = wan;
        Span<byte> buffer = stackalloc byte[128];
        var time = Host.NextGlobalTime();
        var request = new PunctureRequest(lan, wan, identifier);
        var length = lan.IsIPv4 && wan.IsIPv4
            ? Packet.WriteUnsigned(buffer, Id, MessageForm.GlobalTime, time, request)
            : Packet.WriteUnsigned(buffer, Id, MessageForm.GlobalTime, time, new NewPunctureRequest(request));
        Host.Transmit(helper, buffer[..length], ours: true);
    }

    private void Reply<T>(Peer peer, T message, bool isProved) where T : struct, Wire.IMessage<T>
    {
        if (isProved) SendAt(peer.Key, peer.Address, message);
        else Send(peer, message);
    }

    // ---- Upkeep ----

    private void Discover(IPv8DhtSide side, PublicKey key, Endpoint address)
    {
        if (side.Add(key, address, Now) is { LastResponse: null, PingedAt: null } node) Ping(side, node);
    }

    private void Ping(IPv8DhtSide side, RoutingNode node)
    {
        node.PingedAt = Now;
        _ = PingAsync(side, node);
    }

    private async Task PingAsync(IPv8DhtSide side, RoutingNode node)
    {
        try
        {
            if (!_out.TryTake(node.Key, Now)) return;
            var began = Now;
            var answer = await AskAtAsync<PingRequest, PingResponse>(node.Key, node.Address, static id => new PingRequest(id), IPv8DhtLimits.RequestTime);
            // One that remembers us is another object than the one in the table.
            var known = side.Table.Find(node.Id);
            foreach (var one in known is null || known == node ? (RoutingNode[])[node] : [node, known])
                if (answer is null) one.Failures++;
                else one.Answered(Now, Now - began);
        }
        catch (OperationCanceledException) { /* The community is left. */ }
    }

    private async Task MaintainAsync()
    {
        var now = Now;
        foreach (var side in (IPv8DhtSide[])[_four, _six])
        {
            if (!side.IsPlaced(now)) continue;
            side.Table.RemoveBad(now, static _ => { });
            if (!_options.PingsNodes) continue;
            foreach (var node in side.Table.All.ToList())
                if (now - (node.PingedAt ?? TimeSpan.MinValue / 2) >= IPv8DhtLimits.PingInterval) Ping(side, node);
        }
        foreach (var storer in _storers.ToArray())
        {
            if (storer.StateAt(now) == NodeState.Bad) _storers.Remove(storer);
            else if (SideOf(storer.Address) is { } side && now - storer.PingedAt >= IPv8DhtLimits.PingInterval) Ping(side, storer);
        }
        _stored.RemoveSilent(now);
        if (now >= _valuesDue)
        {
            _valuesDue = now + TimeSpan.FromMinutes(5);
            _four.Values.RemoveExpired(now);
            _six.Values.RemoveExpired(now);
        }
        if (now >= _bucketsDue)
        {
            _bucketsDue = now + TimeSpan.FromSeconds(60);
            foreach (var side in Sides())
                foreach (var bucket in side.Table.Buckets.Where(bucket => now - bucket.ChangedAt > IPv8DhtLimits.GoodFor).ToList())
                {
                    bucket.ChangedAt = now;
                    await CrawlAsync(side, DhtId.Random(Environment.Random, bucket.Prefix, bucket.Bits), forceNodes: true);
                }
        }
        if (_options.StoresItself && now >= _storersDue && _storers.Count < IPv8DhtLimits.StorersWanted)
        {
            // Alone there is nobody to ask; with the first node it is worth doing at once.
            _storersDue = now + TimeSpan.FromSeconds(NodesKnown == 0 ? 1 : 30);
            await StoreOurselvesAsync();
        }
    }

    private async Task StoreOurselvesAsync()
    {
        var key = DhtId.Of(Identity.Public.Id);
        foreach (var side in Sides())
        {
            var crawl = await CrawlAsync(side, key, forceNodes: true);
            var asked = crawl.Answerers().Take(IPv8DhtLimits.TargetNodes)
                .Where(node => !_storers.Exists(storer => storer.Key == node.Node.Key)).Select(async node =>
            {
                var began = Now;
                var answer = await AskAsync<StorePeerRequest, StorePeerResponse>(node.Node.Key, node.Node.Address,
                    id => new StorePeerRequest(id, node.Token!.Value, key), IPv8DhtLimits.RequestTime);
                if (answer is null) return;
                var storer = new RoutingNode(node.Node.Key, node.Node.Address) { PingedAt = Now };
                storer.Answered(Now, Now - began);
                if (!_storers.Exists(other => other.Key == storer.Key)) _storers.Add(storer);
            }).ToList();
            await Task.WhenAll(asked);
        }
    }
}
