using Polder.Node.Operations;

namespace Polder.Host.Pages.Inbox;

/// <param name="Trust">By key.</param>
public sealed record InboxModel(FrameModel Frame, IReadOnlyList<InboxItem> Items, IReadOnlyDictionary<string, TrustView> Trust) : IPageModel
{
    public string Title => "Inbox";
    public string Here => "inbox";
    public Type Body => typeof(InboxPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(InboxLede), typeof(InboxLetters)];
}
