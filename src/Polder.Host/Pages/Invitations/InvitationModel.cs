using Polder.Node.Operations;

namespace Polder.Host.Pages.Invitations;

public sealed record InvitationModel(FrameModel Frame, InvitationView Invitation) : IPageModel
{
    public string Title => "An invitation";
    public string Here => "contacts";
    public Type Body => typeof(InvitationPage);
    public IReadOnlyList<Type> Live => [];
}
