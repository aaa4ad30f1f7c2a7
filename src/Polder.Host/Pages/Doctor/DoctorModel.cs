using Polder.Node.Operations;

namespace Polder.Host.Pages.Doctor;

public sealed record DoctorModel(FrameModel Frame, DoctorView Doctor) : IPageModel
{
    public string Title => "Doctor";
    public string Here => "doctor";
    public Type Body => typeof(DoctorPage);
    public IReadOnlyList<Type> Live { get; } =
        [typeof(DoctorLede), typeof(DoctorGate), typeof(DoctorAdvice), typeof(DoctorPeers), typeof(DoctorEvidence), typeof(DoctorSources)];
}
