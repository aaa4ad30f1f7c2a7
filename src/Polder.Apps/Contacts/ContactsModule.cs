using Polder.Apps.Contacts.Speaking;
using Polder.Overlay;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>People: offers the <see cref="ContactBook"/> and the <see cref="ContactService"/>, over the overlay's <see cref="ContactList"/> (offered before, or made here).</summary>
public sealed class ContactsModule : INodeModule
{
    /// <inheritdoc/>
    public string Name => "contacts";

    /// <inheritdoc/>
    public void Join(NodeHost node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Find<ContactList>() is null) node.Offer(new ContactList(node));
        node.Offer(new ContactBook(node));
        node.Offer(new ContactService(node));
        node.Offer(new SpokenCodes(node));
    }
}
