using Polder.Apps.Bundles;
using Polder.Apps.Chat;
using Polder.Apps.Contacts;
using Polder.Apps.Graphs;
using Polder.Graph.Sync;
using Polder.Overlay;

namespace Polder.Apps;

/// <summary>What people do with a node. Each app is a module of its own; offer the stores that they name to the host before.</summary>
public sealed class AppsModule : INodeModule
{
    /// <inheritdoc/>
    public string Name => "apps";

    /// <inheritdoc/>
    public void Join(NodeHost node)
    {
        new ContactsModule().Join(node);
        new MailModule().Join(node);
        if (node.Find<Mailbag>() is { } mail) node.Find<ContactService>()?.UseMail(mail);
        new ChatModule().Join(node);
        if (node.Find<SharedGraph>() is { } graph) node.Offer(new GraphShare(node, graph));
    }
}
