using Polder.Host.Pages.Plots;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Network;

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
