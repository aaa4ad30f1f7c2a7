using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Stores;
using Polder.Apps.Contacts;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Connecting;
using Polder.Overlay.Invitations;

namespace Polder.Simulation;

/// <summary>Adding nodes that have contacts and a mail-bag, on a disk that survives crashes.</summary>
public static class MailNodes
{
    /// <summary>A node with a mail-bag. Its store is opened anew on the node's disk at every start; <paramref name="setUp"/> comes last, and takes letters.</summary>
    public static SimulatedNode AddMailNode(
        this World world, string name, Home? home = null, MailOptions? options = null, OverlayOptions? overlay = null, Action<SimulatedNode, NodeHost>? setUp = null) =>
        world.AddNode(name, home, overlay, (node, host) =>
        {
            host.Offer<IStateStore>(node.Disk.Surface("state", () => new MemoryStateStore()));
            host.Offer(new ContactList(host));
            host.Offer(new ContactBook(host));
            host.Connector.Add(new Whereabouts(world));
            var platter = node.Disk.Surface("mail", () => new MailPlatter());
            host.Offer(new Mailbag(host, new MemoryMailStore(platter, node.Disk.CommitAsync), host.Find<ContactBook>()!, options));
            setUp?.Invoke(node, host);
        });

    extension(SimulatedNode node)
    {
        /// <summary>The mail-bag of the node's present life; null when it has none.</summary>
        public Mailbag? Mailbag => node.Program is NodeHost host ? host.Find<Mailbag>() : null;

        /// <summary>The contacts of the node's present life; null when it has none.</summary>
        public ContactBook? Book => node.Program is NodeHost host ? host.Find<ContactBook>() : null;

        /// <summary>Becomes a contact of another, under its name; now, without a word on the network.</summary>
        public void Befriend(SimulatedNode other) => node.Run(() => _ = node.Book?.AddAsync(other.Identity.Public, other.Name, address: other.PublicEndpoint));
    }

    /// <summary>Where everybody of the world lives: stands for contact records in the DHT.</summary>
    private sealed class Whereabouts(World world) : IContactSource
    {
        public ValueTask<ContactHints?> FindAsync(Polder.Identity.PublicKey key)
        {
            foreach (var node in world.Nodes)
                if (node.Identity.Public == key) return ValueTask.FromResult<ContactHints?>(new ContactHints([node.PublicEndpoint], [], []));
            return ValueTask.FromResult<ContactHints?>(null);
        }
    }
}
