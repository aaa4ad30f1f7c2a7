
namespace Polder.Host.Pages.Frame;

/// <summary>A page that says why there is no other.</summary>
public sealed record ProblemModel(FrameModel Frame, string Title, string Text) : IPageModel
{
    public string Here => "";
    public Type Body => typeof(Problem);
    public IReadOnlyList<Type> Live => [];
}
