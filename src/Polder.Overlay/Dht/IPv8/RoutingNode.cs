using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>How much a node is worth asking (as in BEP 5). The order is that of preference.</summary>
internal enum NodeState { Good, Unknown, Bad }

/// <summary>A node of the routing table, or one that remembers us.</summary>
internal sealed class RoutingNode
{
    private const int FailuresMax = 2;

    public RoutingNode(PublicKey key, Endpoint address) => (Key, Address, Id) = (key, address, DhtId.OfNode(address, key.Id));

    private RoutingNode(DhtId id, Endpoint address) => (Key, Address, Id) = (null!, address, id);

    /// <summary>A node of a golden vector, of which only the id is known.</summary>
    internal static RoutingNode ForTests(DhtId id, Endpoint address) => new(id, address);

    public PublicKey Key { get; }
    public Endpoint Address { get; set; }
    public DhtId Id { get; }
    public TimeSpan? LastResponse { get; private set; }
    public TimeSpan? LastQuery { get; set; }
    public TimeSpan? PingedAt { get; set; }
    public TimeSpan? RoundTrip { get; private set; }
    public int Failures { get; set; }

    public NodeState StateAt(TimeSpan now)
    {
        if (Failures >= FailuresMax) return NodeState.Bad;
        if (LastResponse is not { } answered) return NodeState.Unknown;
        return now - answered < IPv8DhtLimits.GoodFor || now - LastQuery < IPv8DhtLimits.GoodFor ? NodeState.Good : NodeState.Unknown;
    }

    public void Answered(TimeSpan now, TimeSpan roundTrip) => (LastResponse, RoundTrip, Failures) = (now, roundTrip, 0);
}
