using Polder.Node.Operations;

namespace Polder.Host.Pages.Fraud;

/// <param name="Frauds">The newest first.</param>
/// <param name="Checked">What an uploaded file proves; null where none was.</param>
/// <param name="Kept">Whether it was kept.</param>
/// <param name="Problem">Why no file could be checked.</param>
public sealed record FraudModel(FrameModel Frame, IReadOnlyList<FraudDetail> Frauds, FraudCheckView? Checked, bool Kept, string? Problem) : IPageModel
{
    public string Title => "Fraud";
    public string Here => "fraud";
    public Type Body => typeof(FraudPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(FraudList)];
}
