
namespace Polder.Host.Pages.LiveLab;

/// <param name="Drawn">Nodes that the page had when it was loaded.</param>
public sealed record LabModel(FrameModel Frame, int Drawn) : IPageModel
{
    public string Title => "Lab";
    public string Here => "lab";
    public Type Body => typeof(LabPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(LabCounts), typeof(LabWho), typeof(LabLog), typeof(LabFields)];
}
