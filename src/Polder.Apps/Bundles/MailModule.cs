using Polder.Apps.Bundles.Stores;
using Polder.Apps.Contacts;
using Polder.Overlay;

namespace Polder.Apps.Bundles;

/// <summary>Gives a node its mail-bag: <c>host.Find&lt;Mailbag&gt;()</c>. Offer an <see cref="IMailStore"/> before for letters that outlive the run, and <see cref="MailOptions"/> for other settings.</summary>
public sealed class MailModule : INodeModule
{
    /// <inheritdoc/>
    public string Name => "mail";

    /// <inheritdoc/>
    public void Join(NodeHost node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var contacts = node.Find<ContactBook>() ?? throw new InvalidOperationException("The mail-bag needs the contacts: join their module first.");
        node.Offer(new Mailbag(node, node.Find<IMailStore>() ?? new MemoryMailStore(), contacts, node.Find<MailOptions>()));
    }
}
