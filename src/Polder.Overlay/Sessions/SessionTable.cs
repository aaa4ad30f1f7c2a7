using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>Takes one frame of a session. False: malformed, which no honest peer sends. The span is valid only during the call.</summary>
public delegate bool FrameHandler(Session session, ReadOnlySpan<byte> body);

/// <summary>All secure sessions of a node (specification §3; docs/wire/session.md). Used on its loop.</summary>
public sealed class SessionTable
{
    private readonly Dictionary<PublicKey, Session> _byKey = new(PublicKey.Comparer);
    private readonly List<Session> _all = [];
    private readonly StickyKeys _sticky;
    private readonly SessionReceiver _receiver;
    private readonly SessionTimer _timer;
    private bool _stopped;
    private Action<Session>? _opened, _closed;

    internal SessionTable(NodeHost host)
    {
        (Host, Options) = (host, host.Options.Sessions);
        _sticky = new StickyKeys(host, Options);
        (Indexes, Frames, _receiver) = (new SessionIndexes(host.Environment.Random), new SessionFrames(this), new SessionReceiver(this));
        _timer = new SessionTimer(host, Work);
    }

    /// <summary>A session opened.</summary>
    public event Action<Session>? Opened
    {
        // Where sessions are off none opens or ends: in a large world that is a kilobyte a node.
        add { if (Options.Enabled) _opened += value; }
        remove => _opened -= value;
    }

    /// <summary>A session ended: closed, given up, or replaced because the peer started again.</summary>
    public event Action<Session>? Closed
    {
        add { if (Options.Enabled) _closed += value; }
        remove => _closed -= value;
    }

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
        try { Take(via, via.Remote, datagram); }
        // As in the node's dispatcher: an exception in a handler is our bug, and one datagram must not stop the node.
        catch (Exception problem) { Host.Fault(problem, via.ToString(), datagram); }
    }

    /// <summary>Handles frames of one type. A second handler for a type throws.</summary>
    public void OnFrame(FrameType type, FrameHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (Options.Enabled) Frames.On(type, handler);
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
    internal SessionIndexes Indexes { get; }
    internal SessionFrames Frames { get; }
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
        _timer.Stop();
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
            if (IsFullFor(key)) Evict();
            var peer = Host.Peers.Find(key) ?? Host.Peers.GetOrAdd(new Peer(key, via.Kind == PathKind.Direct ? via.Remote : Endpoint.None));
            session = new Session(this, peer, via, isInitiator: byUs) { TableIndex = _all.Count };
            _all.Add(session);
            _byKey[key] = session;
            peer.HasSession = true;
        }
        session!.Install(sending, receiving, local, remote, epoch, facts.Flags, byUs, now);
        Indexes.Use(local, session);
        session.SeenAs = facts.Seen ?? session.SeenAs;
        if (byUs && !session.Path.Equals(via)) Move(session, via);
        Prove(session);
        _sticky.Stick(key);
        _timer.Schedule(now + Options.IdleAfter);
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
        if (byUs) Frames.SendAddresses(session);
        _opened?.Invoke(session);
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
        Indexes.Free(session.LocalIndex);
        if (session.OldIndex != 0) Indexes.Free(session.OldIndex);
        var last = _all[^1];
        (_all[session.TableIndex], last.TableIndex) = (last, session.TableIndex);
        _all.RemoveAt(_all.Count - 1);
        if (_byKey.GetValueOrDefault(session.Peer.Key) == session) _byKey.Remove(session.Peer.Key);
        session.Peer.HasSession = false;
        Messages.Forget(session);
        _closed?.Invoke(session);
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
        SessionFrames.SendObserved(session);
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

    internal void Reopen(Peer peer, Endpoint at)
    {
        if (Find(peer) is not null || Handshakes.IsOpening(peer.Key) || !Host.Peers.IsValidated(peer, at)) return;
        Handshakes.Begin(peer.Key, new DirectPath(Host, at), null, guarded: false);
    }

    /// <summary>Contacts are as many as the owner knows, and bounded by its list: with each of them there may be a session, and no stranger takes its place.</summary>
    private bool IsFullFor(PublicKey newcomer)
    {
        if (_all.Count < Options.SessionsMax || (Host.Peers.Find(newcomer) is { } peer && Host.Neighbourhood.IsContact(peer))) return false;
        return _all.Count(session => !Host.Neighbourhood.IsContact(session.Peer)) >= Options.SessionsMax;
    }

    private void Evict()
    {
        Host.Counters.Reached(Cap.Sessions);
        // Contacts last; then neighbours; then whom we chose ourselves; then by silence.
        var worst = _all[0];
        foreach (var session in _all)
            if (Rank(session) < Rank(worst)) worst = session;
        worst.Close();

        TimeSpan Rank(Session session) =>
            session.LastIn + (Host.Neighbourhood.IsContact(session.Peer) ? TimeSpan.FromDays(4) : session.Peer.IsNeighbour ? TimeSpan.FromDays(2) : session.IsInitiator ? TimeSpan.FromMinutes(5) : TimeSpan.Zero);
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

    // ---- Receiving and time ----

    internal void Receive(Endpoint from, ReadOnlySpan<byte> datagram) => Take(null, from, datagram);

    /// <summary>There is something to do at that moment.</summary>
    internal void Schedule(TimeSpan due) => _timer.Schedule(due);

    /// <summary>A session is there: whoever asked for it learns.</summary>
    internal void Completed(PublicKey key, Session session) => _handshakes?.Complete(key, session);

    private void Take(SessionPath? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!Options.Enabled || _stopped) Refuse(Refusal.NoSession);
        else _receiver.Receive(via, from, datagram);
    }

    private TimeSpan Work(TimeSpan now)
    {
        var next = _handshakes?.Work(now) ?? TimeSpan.MaxValue;
        if (_responder?.Work(now) is { } answered && answered < next) next = answered;
        for (var i = _all.Count - 1; i >= 0; i--)
            if (i < _all.Count && _all[i].Work(now) is var due && due < next) next = due;
        return next;
    }
}
