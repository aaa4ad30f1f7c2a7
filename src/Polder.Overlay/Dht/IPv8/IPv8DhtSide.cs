using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>
/// What the node is in the DHT of one address class: its id, its table, what it stores. The id hangs on our outer address; py-ipv8
/// keeps a table that was built around an old one, we build it anew.
/// </summary>
internal sealed class IPv8DhtSide(NodeHost host, IPv8DhtOptions options, bool isIPv4)
{
    private bool _placed;

    public bool IsIPv4 => isIPv4;
    public RoutingTable Table { get; private set; } = new(default);
    public ValueStore Values { get; } = new(options);

    /// <summary>Whether we know our own address of this class, and so our id; before, nobody is added.</summary>
    public bool IsPlaced(TimeSpan now)
    {
        var address = host.Own.Told is { } told && told.IsIPv4 == isIPv4 ? told
            : !isIPv4 && !host.Own.Lan.IsIPv4 && !host.Own.Lan.IsLoopback ? host.Own.Lan : Endpoint.None;
        if (!address.IsSendable) return _placed;
        var own = DhtId.OfNode(address, host.Identity.Public.Id);
        if (_placed && own == Table.Own) return true;
        var before = Table;
        (Table, _placed) = (new RoutingTable(own), true);
        foreach (var node in before.All) Table.Add(node, now);
        return true;
    }

    /// <summary>The node in the table, or null when it has no place there.</summary>
    public RoutingNode? Add(PublicKey key, Endpoint address, TimeSpan now)
    {
        if (!_placed || address.IsIPv4 != isIPv4 || !address.IsSendable || key == host.Identity.Public) return null;
        return Table.Find(DhtId.OfNode(address, key.Id)) is { } known && known.Address == address ? known : Table.Add(new RoutingNode(key, address), now);
    }

    /// <summary>Whether a node answered us lately from this very address.</summary>
    public bool IsProved(PublicKey key, Endpoint address, TimeSpan now) =>
        Table.Find(DhtId.OfNode(address, key.Id)) is { LastResponse: { } at } node && node.Address == address && now - at < IPv8DhtLimits.GoodFor;

    /// <summary>A question was answered or not.</summary>
    public void Note(NodeAddress node, TimeSpan now, bool answered)
    {
        if (Table.Find(node.Id) is not { } known) return;
        if (answered) known.Answered(now, known.RoundTrip ?? TimeSpan.Zero);
        else known.Failures++;
    }

    /// <summary>Keeps a value if its signature holds and there is room.</summary>
    public bool Keep(DhtId key, byte[] bytes, TimeSpan life, PublicKey? writer, Endpoint network)
    {
        if (life < TimeSpan.FromSeconds(1) || !DhtValue.TryRead(bytes, host.Environment.Signatures, out var value)) return false;
        return Values.Put(key, value.StorageId(bytes), bytes, value.Version, value.Signer is not null, host.Now + life, Table.Own, writer, network);
    }
}
