using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Overlay;

/// <summary>An exception in a handler or in background work: a bug of ours. In tests and simulations it fails the run.</summary>
/// <param name="Problem">What was thrown.</param>
/// <param name="Where">The community or the sender.</param>
/// <param name="Datagram">The datagram that was handled; empty for background work.</param>
public sealed record Fault(Exception Problem, string Where, ReadOnlyMemory<byte> Datagram);

/// <summary>
/// One node: owns the dispatcher, the book of peers and the Discovery community, and joins the others. Made, started, used
/// and stopped on its loop.
/// </summary>
public sealed class NodeHost
{
    [ThreadStatic] private static byte[]? _sendBuffer;

    private readonly Dictionary<CommunityId, Community> _communities = [];
    private readonly List<Community> _order = [];
    private readonly Dictionary<Type, object> _services = [];
    private readonly ILogger _log;
    private readonly long _startedAt;
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

    /// <summary>The community that every node is in: liveness, and who is in which overlay.</summary>
    public DiscoveryCommunity Discovery { get; }

    /// <summary>The communities joined, in order; Discovery is the first.</summary>
    public IReadOnlyList<Community> Communities => _order;

    /// <summary>Time since the node was made, on a clock that never runs backwards.</summary>
    public TimeSpan Now => Environment.Time.GetElapsedTime(_startedAt);

    /// <summary>Raised for every exception in a handler or in background work.</summary>
    public event Action<Fault>? UnhandledFault;

    /// <summary>Joins a community. Two of one id throw. After the start it begins at once.</summary>
    public T Join<T>(Func<CommunityContext, T> make) where T : Community
    {
        ArgumentNullException.ThrowIfNull(make);
        ObjectDisposedException.ThrowIf(_stopped, this);
        var community = make(new CommunityContext(this));
        if (!_communities.TryAdd(community.CommunityId, community))
            throw new InvalidOperationException($"The community {community.CommunityId} is joined already.");
        _order.Add(community);
        if (_started) community.Begin();
        return community;
    }

    /// <summary>Leaves a community: its work stops, its open questions are cancelled, its packets are dropped.</summary>
    public void Leave(Community community)
    {
        ArgumentNullException.ThrowIfNull(community);
        if (!_communities.Remove(community.CommunityId)) return;
        _order.Remove(community);
        community.Leave();
    }

    /// <summary>Offers a service to modules, by its type. A second one of a type throws.</summary>
    public void Offer<T>(T service) where T : class => _services.Add(typeof(T), service);

    /// <summary>The service of that type, or null.</summary>
    public T? Find<T>() where T : class => (T?)_services.GetValueOrDefault(typeof(T));

    /// <summary>Sends an introduction-request to an address in every community, as <c>--join</c> does.</summary>
    public void WalkTo(Endpoint address)
    {
        foreach (var community in _order) community.Introductions.WalkTo(address);
    }

    /// <summary>Runs work on the node's loop, for askers outside.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work) => Environment.Loop.InvokeAsync(work);

    /// <summary>Begins to receive, walk and work. On the loop.</summary>
    public void Start()
    {
        if (_started) return;
        _started = true;
        Environment.Socket.Received = Receive;
        foreach (var community in _order.ToArray()) community.Begin();
    }

    /// <summary>Leaves every community and stops receiving. On the loop. The socket and the identity belong to the caller.</summary>
    public ValueTask StopAsync()
    {
        if (_stopped) return ValueTask.CompletedTask;
        _stopped = true;
        Environment.Socket.Received = null;
        for (var i = _order.Count - 1; i >= 0; i--) _order[i].Leave();
        _order.Clear();
        _communities.Clear();
        return ValueTask.CompletedTask;
    }

    internal RequestTable Requests { get; }

    // One loop is one thread at a time, and a packet is encoded, signed and sent without a pause: one buffer a thread is enough.
    internal static byte[] SendBuffer => _sendBuffer ??= new byte[Limits.DatagramBytesMax];

    internal ulong NextGlobalTime() => ++_globalTime;

    internal void Receive(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        Counters.Received++;
        Counters.BytesIn += datagram.Length;
        try
        {
            if (!Packet.HasHeader(datagram)) Counters.Count(Refusal.NotIPv8);
            else if (_communities.TryGetValue(Packet.CommunityOf(datagram), out var community)) community.Receive(from, datagram);
            else Counters.Count(Refusal.UnknownCommunity);
        }
        // The one catch-all (design §8): whatever a handler throws is our bug, and one datagram must not stop the node.
        catch (Exception problem)
        {
            RaiseFault(new Fault(problem, from.ToString(), datagram.ToArray()));
        }
    }

    /// <summary>Checks a signed packet. Gives its signer (from the book, or a passing one), or null when it is to be dropped.</summary>
    internal Peer? Open(Endpoint from, ReadOnlySpan<byte> datagram, MessageForm form, out SignedPacket packet)
    {
        var error = Packet.CutSigned(datagram, form, out packet);
        if (error != WireError.None)
        {
            Counters.Count(error);
            return null;
        }
        if (packet.Key.SequenceEqual(Identity.Public.Bytes))
        {
            Counters.Count(Refusal.OwnPacket);
            return null;
        }
        var known = Peers.Find(packet.Key);
        var key = known?.Key;
        if (key is null && !PublicKey.TryParse(packet.Key, out key)) return null;
        Counters.SignaturesChecked++;
        if (!Environment.Signatures.Verify(key, packet.SignedBytes, packet.Signature))
        {
            Counters.Count(WireError.BadSignature);
            return null;
        }
        return known ?? new Peer(key, from);
    }

    internal void Answered(Peer peer, Endpoint from, TimeSpan roundTrip)
    {
        peer.AddRoundTrip(roundTrip);
        Peers.Validate(peer, from);
    }

    internal bool Transmit(Endpoint to, ReadOnlySpan<byte> datagram)
    {
        if (!to.IsSendable)
        {
            Counters.Count(Refusal.BadAddress);
            return false;
        }
        Counters.Sent++;
        Counters.BytesOut += datagram.Length;
        if (Peers.FindAt(to) is { } peer) peer.LastOut = Now;
        Environment.Socket.Send(to, datagram);
        return true;
    }

    internal void Fault(Exception problem, Community community) => RaiseFault(new Fault(problem, community.GetType().Name, default));

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
    }
}
