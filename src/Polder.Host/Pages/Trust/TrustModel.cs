using Polder.Node.Operations;

namespace Polder.Host.Pages.Trust;

/// <param name="By">The kind of score.</param>
/// <param name="LeftOut">Peers with a proven fraud.</param>
public sealed record TrustModel(
    FrameModel Frame, IReadOnlyList<string> Units, string Unit, TrustKind By, IReadOnlyList<TrustView> Rows,
    TrustExplanation? Why, string? WhyProblem, IReadOnlyList<PeerName> LeftOut) : IPageModel
{
    public string Title => "Trust";
    public string Here => "trust";
    public Type Body => typeof(TrustPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(TrustRanking), typeof(TrustWhy)];

    /// <summary>The page in a unit, by a kind of score, with the reasons of one peer.</summary>
    public static string Link(string unit, TrustKind by, string? why) =>
        $"/trust?unit={Uri.EscapeDataString(unit)}" + (by == TrustKind.All[0] ? "" : "&by=" + by.Name) + (why is null ? "" : "&why=" + Uri.EscapeDataString(why));
}
