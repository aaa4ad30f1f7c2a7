using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.Records;
using Polder.Wire;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// A node that wants searches to fail: it is quick to answer, knows only its accomplices, says that it keeps what it drops, and never
/// has anything.
/// </summary>
internal sealed class HostileDht : Community
{
    private const int AccomplicesMax = 10_000;

    private readonly List<(PublicKey Key, Endpoint Address)> _gang;

    // One gang a world: they find each other without the network.
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Polder.Cryptography.ISignatures, List<(PublicKey, Endpoint)>> Gangs = new();

    public HostileDht(CommunityContext context) : base(DhtCommunity.Id, context)
    {
        _gang = Gangs.GetOrCreateValue(context.Environment.Signatures);
        if (_gang.Count < AccomplicesMax) _gang.Add((Identity.Public, ((Network.SimulatedSocket)Environment.Socket).LocalEndpoint));
        On<Find>(OnFind);
        On<Store>((peer, store) => Send(peer, new Stored(store.Nonce, StoreVerdict.Kept)));
        On<Found>(static (_, _) => { });
        On<Stored>(static (_, _) => { });
    }

    protected internal override void OnIntroduced(Peer peer) => SendTo(peer.Address, new Find(1, Identity.Public.NodeId, FindFlags.Contacts, 0, 100));

    private void OnFind(Peer peer, Find find)
    {
        var nearest = _gang.OrderBy(one => one.Key.NodeId.Head ^ find.Target.Head).Take(Found.ContactsMax).ToList();
        Span<byte> buffer = stackalloc byte[1000];
        var writer = new WireWriter(buffer);
        foreach (var (key, address) in nearest) new Contact(key, address).Write(ref writer);
        Send(peer, new Found(find.Nonce, 1, 0, FindFlags.None, 0, [], (byte)nearest.Count, writer.Written.ToArray()));
    }
}
