using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Connecting;
using Polder.Overlay.Content;
using Polder.Overlay.Discovery;
using Polder.Overlay.Nat;
using Polder.Overlay.Refusals;
using Polder.Overlay.Relays;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Runtime;

namespace Polder.Overlay;

/// <summary>
/// One node: owns the dispatcher, the book of peers and the Discovery community, and joins the others. Made, started, used
/// and stopped on its loop.
/// </summary>
public sealed class NodeHost
{
    [ThreadStatic] private static byte[]? _sendBuffer;

    private HashIndex<Community, CommunityId, ByCommunityId> _communities;
    private readonly List<Community> _order = [];
    private Dictionary<Type, object>? _services;
    private readonly ILogger _log;
    private readonly Heartbeat _heartbeat;
    private readonly long _startedAt;
    private LanDiscovery? _lan;
    private TokenBucket _walks;
    private ulong _globalTime;
    private TokenBucket _faultLog;
    private bool _started, _stopped;

    /// <summary>A node that is not started yet. It takes over the environment's socket.</summary>
    public NodeHost(NodeEnvironment environment, KeyPair identity, OverlayOptions options, ILoggerFactory? log = null)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(options);
        (Environment, Identity, Options, Log) = (environment, identity, options, log ?? NullLoggerFactory.Instance);
        _log = Log.CreateLogger("Polder.Overlay");
        _startedAt = environment.Time.GetTimestamp();
        Requests = new RequestTable(options, Counters);
        Peers = new PeerBook(options, Counters, environment.Random, () => Now);
        Peers.Removed += OnRemoved;
        Hash = new SipHash(environment.Random);
        Guard = new SourceGuard(options, Counters, Hash);
        Reception = new Reception(this);
        _heartbeat = new Heartbeat(this);
        Own = new OwnAddresses(this);
        Contact = new AddressBook.FirstContact(this);
        Neighbourhood = new Neighbourhood.NeighbourhoodKeeper(this);
        Bootstrap = new Bootstrap(this);
        Punctures = new PunctureRules(this, Hash);
        Sessions = new SessionTable(this);
        Streams = new StreamTable(this);
        Nat = new NatTraversal(this);
        Relays = new RelayService(this);
        Connector = new Connector(this);
        Discovery = Join(static context => new DiscoveryCommunity(context));
    }

    /// <summary>The world as the node sees it.</summary>
    public NodeEnvironment Environment { get; }

    /// <summary>The key that signs for this node. The host does not dispose it.</summary>
    public KeyPair Identity { get; }

    /// <summary>Limits and intervals.</summary>
    public OverlayOptions Options { get; }

    /// <summary>Where communities make their loggers.</summary>
    public ILoggerFactory Log { get; }

    /// <summary>What went in, out and nowhere.</summary>
    public OverlayCounters Counters { get; } = new();

    /// <summary>Everybody the node knows by key.</summary>
    public PeerBook Peers { get; }

    /// <summary>Secure sessions with full peers.</summary>
    public SessionTable Sessions { get; }

    /// <summary>Reliable streams in those sessions.</summary>
    public StreamTable Streams { get; }

    /// <summary>Content by name, in the <see cref="IContentStore"/> that was offered before the start, else in memory. Peers are served once it was asked for.</summary>
    public ContentService Content => field ??= new ContentService(this, Find<IContentStore>() ?? new MemoryContentStore());

    /// <summary>What stands between this node and the others, and how it gets through.</summary>
    public NatTraversal Nat { get; }

    /// <summary>Relaying for others, and our own places at relays.</summary>
    public RelayService Relays { get; }

    /// <summary>Makes sessions with nodes wherever they are.</summary>
    public Connector Connector { get; }

    /// <summary>The community that every node is in: liveness, and who is in which overlay.</summary>
    public DiscoveryCommunity Discovery { get; }

    /// <summary>The communities joined, in order; Discovery is the first.</summary>
    public IReadOnlyList<Community> Communities => _order;

    /// <summary><see cref="Communities"/>, to go through without an allocation.</summary>
    internal List<Community> Joined => _order;

    /// <summary>Time since the node was made, on a clock that never runs backwards.</summary>
    public TimeSpan Now => Environment.Time.GetElapsedTime(_startedAt);

    /// <summary>Our address in our own network, as we tell others. The adapter sets it when it knows better than the socket.</summary>
    public Endpoint LanAddress
    {
        get => Own.Lan;
        set => Own.Lan = value;
    }

    /// <summary>Our outer address by the word of those who answered us; null while nobody did.</summary>
    public Endpoint? WanAddress => Own.Told;

    /// <summary>First contact and the address book.</summary>
    public AddressBook.FirstContact Contact { get; }

    /// <summary>Whom we keep as neighbours, and what that is worth.</summary>
    public Neighbourhood.NeighbourhoodKeeper Neighbourhood { get; }

    /// <summary>Whether there is a network at all, as far as the adapter knows.</summary>
    public bool IsNetworkUp { get; private set; } = true;

    /// <summary>There is no network: nothing is tried until <see cref="NetworkChanged"/> (OV-5.3).</summary>
    public void NetworkLost() => IsNetworkUp = false;

    /// <summary>The network changed (an interface came or went): what others told before no longer counts.</summary>
    public void NetworkChanged(Endpoint lanAddress)
    {
        IsNetworkUp = true;
        Own.Forget();
        Own.Lan = lanAddress;
        Sessions.NetworkChanged();
        Nat.NetworkChanged();
        Contact.Restart();
    }

    /// <summary>Addresses heard of where nobody has answered yet, in no order that anything may hang on.</summary>
    public IReadOnlyList<Endpoint> AddressesHeard =>
        [.. _order.SelectMany(static community => community.Introductions.Candidates.Addresses).Where(address => Peers.FindAt(address) is null).Distinct()];

    /// <summary>Raised for every exception in a handler or in background work.</summary>
    public event Action<Fault>? UnhandledFault;

    /// <summary>Joins a community. Two of one id throw. After the start it begins at once.</summary>
    public T Join<T>(Func<CommunityContext, T> make) where T : Community
    {
        ArgumentNullException.ThrowIfNull(make);
        ObjectDisposedException.ThrowIf(_stopped, this);
        var community = make(new CommunityContext(this));
        if (_communities.Find(community.CommunityId) is not null)
            throw new InvalidOperationException($"The community {community.CommunityId} is joined already.");
        _communities.Add(community);
        _order.Add(community);
        if (_started)
        {
            community.Begin();
            Discovery.OverlaysChanged();
        }
        return community;
    }

    /// <summary>Leaves a community: its work stops, its open questions are cancelled, its packets are dropped.</summary>
    public void Leave(Community community)
    {
        ArgumentNullException.ThrowIfNull(community);
        if (!_communities.Remove(community)) return;
        _order.Remove(community);
        community.Leave();
        Discovery.OverlaysChanged();
    }

    /// <summary>Offers a service to modules, by its type. A second one of a type throws.</summary>
    public void Offer<T>(T service) where T : class => (_services ??= []).Add(typeof(T), service);

    /// <summary>The service of that type, or null.</summary>
    public T? Find<T>() where T : class => (T?)_services?.GetValueOrDefault(typeof(T));

    /// <summary>
    /// Walks to an address in every community, as <c>--join</c> does, and comes back to it until somebody answers there. May be
    /// called before the start.
    /// </summary>
    public void WalkTo(Endpoint address)
    {
        Bootstrap.List(address);
        if (_started) Bootstrap.Step();
    }

    /// <summary>Runs work on the node's loop, for askers outside.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work) => Environment.Loop.InvokeAsync(work);

    /// <summary>Begins to receive, walk and work. On the loop.</summary>
    public void Start()
    {
        if (_started) return;
        _started = true;
        Environment.Socket.Received = Reception.Receive;
        Sessions.Start();
        foreach (var community in _order.ToArray()) community.Begin();
        _heartbeat.Start();
        if (Find<IContentStore>() is not null) _ = Content;
        if (Find<ILanSocket>() is { } lan) _lan = new LanDiscovery(this, lan);
    }

    /// <summary>Leaves every community and stops receiving. On the loop. The socket and the identity belong to the caller.</summary>
    public ValueTask StopAsync()
    {
        if (_stopped) return ValueTask.CompletedTask;
        _stopped = true;
        Sessions.Stop();
        Environment.Socket.Received = null;
        Reception.Stop();
        if (_started) _heartbeat.Stop();
        _lan?.Stop();
        Streams.Stop();
        Connector.Stop();
        Nat.Stop();
        for (var i = _order.Count - 1; i >= 0; i--) _order[i].Leave();
        _order.Clear();
        _communities = default;
        return ValueTask.CompletedTask;
    }

    internal RequestTable Requests { get; }

    /// <summary>A cheater of the simulator introduces only these; null for an honest node.</summary>
    internal Func<Peer, bool>? ShowsOnly { get; set; }

    // One loop is one thread at a time, and a packet is encoded, signed and sent without a pause: one buffer a thread is enough.
    internal static byte[] SendBuffer => _sendBuffer ??= new byte[Limits.DatagramBytesMax];

    internal ulong NextGlobalTime() => ++_globalTime;

    internal SipHash Hash { get; }
    internal SourceGuard Guard { get; }
    internal Reception Reception { get; }
    internal OwnAddresses Own { get; }
    internal Bootstrap Bootstrap { get; }
    internal PunctureRules Punctures { get; }

    /// <summary>A signed packet came from an address that proved nothing: ask there, before anything changes (OV-3.14).</summary>
    internal void Probe(Community community, Peer peer, Endpoint from)
    {
        if (Now - peer.ProbedAt < Options.ProbeInterval) return;
        peer.ProbedAt = Now;
        community.Introductions.Request(from, ours: false);
    }

    internal void Answered(Peer peer, Endpoint from, TimeSpan roundTrip)
    {
        peer.AddRoundTrip(roundTrip);
        peer.Standing.Answered(Now);
        peer.LastIn = Now;
        if (peer.BookIndex >= 0) Peers.Validate(peer, from);
    }

    internal void NoteSent(Peer peer) => peer.LastOut = Now;

    /// <summary>
    /// Sends, unless an unproved address would get too much for what it sent. <paramref name="ours"/> marks what we do of our own
    /// accord (walking, pings, punctures), which has rates of its own.
    /// </summary>
    internal bool Transmit(Endpoint to, ReadOnlySpan<byte> datagram, bool ours = false)
    {
        if (!to.IsSendable)
        {
            Counters.Count(Refusal.BadAddress);
            return false;
        }
        var now = Now;
        var known = Peers.FindAddress(to);
        if (known is not null) known.Owner.LastOut = now;
        if (!ours && !(known is not null && known.IsFresh(now, Options.ValidationLifetime)) && !Guard.MaySend(to, datagram.Length, now)) return false;
        Counters.Sent++;
        Counters.BytesOut += datagram.Length;
        Environment.Socket.Send(to, datagram);
        return true;
    }

    /// <summary>Sends a datagram of a session; what an unproved address may get is the session's own business.</summary>
    internal void TransmitSession(Endpoint to, ReadOnlySpan<byte> datagram)
    {
        Counters.Sent++;
        Counters.BytesOut += datagram.Length;
        Environment.Socket.Send(to, datagram);
    }

    /// <summary>Seconds since 1970 by our wall clock, for what outlives a run.</summary>
    internal uint UnixSeconds => (uint)Math.Clamp(Environment.Time.GetUtcNow().ToUnixTimeSeconds(), 1, uint.MaxValue - 1);

    /// <summary>Whether we introduce strangers of overlays that we are not in: who is known to be reachable does (OV-5.1).</summary>
    internal bool IntroducesForeign => Options.IntroducesForeign && (Contact.IsReachable is { } reachable
        ? reachable && Now - Contact.ReachableSince >= Options.IntroducesForeignAfter : Options.IntroducesForeignUntested);

    /// <summary>Whether we would knock at this address at all.</summary>
    internal bool MayWalkTo(Endpoint address)
    {
        if (!address.IsSendable || Own.IsOwn(address)) return false;
        // A node that is confined to this machine stays there, whatever lists and books say.
        if (Environment.Socket.LocalEndpoint.IsLoopback && !address.IsLoopback) return false;
        if (Options.Addresses == AddressRules.Any) return true;
        if (address.IsLoopback) return false;
        return !(address.IsPrivate || address.IsLinkLocal) || Own.Lan.IsPrivate || Own.Lan.IsLinkLocal || Own.Lan.IsUnspecified;
    }

    /// <summary>Takes one walk from the node's rate.</summary>
    internal bool MayWalkNow() => _walks.TryTake(Now, Options.WalksPerSecond, Options.WalksBurst);

    /// <summary>Whether so many bytes may go to an address; counted, when nobody proved to be there (OV-4.1).</summary>
    internal bool MaySend(Endpoint to, int bytes) => Peers.IsValidated(to) || Guard.MaySend(to, bytes, Now);

    internal Community? FindCommunity(CommunityId id) => _communities.Find(id);

    internal void Fault(Exception problem, Community community) => RaiseFault(new Fault(problem, community.GetType().Name, default));

    internal void Fault(Exception problem, string where) => RaiseFault(new Fault(problem, where, default));
    internal void Fault(Exception problem, string where, ReadOnlySpan<byte> datagram) => RaiseFault(new Fault(problem, where, datagram.ToArray()));

    private void RaiseFault(Fault fault)
    {
        Counters.Faults++;
        if (_faultLog.TryTake(Now, 1.0 / 60, 3))
        {
            if (fault.Datagram.IsEmpty) OverlayLog.WorkFailed(_log, fault.Problem, fault.Where);
            else OverlayLog.HandlerFailed(_log, fault.Problem, fault.Where, Convert.ToHexStringLower(fault.Datagram.Span));
        }
        UnhandledFault?.Invoke(fault);
    }

    private void OnRemoved(Peer peer)
    {
        foreach (var community in _order) community.RemovePeer(peer);
        Sessions.Forgotten(peer);
    }
}
