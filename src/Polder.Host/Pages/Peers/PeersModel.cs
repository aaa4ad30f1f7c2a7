using Polder.Host.Pages.Invitations;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Peers;

public sealed record PeersModel(
    FrameModel Frame, IReadOnlyList<PeerView> Peers, IReadOnlyList<ContactView> Contacts, IReadOnlySet<string> Culprits, FormState Record,
    FormState Join) : IPageModel
{
    public string Title => "Peers";
    public string Here => "peers";
    public Type Body => typeof(PeersPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(PeersLede), typeof(PeersTable), typeof(ContactsList)];
}
