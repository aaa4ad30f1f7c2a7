using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Wire;

namespace Polder.Overlay.Sessions;

/// <summary>Takes one frame of a session. False: malformed, which no honest peer sends. The span is valid only during the call.</summary>
public delegate bool FrameHandler(Session session, ReadOnlySpan<byte> body);

/// <summary>All secure sessions of a node (specification §3; docs/wire/session.md). Used on its loop.</summary>
public sealed class SessionTable
{
    private const uint GenerationMask = 0xFF;

    private readonly Dictionary<PublicKey, Session> _byKey = new(PublicKey.Comparer);
    private readonly Dictionary<uint, object> _byIndex = [];
    private readonly List<Session> _all = [];
    private readonly StickyKeys _sticky;
    private FrameHandler?[] _handlers = [];
    private ITimer? _timer;
    private TimeSpan _due = TimeSpan.MaxValue;
    private TimeSpan _plannedInWork = TimeSpan.MaxValue;
    private bool _stopped, _working;

    internal SessionTable(NodeHost host)
    {
        (Host, Options) = (host, host.Options.Sessions);
        _sticky = new StickyKeys(host, Options);
    }

    /// <summary>A session opened.</summary>
    public event Action<Session>? Opened;

    /// <summary>A session ended: closed, given up, or replaced because the peer started again.</summary>
    public event Action<Session>? Closed;

    /// <summary>A session moved; the second is the path before.</summary>
    public event Action<Session, SessionPath>? Moved;

    /// <summary>The sessions that are open. Copy it before doing something that may open or close one.</summary>
    public IReadOnlyList<Session> All => _all;

    /// <summary>The open session with that peer, or null.</summary>
    public Session? Find(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return _byKey.GetValueOrDefault(peer.Key);
    }

    /// <summary>The open session with that key, or null.</summary>
    public Session? Find(PublicKey key) => _byKey.GetValueOrDefault(key);

    /// <summary>
    /// Makes a handshake on that path. Gives the session that is open already, if there is one; null when nobody answered there or
    /// the peer has no sessions. Cancelling gives null to this asker only.
    /// </summary>
    public Task<Session?> OpenAsync(PublicKey key, SessionPath path, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(path);
        if (Find(key) is { } open) return Task.FromResult<Session?>(open);
        return OpenAsync(key, path, guarded: false, cancel);
    }

    /// <summary>Makes a handshake with whoever is at that path (Noise XX, after a cookie); null when nobody answered.</summary>
    public Task<Session?> OpenUnknownAsync(SessionPath path, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        return OpenAsync(null, path, guarded: false, cancel);
    }

    /// <summary>
    /// Takes a datagram of a session or handshake that came on <paramref name="via"/>. The node does it for its own socket; relays and
    /// further sockets do it for theirs.
    /// </summary>
    public void Receive(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        ArgumentNullException.ThrowIfNull(via);
        try { Receive(via, via.Remote, datagram); }
        // As in the node's dispatcher: an exception in a handler is our bug, and one datagram must not stop the node.
        catch (Exception problem) { Host.Fault(problem, via.ToString(), datagram); }
    }

    /// <summary>Handles frames of one type. A second handler for a type throws.</summary>
    public void OnFrame(FrameType type, FrameHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if ((int)type >= _handlers.Length) Array.Resize(ref _handlers, (int)type + 1);
        if (type <= FrameType.MessageBound || _handlers[(int)type] is not null) throw new InvalidOperationException($"Frame type {type} is taken already.");
        _handlers[(int)type] = handler;
    }

    /// <summary>Whether this key had a session with us within 30 days: plain application messages from it are refused.</summary>
    public bool IsSticky(PublicKey key) => _sticky.IsSticky(key);

    /// <summary>What we know of this key.</summary>
    public SessionState StateOf(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (_byKey.ContainsKey(key)) return SessionState.Open;
        if (_handshakes?.IsOpening(key) == true) return SessionState.Opening;
        if (IsSticky(key)) return SessionState.Full;
        if (_sticky.IsPlain(key)) return SessionState.Plain;
        return Host.Peers.Find(key) is { IsPolder: true } ? SessionState.Full : SessionState.Unknown;
    }

    internal NodeHost Host { get; }
    internal SessionOptions Options { get; }
    internal ISessionCrypto Crypto => Host.Environment.Ciphers;
    internal int HalfOpen => (_handshakes?.Count ?? 0) + (_responder?.Count ?? 0);

    // Made when first needed: most nodes of a big world have few sessions.
    private Handshakes? _handshakes;
    private Responder? _responder;
    internal Handshakes Handshakes => _handshakes ??= new Handshakes(Host, this);
    internal Responder Responder => _responder ??= new Responder(Host, this, Handshakes);
    internal SessionMessages Messages => field ??= new SessionMessages(this);
    internal PathMtu Mtu => field ??= new PathMtu(this);

    internal void Start() => _sticky.Load();

    internal void Stop()
    {
        if (_stopped) return;
        foreach (var session in _all.ToArray()) session.Close();
        _stopped = true;
        _handshakes?.Stop();
        _responder?.Stop();
        _sticky.Save();
        _timer?.Dispose();
    }

    internal void Save() => _sticky.Save();

    /// <summary>An interface came or went: every path may be dead, and every peer has to learn where we are now (OV-3.15).</summary>
    internal void NetworkChanged()
    {
        const int AtOnce = 16, PerSecond = 50;
        if (_all.Count == 0) return;
        var sessions = _all.ToList();
        sessions.Sort(static (a, b) => a.Peer.IsNeighbour != b.Peer.IsNeighbour ? b.Peer.IsNeighbour.CompareTo(a.Peer.IsNeighbour)
            : a.LastIn != b.LastIn ? b.LastIn.CompareTo(a.LastIn) : a.LocalIndex.CompareTo(b.LocalIndex));
        for (var i = 0; i < sessions.Count; i++)
        {
            sessions[i].IsSuspect = true;
            if (i < AtOnce) sessions[i].Ping();
        }
        if (sessions.Count <= AtOnce) return;
        var (next, timer) = (AtOnce, (ITimer?)null);
        var interval = TimeSpan.FromSeconds(1.0 / PerSecond);
        timer = Host.Environment.Time.CreateTimer(_ =>
        {
            if (next < sessions.Count && sessions[next].IsOpen && sessions[next].IsSuspect) sessions[next].Ping();
            if (++next >= sessions.Count) timer?.Dispose();
        }, null, interval, interval);
    }

    internal bool Refuse(Refusal refusal)
    {
        Host.Counters.Count(refusal);
        return false;
    }

    // ---- Indexes: 24 random bits name a session at its side, the lowest 8 count its keys ----

    internal static bool IsSame(uint first, uint second) => (first | GenerationMask) == (second | GenerationMask);

    internal uint NewIndex()
    {
        while (true)
        {
            var index = unchecked((uint)Host.Environment.Random.NextUInt64()) & ~GenerationMask;
            // 0 means none; and a name that is in use in any generation is not given again.
            if (index == 0) continue;
            var isFree = true;
            for (uint generation = 0; isFree && generation <= GenerationMask; generation++) isFree = !_byIndex.ContainsKey(index | generation);
            if (isFree) return index;
        }
    }

    internal uint NextIndex(uint index)
    {
        var next = index;
        do next = (next & ~GenerationMask) | (unchecked(next + 1) & GenerationMask);
        while (_byIndex.ContainsKey(next) && next != index);
        return next;
    }

    internal object? FindIndex(uint index) => _byIndex.GetValueOrDefault(index);
    internal void UseIndex(uint index, object owner) => _byIndex[index] = owner;
    internal void FreeIndex(uint index) => _byIndex.Remove(index);

    // ---- Sessions come and go ----

    /// <summary>A handshake is done: the session goes on with new keys, or a new one opens.</summary>
    internal Session Install(
        PublicKey key, SessionPath via, Session? continues, HandshakeFacts facts, ReadOnlySpan<byte> sending, ReadOnlySpan<byte> receiving,
        uint local, uint remote, uint epoch, bool byUs)
    {
        var now = Host.Now;
        var session = Find(key);
        var goesOn = continues is not null && facts.Continues;
        // We said that it goes on, and then it ended: the other side has to learn that.
        var isBroken = goesOn && session != continues;
        if (!goesOn || isBroken)
        {
            if (session is not null) Remove(session);
            if (_all.Count >= Options.SessionsMax) Evict();
            var peer = Host.Peers.Find(key) ?? Host.Peers.GetOrAdd(new Peer(key, via.Kind == PathKind.Direct ? via.Remote : Endpoint.None));
            session = new Session(this, peer, via, isInitiator: byUs) { TableIndex = _all.Count };
            _all.Add(session);
            _byKey[key] = session;
            peer.HasSession = true;
        }
        session!.Install(sending, receiving, local, remote, epoch, facts.Flags, byUs, now);
        _byIndex[local] = session;
        session.SeenAs = facts.Seen ?? session.SeenAs;
        if (byUs && !session.Path.Equals(via)) Move(session, via);
        Prove(session);
        _sticky.Stick(key);
        Schedule(now + Options.IdleAfter);
        Host.Counters.Handshakes++;
        if (isBroken)
        {
            session.Close();
            return session;
        }
        if (goesOn)
        {
            if (byUs) session.Ping();
            return session;
        }
        if (session.SeenAs is { } seen && via.Kind == PathKind.Direct) Host.Own.Heard(via.Remote, seen);
        if (byUs) SendAddresses(session);
        Opened?.Invoke(session);
        // The first packet under the new keys is what the other side waits for.
        Messages.Release(key, session, plain: false);
        if (byUs && session.IsOpen) session.Ping();
        return session;
    }

    /// <summary>Takes a session off the table; what it knew is overwritten.</summary>
    internal void Remove(Session session)
    {
        if (!session.IsOpen) return;
        session.End();
        FreeIndex(session.LocalIndex);
        if (session.OldIndex != 0) FreeIndex(session.OldIndex);
        var last = _all[^1];
        (_all[session.TableIndex], last.TableIndex) = (last, session.TableIndex);
        _all.RemoveAt(_all.Count - 1);
        if (_byKey.GetValueOrDefault(session.Peer.Key) == session) _byKey.Remove(session.Peer.Key);
        session.Peer.HasSession = false;
        Messages.Forget(session);
        Closed?.Invoke(session);
    }

    internal void Rekey(Session session)
    {
        if (_stopped || _handshakes?.Find(session.Peer.Key) is not null) return;
        Handshakes.Begin(session.Peer.Key, session.Path, session, guarded: false);
    }

    /// <summary>So many initiations without an answer: a key that never had sessions is plain for a while (OV-3.3).</summary>
    internal void Unanswered(PublicKey key)
    {
        if (IsSticky(key) || _byKey.ContainsKey(key)) return;
        _sticky.MarkPlain(key);
        Messages.Release(key, null, plain: true);
    }

    internal void GivenUp(Initiation initiation)
    {
        if (initiation.Key is not { } key || _handshakes!.Find(key) is not null) return;
        if (Find(key) is { } session)
        {
            // Not a word since we began: the peer is gone.
            if (initiation.Continues == session && session.LastIn < initiation.BeganAt) Remove(session);
            return;
        }
        Messages.Release(key, null, plain: false);
    }

    internal void HasMoved(Session session, SessionPath before)
    {
        Host.Counters.SessionMoves++;
        Prove(session);
        session.SeenAs = null;
        SendObserved(session);
        Moved?.Invoke(session, before);
    }

    internal void Forgotten(Peer peer)
    {
        if (Find(peer.Key) is { } session) session.Close();
    }

    // ---- Messages of communities ----

    /// <summary>Whether messages to this peer go in a session, open or to be opened.</summary>
    internal bool Carries(Community community, Peer peer)
    {
        // What is for sessions only is never said plainly: without one it is dropped.
        if (community.InSessionsOnly) return true;
        if (!Options.Enabled || community.IsAlwaysPlain || _stopped) return false;
        if (_byKey.ContainsKey(peer.Key)) return true;
        if (_sticky.IsSticky(peer.Key)) return true;
        return peer.IsPolder && !_sticky.IsPlain(peer.Key);
    }

    /// <summary>Sends fields of a message in the session with the peer, or keeps them until it opens.</summary>
    internal void Carry(Community community, Peer peer, byte number, MessageForm form, ReadOnlySpan<byte> fields)
    {
        if (Find(peer) is { } session)
        {
            if (!SessionMessages.Send(session, community.CommunityId, number, fields)) Host.Counters.Count(Refusal.NoSession);
            return;
        }
        if (!Options.Enabled || _stopped || (_sticky.IsPlain(peer.Key) && !_sticky.IsSticky(peer.Key)))
        {
            Host.Counters.Count(Refusal.NoSession);
            return;
        }
        if (!Messages.Keep(peer.Key, community, number, form, fields) || Handshakes.IsOpening(peer.Key)) return;
        if (!peer.Address.IsSendable || Handshakes.Begin(peer.Key, new DirectPath(Host, peer.Address), null, guarded: !Host.Peers.IsValidated(peer, peer.Address)) is null)
            Messages.Release(peer.Key, null, plain: false);
    }

    /// <summary>A plain message of a key that had a session: refused, and answered by a handshake, for its owner may have lost its memory (OV-3.2).</summary>
    internal bool RefusesPlain(Community community, Peer peer, Endpoint from)
    {
        if (!Options.Enabled || community.IsAlwaysPlain) return false;
        if (community.InSessionsOnly)
        {
            Host.Counters.Count(Refusal.SessionsOnly);
            return true;
        }
        if (!_sticky.IsSticky(peer.Key)) return false;
        Host.Counters.Count(Refusal.PlainFromSticky);
        Reopen(peer, from);
        return true;
    }

    // ---- Receiving ----

    internal void Receive(Endpoint from, ReadOnlySpan<byte> datagram) => Receive(null, from, datagram);

    private void Receive(SessionPath? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!Options.Enabled || _stopped) Refuse(Refusal.NoSession);
        else if (datagram.Length > 0 && datagram[0] == DataPacket.FirstByte) ReceiveData(via, from, datagram);
        else if (Packet.HasHeader(datagram) && Packet.CommunityOf(datagram) == DiscoveryCommunity.Extension) ReceiveHandshake(via ?? new DirectPath(Host, from), datagram);
        else Refuse(Refusal.NotIPv8);
    }

    private void ReceiveHandshake(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        var number = Packet.NumberOf(datagram);
        if (HandshakeWire.BytesOf(number) is var bytes && bytes != datagram.Length)
        {
            if (bytes == 0) Refuse(Refusal.UnknownMessage);
            else Host.Counters.Count(datagram.Length < bytes ? WireError.Truncated : WireError.TrailingBytes);
            return;
        }
        switch (number)
        {
            case HandshakeWire.Initiation or HandshakeWire.OpenInitiation: Responder.Receive(via, datagram); break;
            case HandshakeWire.Response or HandshakeWire.OpenResponse: Handshakes.Receive(via, datagram); break;
            case HandshakeWire.OpenFinish: Responder.ReceiveFinish(via, datagram); break;
            case HandshakeWire.Cookie: Handshakes.ReceiveCookie(via, datagram); break;
        }
    }

    private void ReceiveData(SessionPath? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < DataPacket.OverheadBytes + DataPacket.PaddingBytes || (datagram.Length - DataPacket.OverheadBytes) % DataPacket.PaddingBytes != 0)
        {
            Host.Counters.Count(WireError.Truncated);
            return;
        }
        if (!_byIndex.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(datagram[1..]), out var owner))
        {
            Refuse(Refusal.UnknownSession);
            // We may have started again and the other side does not know: a new handshake tells it, towards a peer we know to be there.
            if (via is null && Host.Peers.FindAt(from) is { } known && Host.Peers.IsValidated(known, from) && IsSticky(known.Key)) Reopen(known, from);
            return;
        }
        var session = owner as Session;
        if (session is not null && via is null && session.Path is DirectPath && session.Path.Remote == from) via = session.Path;
        else if (via is null)
        {
            // From elsewhere than where the peer is: as any stranger's, until it proves itself.
            if (!Host.Admits(from, datagram.Length)) return;
            via = session?.MovesOrNull?.PathTo(from) ?? new DirectPath(Host, from);
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
            var now = Host.Now;
            if (!session.TryOpen(datagram, text, now, out var isHighest)) return;
            session.Peer.LastIn = now;
            session.ReceivedFrom(via);
            if (session.MovesOrNull is { } moves) moves.Received(via, datagram.Length, isHighest);
            else if (!via.Equals(session.Path)) session.Moves.Received(via, datagram.Length, isHighest);
            else if (via.Kind == PathKind.Direct) Host.Peers.Refresh(session.Peer, via.Remote);
            Handle(session, text, now);
        }
        finally { PacketBuffers.Return(); }
    }

    /// <summary>The first packet under keys that waited for it: only now does anything change (OV-3.6).</summary>
    private Session? Confirm(Answered answered, ReadOnlySpan<byte> datagram, Span<byte> text)
    {
        var counter = BinaryPrimitives.ReadUInt64BigEndian(datagram[5..]);
        if (answered.Key is not { } key
            || !Crypto.TryOpen(answered.Receiving, counter, datagram[..DataPacket.HeaderBytes], datagram[DataPacket.HeaderBytes..], text))
        {
            Refuse(Refusal.BadTag);
            return null;
        }
        Span<byte> keys = stackalloc byte[64];
        answered.Sending.CopyTo(keys);
        answered.Receiving.CopyTo(keys[32..]);
        Responder.Remove(answered);
        var session = Install(
            key, answered.Path, answered.Continues, answered.Facts with { Flags = answered.Continues is null ? (byte)0 : answered.Facts.Flags },
            keys[..32], keys[32..], answered.LocalIndex, answered.RemoteIndex, answered.Epoch, byUs: false);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(keys);
        _handshakes?.Complete(key, session);
        return session.IsOpen ? session : null;
    }

    /// <summary>Handles the frames of an opened packet, one after the other.</summary>
    internal void Handle(Session session, ReadOnlySpan<byte> frames, TimeSpan now)
    {
        bool? admits = null;
        while (session.IsOpen && Frames.TryNext(ref frames, out var type, out var body, out _))
        {
            var isStream = type is >= FrameType.Stream and <= FrameType.Stream + 0xF;
            if (!isStream && !(admits ??= session.Admits(now)))
            {
                Refuse(Refusal.PeerRate);
                continue;
            }
            if (!Handle(session, type, body) && session.IsOpen) Discard(session);
        }
        // The loop ends at a broken frame as at the end; look which it was.
        if (session.IsOpen && !Frames.TryNext(ref frames, out _, out _, out var isBroken) && isBroken) Discard(session);
    }

    /// <summary>For a fuzzer: our own frames of one packet, of a session that is in no table.</summary>
    internal void HandleForTest(Session session, ReadOnlySpan<byte> frames)
    {
        while (Frames.TryNext(ref frames, out var type, out var body, out _))
            if (type <= FrameType.MessagePart && type != FrameType.Close) Handle(session, type, body);
        Messages.Forget(session);
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
                var (sentAt, now) = (BinaryPrimitives.ReadInt64BigEndian(body), Host.Now.Ticks);
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
                if (session.MovesOrNull?.Answered(challenge) != true && !Mtu.Answered(session, challenge)) Refuse(Refusal.Unasked);
                return true;
            case FrameType.Close:
                if (body.Length != 1) return false;
                Remove(session);
                return true;
            case FrameType.Message: return Messages.ReceiveMessage(session, body);
            case FrameType.MessageBind: return Messages.ReceiveBind(session, body);
            case FrameType.MessageBound: return SessionMessages.ReceiveBound(session, body);
            case FrameType.MessagePart: return Messages.ReceivePart(session, body);
            case FrameType.Addresses: return ReceiveAddresses(session, body);
            case FrameType.Observed:
                if (body.Length != Frames.AddressBytes) return false;
                if (Frames.ReadAddress(body) is not { } seen || session.SeenAs == seen) return true;
                session.SeenAs = seen;
                if (session.Path.Kind == PathKind.Direct) Host.Own.Heard(session.Path.Remote, seen);
                return true;
            default:
                if ((int)type < _handlers.Length && _handlers[(int)type] is { } handler) return handler(session, body);
                return Refuse(Refusal.UnknownFrame) || true;
        }
    }

    /// <summary>A frame that no honest peer sends, under its own key: it is set aside.</summary>
    private void Discard(Session session)
    {
        Host.Peers.Discourage(session.Peer, Violation.Malformed);
        Host.Neighbourhood.Charge(session.Peer, Neighbourhood.Misdeed.MalformedFrame);
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

    private void SendAddresses(Session session)
    {
        Span<byte> body = stackalloc byte[1 + 2 * Frames.AddressBytes];
        var (lan, wan) = (Host.Own.Lan, Host.Own.Wan);
        var count = 0;
        foreach (var address in (ReadOnlySpan<Endpoint>)[wan, lan])
            if (address.IsSendable && (count == 0 || address != wan)) Frames.WriteAddress(body[(1 + Frames.AddressBytes * count++)..], address);
        body[0] = (byte)count;
        if (count > 0) session.Send(FrameType.Addresses, body[..(1 + count * Frames.AddressBytes)]);
    }

    private static void SendObserved(Session session)
    {
        if (session.Path.Kind == PathKind.Relayed) return;
        Span<byte> body = stackalloc byte[Frames.AddressBytes];
        Frames.WriteAddress(body, session.Path.Remote);
        session.Send(FrameType.Observed, body);
    }

    private void Move(Session session, SessionPath path)
    {
        var before = session.Path;
        session.Path = path;
        session.MtuState = null;
        Moved?.Invoke(session, before);
    }

    /// <summary>Something authenticated and fresh came from the session's path: the peer is there.</summary>
    private void Prove(Session session)
    {
        session.Peer.LastIn = Host.Now;
        if (session.Path.Kind == PathKind.Direct) Host.Peers.Validate(session.Peer, session.Path.Remote);
    }

    private void Reopen(Peer peer, Endpoint at)
    {
        if (Find(peer) is not null || Handshakes.IsOpening(peer.Key) || !Host.Peers.IsValidated(peer, at)) return;
        Handshakes.Begin(peer.Key, new DirectPath(Host, at), null, guarded: false);
    }

    private void Evict()
    {
        Host.Counters.Reached(Cap.Sessions);
        // Neighbours last; then whom we chose ourselves; then by silence.
        var worst = _all[0];
        foreach (var session in _all)
            if (Rank(session) < Rank(worst)) worst = session;
        worst.Close();

        static TimeSpan Rank(Session session) =>
            session.LastIn + (session.Peer.IsNeighbour ? TimeSpan.FromDays(2) : session.IsInitiator ? TimeSpan.FromMinutes(5) : TimeSpan.Zero);
    }

    private async Task<Session?> OpenAsync(PublicKey? key, SessionPath path, bool guarded, CancellationToken cancel)
    {
        if (!Options.Enabled || _stopped || key == Host.Identity.Public) return null;
        if (Handshakes.Begin(key, path, null, guarded) is not { } initiation) return null;
        var answer = initiation.Ask();
        if (!cancel.CanBeCanceled) return await answer;
        try { return await answer.WaitAsync(cancel); }
        catch (OperationCanceledException) { return null; }
    }

    // ---- Time: one timer for everything ----

    /// <summary>There is something to do at that moment.</summary>
    internal void Schedule(TimeSpan due)
    {
        if (_working)
        {
            if (due < _plannedInWork) _plannedInWork = due;
            return;
        }
        if (due >= _due || _stopped) return;
        _due = due;
        var wait = due - Host.Now;
        if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
        if (_timer is null)
            _timer = Host.Environment.Time.CreateTimer(static self => ((SessionTable)self!).Work(), this, wait, Timeout.InfiniteTimeSpan);
        else _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Work()
    {
        if (_stopped) return;
        try
        {
            var now = Host.Now;
            (_working, _plannedInWork) = (true, TimeSpan.MaxValue);
            var next = _handshakes?.Work(now) ?? TimeSpan.MaxValue;
            if (_responder?.Work(now) is { } answered && answered < next) next = answered;
            for (var i = _all.Count - 1; i >= 0; i--)
                if (i < _all.Count && _all[i].Work(now) is var due && due < next) next = due;
            if (_plannedInWork < next) next = _plannedInWork;
            (_working, _due) = (false, TimeSpan.MaxValue);
            if (next < TimeSpan.MaxValue) Schedule(next > now ? next : now + TimeSpan.FromMilliseconds(10));
        }
        catch (Exception problem)
        {
            (_working, _due) = (false, TimeSpan.MaxValue);
            Host.Fault(problem, "sessions", default);
            Schedule(Host.Now + TimeSpan.FromSeconds(1));
        }
    }
}
