using Polder.Identity;
using Polder.Net;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Overlay;

// Nothing is disposable to its author: the token source ends with Leave.
#pragma warning disable CA1001
/// <summary>
/// One overlay as its author sees it: messages, peers and background work. Everything runs on the node's loop. Introductions,
/// punctures and liveness are done for it; it registers its messages in its constructor and sends them.
/// </summary>
public abstract class Community
{
    private readonly CommunityContext _context;
    private readonly CancellationTokenSource _leaving = new();
    private List<RepeatedWork>? _repeated;
    private readonly List<Peer> _peers = [];
    private HashIndex<Peer, ReadOnlySpan<byte>, ByKey> _members;
    private readonly MessageForm _form;
    private MessageHandler?[] _handlers = [];
    private bool _started;

    /// <summary>A community of this id; <paramref name="form"/> holds for its messages where a registration does not say otherwise.</summary>
    protected Community(CommunityId id, CommunityContext context, MessageForm form = MessageForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(context);
        (CommunityId, _context, _form) = (id, context, form);
        Introductions = new Discovery.Introductions(this);
    }

    /// <summary>The 20 bytes that its packets begin with.</summary>
    public CommunityId CommunityId { get; }

    /// <summary>Everybody the node knows, in any community.</summary>
    public PeerBook Book => Host.Peers;

    /// <summary>Peers that proved themselves in this community, in the order in which they came.</summary>
    public IReadOnlyList<Peer> Peers => _peers;

    /// <summary>One of <see cref="Peers"/>, each equally likely; null when there are none.</summary>
    public Peer? PickPeer() => _peers.Count == 0 ? null : _peers[Environment.Random.Next(_peers.Count)];

    /// <summary>The world as the node sees it.</summary>
    protected NodeEnvironment Environment => Host.Environment;

    /// <summary>The key that signs for this node.</summary>
    protected KeyPair Identity => Host.Identity;

    /// <summary>Time since the node was made, on a clock that never runs backwards.</summary>
    protected TimeSpan Now => Host.Now;

    /// <summary>Cancelled when the community is left or the node stops.</summary>
    protected CancellationToken Leaving => _leaving.Token;

    /// <summary>Called once, when the node has started (or at once, when it is running already).</summary>
    protected virtual void Start() { }

    /// <summary>
    /// Whether every implementation there is writes each signed message in a form that is read here. Then a signed message that cannot be
    /// read is none that an honest peer sends, however old or slow, and its signer is discouraged (design §8). False where others
    /// speak dialects that we may not know. Default false.
    /// </summary>
    protected virtual bool IsMalformedDishonest => false;

    /// <summary>A signed introduction-response of this community came from this peer: it is in here and can be talked to.</summary>
    protected internal virtual void OnIntroduced(Peer peer) { }

    /// <summary>A peer is gone: silent for too long, or forgotten because the book is full.</summary>
    protected internal virtual void OnForgotten(Peer peer) { }

    /// <summary>Whether messages travel in sessions only: plain ones are neither sent nor taken. Default false.</summary>
    protected internal virtual bool InSessionsOnly => false;

    /// <summary>
    /// Whether introductions of this community tell that we have sessions (OV-3.1). For our own communities; never for those of others,
    /// whose programs may read the bytes behind an introduction. Default: where messages travel in sessions only.
    /// </summary>
    protected internal virtual bool AnnouncesSessions => InSessionsOnly;

    /// <summary>Bytes put behind the introduction-requests and -responses that we send; at most 20 reach a Discovery peer.</summary>
    protected internal virtual ReadOnlySpan<byte> IntroductionExtra => default;

    /// <summary>Another peer's extra bytes, from a signed introduction-request or -response; any length up to the datagram's.</summary>
    protected internal virtual void OnIntroductionExtra(Peer peer, ReadOnlySpan<byte> extra) { }

    /// <summary>Handles a signed message. A number that is taken, or belongs to introductions, throws.</summary>
    protected void On<T>(Action<Peer, T> handler, MessageForm? form = null) where T : struct, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(handler);
        var slot = SignedSlot<T>(form);
        if (slot.Handle is not null) throw NumberTaken(T.Number);
        slot.Handle = handler;
    }

    /// <summary>Handles an unsigned message: anybody can have sent it, from any address.</summary>
    protected void OnUnsigned<T>(Action<Endpoint, T> handler, MessageForm? form = null) where T : struct, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(handler);
        ref var slot = ref Slot(T.Number);
        if (slot is not null) throw NumberTaken(T.Number);
        slot = new UnsignedHandler<T>(handler, form ?? _form);
    }

    /// <summary>Answers a signed question.</summary>
    protected void Answer<TRequest, TReply>(Func<Peer, TRequest, TReply> handler, MessageForm? form = null)
        where TRequest : struct, IMessage<TRequest>, ICorrelated
        where TReply : struct, IMessage<TReply>, ICorrelated
    {
        ArgumentNullException.ThrowIfNull(handler);
        On<TRequest>((peer, request) => Send(peer, handler(peer, request), form), form);
    }

    /// <summary>
    /// Asks one peer, and gives its answer, or null after the timeout (also when too many questions are open). Throws
    /// <see cref="OperationCanceledException"/> only when the community is left.
    /// </summary>
    /// <param name="peer">Whom; only its own signed answer counts.</param>
    /// <param name="make">Makes the question with the identifier that the answer must repeat.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="form">The form of both messages, where it is not the community's.</param>
    protected Task<TReply?> AskAsync<TRequest, TReply>(
        Peer peer, Func<ushort, TRequest> make, TimeSpan timeout, MessageForm? form = null)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>, ICorrelated
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(make);
        if (Leaving.IsCancellationRequested) return Task.FromCanceled<TReply?>(Leaving);
        var slot = SignedSlot<TReply>(form);
        slot.Pending ??= new PendingRequests<TReply>(Host, static reply => reply.Identifier);
        if (slot.Pending.Open(peer, timeout, Leaving) is not var (identifier, answer)) return Task.FromResult<TReply?>(null);
        Send(peer, make(identifier), form);
        return answer;
    }

    /// <summary>Asks somebody at an address where it need not have proved itself: our own doing, with rates of its own (DHT crawls).</summary>
    private protected Task<TReply?> AskAtAsync<TRequest, TReply>(
        PublicKey key, Endpoint address, Func<ushort, TRequest> make, TimeSpan timeout)
        where TRequest : struct, IMessage<TRequest>
        where TReply : struct, IMessage<TReply>, ICorrelated
    {
        if (Leaving.IsCancellationRequested) return Task.FromCanceled<TReply?>(Leaving);
        var slot = SignedSlot<TReply>(null);
        slot.Pending ??= new PendingRequests<TReply>(Host, static reply => reply.Identifier);
        if (slot.Pending.Open(Host.Peers.Find(key) ?? new Peer(key, address), timeout, Leaving) is not var (identifier, answer))
            return Task.FromResult<TReply?>(null);
        SendAt(key, address, make(identifier));
        return answer;
    }

    /// <summary>Sends a message to an address of our own accord: in the session with its owner where there is or must be one, else signed, and not bounded by what came from there.</summary>
    private protected void SendAt<T>(PublicKey key, Endpoint to, T message) where T : struct, IMessage<T>
    {
        var peer = Host.Peers.Find(key);
        if (peer is not null) Host.NoteSent(peer);
        peer ??= new Peer(key, to);
        if (Host.Sessions.Carries(this, peer))
        {
            // A handshake with somebody who never wrote to us is our own doing too.
            if (Host.Sessions.Find(key) is null) _ = Host.Sessions.OpenAsync(key, new Sessions.DirectPath(Host, to));
            var writer = new WireWriter(NodeHost.SendBuffer);
            message.Write(ref writer);
            Host.Sessions.Carry(this, peer, T.Number, _form, writer.Written);
            return;
        }
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteSigned(buffer, CommunityId, _form, Host.NextGlobalTime(), message, Identity, Environment.Signatures);
        if (MaySend(length)) Host.Transmit(to, buffer.AsSpan(0, length), ours: true);
    }

    /// <summary>So many unasked-for-looking datagrams of this peer are the answer to a question of ours: they do not count against its rate.</summary>
    protected static void Expect(Peer peer, int datagrams)
    {
        ArgumentNullException.ThrowIfNull(peer);
        peer.Expected = Math.Min(peer.Expected + datagrams, OverlayLimits.ExpectedMax);
    }

    /// <summary>Sends a signed message to a peer's preferred address, best effort. A message above 65,507 bytes throws.</summary>
    protected void Send<T>(Peer peer, T message, MessageForm? form = null) where T : struct, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(peer);
        Host.NoteSent(peer);
        if (!Host.Sessions.Carries(this, peer))
        {
            SendTo(peer.Address, message, form);
            return;
        }
        // Inside a session the key is proved already: number and fields are all that is said (OV-3.11).
        var writer = new WireWriter(NodeHost.SendBuffer);
        message.Write(ref writer);
        Host.Sessions.Carry(this, peer, T.Number, form ?? _form, writer.Written);
    }

    /// <summary>Sends a signed message to an address. What an unproved address gets is bounded by what it sent (OV-4.1).</summary>
    protected void SendTo<T>(Endpoint to, T message, MessageForm? form = null) where T : struct, IMessage<T>
    {
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteSigned(
            buffer, CommunityId, form ?? _form, Host.NextGlobalTime(), message, Identity, Environment.Signatures);
        if (MaySend(length)) Host.Transmit(to, buffer.AsSpan(0, length));
    }

    /// <summary>Sends an unsigned message to an address. What an unproved address gets is bounded by what it sent (OV-4.1).</summary>
    protected void SendUnsigned<T>(Endpoint to, T message, MessageForm? form = null) where T : struct, IMessage<T>
    {
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteUnsigned(buffer, CommunityId, form ?? _form, Host.NextGlobalTime(), message);
        if (MaySend(length)) Host.Transmit(to, buffer.AsSpan(0, length));
    }

    /// <summary>Sends fields that were written before, signed and outside any session.</summary>
    internal void SendPlain(Endpoint to, byte number, MessageForm form, ReadOnlySpan<byte> fields)
    {
        var buffer = NodeHost.SendBuffer;
        var length = Packet.WriteSigned(buffer, CommunityId, number, form, Host.NextGlobalTime(), fields, Identity, Environment.Signatures);
        Host.Transmit(to, buffer.AsSpan(0, length));
    }

    private protected void SendUnsigned<T>(Endpoint to, T message, bool ours) where T : struct, IMessage<T>
    {
        Span<byte> buffer = stackalloc byte[128];
        var length = Packet.WriteUnsigned(buffer, CommunityId, _form, Host.NextGlobalTime(), message);
        if (MaySend(length)) Host.Transmit(to, buffer[..length], ours);
    }

    /// <summary>
    /// Does something again and again while the community lives: first after a random part of the interval, so that nodes
    /// started together spread, and never while the time before still runs.
    /// </summary>
    protected void Every(TimeSpan interval, Func<Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (Leaving.IsCancellationRequested) return;
        var repeated = new RepeatedWork(this, interval, work);
        (_repeated ??= new List<RepeatedWork>(1)).Add(repeated);
        if (_started) repeated.Begin();
    }

    /// <summary>Does something again and again while the community lives.</summary>
    protected void Every(TimeSpan interval, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Every(interval, () =>
        {
            work();
            return Task.CompletedTask;
        });
    }

    /// <summary>Whether it looks for members by walking; one that only answers, and asks peers found otherwise, does not.</summary>
    internal virtual bool Walks => true;

    /// <summary>It walks while it has fewer peers than this.</summary>
    internal virtual int PeersTarget => Host.Options.WalkTarget;

    /// <summary>It knows no more members than this.</summary>
    internal virtual int PeersMax => int.MaxValue;

    /// <summary>Whether a datagram of so many bytes may go out; takes them from its budget, if it has one.</summary>
    internal virtual bool MaySend(int bytes) => true;

    /// <summary>Whether a datagram of so many bytes that came is looked at; it has cost the bytes of its budget in any case.</summary>
    internal virtual bool MayReceive(int bytes) => true;

    internal bool IsLeft => _leaving.IsCancellationRequested;

    /// <summary>Whether this community answers introductions in the old style only, as Discovery does.</summary>
    internal virtual bool OldStyleOnly => false;

    /// <summary>Whether this community's messages never travel in sessions, as Discovery's.</summary>
    internal virtual bool IsAlwaysPlain => false;

    internal NodeHost Host => _context.Host;
    internal Discovery.Introductions Introductions { get; }
    internal bool Contains(Peer peer) => _members.Find(peer.Key.Bytes) is not null;

    internal void Receive(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!MayReceive(datagram.Length)) return;
        var number = Packet.NumberOf(datagram);
        if (OverlayLimits.IsIntroduction(number)) Introductions.Receive(from, datagram, number);
        else if (number < _handlers.Length && _handlers[number] is { } handler) handler.Receive(this, from, datagram);
        else Host.Counters.Count(Refusal.UnknownMessage);
    }

    /// <summary>A message that came in a session: its sender is proved.</summary>
    internal void ReceiveInSession(Sessions.Session session, byte number, ReadOnlySpan<byte> fields)
    {
        if (number < _handlers.Length && _handlers[number] is { } handler) handler.ReceiveInSession(this, session, fields);
        else Host.Counters.Count(Refusal.UnknownMessage);
    }

    /// <summary>A signed message cannot be read. Only a peer that proved to be where it came from can lose by it.</summary>
    internal void Malformed(Peer peer, Endpoint from, WireError error)
    {
        Host.Counters.Count(error);
        if (IsMalformedDishonest && Host.Peers.IsValidated(peer, from)) Host.Peers.Discourage(peer, Violation.Malformed);
    }

    /// <summary>A message of a session cannot be read: it is surely its peer's.</summary>
    internal void Malformed(Peer peer, WireError error)
    {
        Host.Counters.Count(error);
        if (IsMalformedDishonest) Host.Peers.Discourage(peer, Violation.Malformed);
    }

    internal void AddPeer(Peer peer)
    {
        if (Contains(peer) || _peers.Count >= PeersMax) return;
        _members.Add(peer);
        _peers.Add(peer);
        Introductions.Pace.News();
    }

    internal void RemovePeer(Peer peer)
    {
        if (!_members.Remove(peer)) return;
        _peers.Remove(peer);
        Introductions.Pace.News();
        OnForgotten(peer);
    }

    internal void Begin()
    {
        if (_started) return;
        _started = true;
        if (_repeated is not null)
            foreach (var work in _repeated) work.Begin();
        Start();
    }

    internal void Leave()
    {
        if (_repeated is not null)
            foreach (var work in _repeated) work.End();
        _leaving.Cancel();
    }

    private SignedHandler<T> SignedSlot<T>(MessageForm? form) where T : struct, IMessage<T>
    {
        ref var slot = ref Slot(T.Number);
        slot ??= new SignedHandler<T>(form ?? _form);
        return slot as SignedHandler<T> ?? throw NumberTaken(T.Number);
    }

    private ref MessageHandler? Slot(byte number)
    {
        if (OverlayLimits.IsIntroduction(number)) throw NumberTaken(number);
        if (number >= _handlers.Length) Array.Resize(ref _handlers, number + 1);
        return ref _handlers[number];
    }

    private InvalidOperationException NumberTaken(byte number) =>
        new($"Message {number} of {GetType().Name} is taken already.");
}
