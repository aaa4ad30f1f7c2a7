using Polder.Node.Operations;

namespace Polder.Host.Pages.Home;

public sealed record HomeModel(
    FrameModel Frame, IReadOnlyList<PeerView> Peers, IReadOnlyDictionary<string, TrustView> Trust, IReadOnlySet<string> Culprits,
    IReadOnlyList<InboxItem> Inbox, IReadOnlyList<TrafficSample> Traffic, FormState Record, FormState Join, bool Alone) : IPageModel
{
    public string Title => "Home";
    public string Here => "home";
    public Type Body => typeof(HomePage);
    public IReadOnlyList<Type> Live { get; } =
        [typeof(HomeLede), typeof(HomeAddress), typeof(HomeHorizon), typeof(HomeNext), typeof(HomeTraffic)];
}
