using Polder.Host.Lab;
using Polder.Host.Pages.Plots;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>What a page shows: a snapshot, loaded before anything is drawn, so that drawing waits for nothing.</summary>
public interface IPageModel
{
    /// <summary>What every page shows.</summary>
    FrameModel Frame { get; }
    /// <summary>The title, before " · Polder".</summary>
    string Title { get; }
    /// <summary>The page of the navigation that it belongs to: "home", "peers", …</summary>
    string Here { get; }
    /// <summary>The component that draws what stands between header and footer.</summary>
    Type Body { get; }
    /// <summary>Components that are drawn again on their own when something changed.</summary>
    IReadOnlyList<Type> Live { get; }
}

/// <summary>What header and footer show.</summary>
/// <param name="Status">How the node is doing.</param>
/// <param name="Now">When this was loaded.</param>
/// <param name="Notice">What the last form did.</param>
/// <param name="LivePath">Where changes of this page come from; null on pages that stand still.</param>
public sealed record FrameModel(StatusView Status, DateTimeOffset Now, Notice? Notice, string? LivePath)
{
    /// <summary>The laboratory, where one runs.</summary>
    internal LabSnapshot? Lab { get; init; }
}

/// <summary>A sentence about what a form did.</summary>
/// <param name="Kind">"", "good", "wait" or "bad".</param>
/// <param name="Head">Its first words, in bold.</param>
/// <param name="Text">The rest.</param>
/// <param name="Link">Where to look, or null.</param>
/// <param name="LinkText">What the link says.</param>
public sealed record Notice(string Kind, string Head, string Text, string? Link = null, string? LinkText = null);

/// <summary>A form and what was typed into it.</summary>
/// <param name="Values">By field.</param>
/// <param name="Errors">What is wrong, by field.</param>
public sealed record FormState(IReadOnlyDictionary<string, string> Values, IReadOnlyDictionary<string, string> Errors)
{
    public static FormState Empty { get; } = new(new Dictionary<string, string>(), new Dictionary<string, string>());
    public string Value(string field, string fallback = "") => Values.GetValueOrDefault(field, fallback);
    public string? Error(string field) => Errors.GetValueOrDefault(field);
    /// <summary>The field that gets the focus: the first with an error.</summary>
    public bool IsFirstError(params ReadOnlySpan<string> order)
    {
        var last = order[^1];
        foreach (var field in order) if (Errors.ContainsKey(field)) return field == last;
        return false;
    }
}

public sealed record HomeModel(
    FrameModel Frame, IReadOnlyList<PeerView> Peers, IReadOnlyDictionary<string, TrustView> Trust, IReadOnlySet<string> Culprits,
    IReadOnlyList<InboxItem> Inbox, IReadOnlyList<TrafficSample> Traffic, FormState Record, FormState Join, bool Alone) : IPageModel
{
    public string Title => "Home";
    public string Here => "home";
    public Type Body => typeof(Home);
    public IReadOnlyList<Type> Live { get; } =
        [typeof(HomeLede), typeof(HomeAddress), typeof(HomeHorizon), typeof(HomeNext), typeof(HomeTraffic)];
}

public sealed record PeersModel(
    FrameModel Frame, IReadOnlyList<PeerView> Peers, IReadOnlyList<ContactView> Contacts, IReadOnlySet<string> Culprits, FormState Record,
    FormState Join) : IPageModel
{
    public string Title => "Peers";
    public string Here => "peers";
    public Type Body => typeof(Peers);
    public IReadOnlyList<Type> Live { get; } = [typeof(PeersLede), typeof(PeersTable), typeof(ContactsList)];
}

/// <summary>A block beside the half of its counterparty, as far as known.</summary>
public sealed record Pair(BlockView Mine, BlockView? Other);

/// <param name="Chain">The window of the chain that is drawn; null when there is none to show.</param>
/// <param name="Pairs">The blocks that are listed, newest first.</param>
/// <param name="Searched">What was asked for.</param>
/// <param name="Problem">Why there is nothing to show.</param>
/// <param name="Before">Blocks below this number only; null for the newest.</param>
public sealed record ChainModel(
    FrameModel Frame, ChainView? Chain, IReadOnlyList<Pair> Pairs, IReadOnlyList<FraudView> Frauds, IReadOnlyList<string> Names,
    string Searched, string? Problem, long? Before) : IPageModel
{
    /// <summary>What a search found, when more than one chain or a block was meant; null otherwise.</summary>
    public LedgerSearchView? Found { get; init; }

    public bool IsOwn => Chain is not null && Chain.Owner.PublicKey == Frame.Status.Identity.PublicKey;
    public string Title => Chain is null ? "Chain" : $"Chain of {Chain.Owner.Name}";
    public string Here => "chain";
    public Type Body => typeof(ChainPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(ChainStones), typeof(ChainBlocks), typeof(ChainFrauds)];
}

public sealed record BlockModel(FrameModel Frame, BlockDetail Detail, string OwnerName, string OtherName, bool Fraud) : IPageModel
{
    public string Title => $"Block {Detail.Block.Sequence} of {OwnerName}";
    public string Here => "chain";
    public Type Body => typeof(BlockPage);
    public IReadOnlyList<Type> Live => [];
}

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

/// <param name="Trust">By key.</param>
public sealed record InboxModel(FrameModel Frame, IReadOnlyList<InboxItem> Items, IReadOnlyDictionary<string, TrustView> Trust) : IPageModel
{
    public string Title => "Inbox";
    public string Here => "inbox";
    public Type Body => typeof(InboxPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(InboxLede), typeof(InboxLetters)];
}

public sealed record DoctorModel(FrameModel Frame, DoctorView Doctor) : IPageModel
{
    public string Title => "Doctor";
    public string Here => "doctor";
    public Type Body => typeof(DoctorPage);
    public IReadOnlyList<Type> Live { get; } =
        [typeof(DoctorLede), typeof(DoctorGate), typeof(DoctorAdvice), typeof(DoctorPeers), typeof(DoctorEvidence), typeof(DoctorSources)];
}

public sealed record InvitationModel(FrameModel Frame, InvitationView Invitation) : IPageModel
{
    public string Title => "An invitation";
    public string Here => "contacts";
    public Type Body => typeof(InvitationPage);
    public IReadOnlyList<Type> Live => [];
}

/// <param name="Drawn">Nodes that the page had when it was loaded.</param>
public sealed record LabModel(FrameModel Frame, int Drawn) : IPageModel
{
    public string Title => "Lab";
    public string Here => "lab";
    public Type Body => typeof(LabPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(LabCounts), typeof(LabWho), typeof(LabLog), typeof(LabFields)];
}

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

/// <param name="Crawl">How far the fetching is; null where nothing can be fetched.</param>
public sealed record NetworkModel(FrameModel Frame, NetworkStatisticsView Statistics, CrawlProgressView? Crawl) : IPageModel
{
    public string Title => "Network";
    public string Here => "network";
    public Type Body => typeof(NetworkPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(NetworkTally), typeof(NetworkCrawl)];

    internal PlotModel RecordsPlot => new("records", "Records a day", Days, new PlotAxis("records a day"), [new PlotSeries("records", Points(day => day.Records))])
    {
        Caption = "Half blocks signed on each day, proposals and agreements alike.",
    };

    internal PlotModel UsersPlot => new("users", "Users over time", Days, new PlotAxis("users"),
        [new PlotSeries("seen so far", Points(day => day.Users)), new PlotSeries("active that day", Points(day => day.Active))])
    {
        Caption = "Keys that signed at least one block up to each day, and keys that signed on it.",
    };

    private static PlotAxis Days { get; } = new("day", Scale: PlotScale.Calendar);

    private IReadOnlyList<PlotPoint> Points(Func<NetworkDayView, double> of) =>
        [.. Statistics.Days.Select(day => new PlotPoint(new DateTimeOffset(day.Day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeSeconds(), of(day)))];
}

/// <summary>A page that says why there is no other.</summary>
public sealed record ProblemModel(FrameModel Frame, string Title, string Text) : IPageModel
{
    public string Here => "";
    public Type Body => typeof(Problem);
    public IReadOnlyList<Type> Live => [];
}
