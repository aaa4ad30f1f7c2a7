using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Polder.Host.Pages;
using Polder.Host.Pages.Plots;

namespace Polder.Tests.Pages;

public sealed class PlotTests
{
    private static readonly PlotModel Plot = new("gain", "What the false identities gain", new PlotAxis("false identities"), new PlotAxis("gain"),
    [
        new PlotSeries("hitting time", [new(0, 0), new(10, 0.28), new(50, 0.71)]),
        new PlotSeries("bound <1.5>", [new(0, 1.5), new(50, 1.5)], PlotKind.Bound),
    ]);

    private static async Task<XElement> DrawAsync(PlotModel plot)
    {
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        return XElement.Parse(await new PageRenderer(services).ComponentAsync(typeof(LinePlot), plot), LoadOptions.PreserveWhitespace);
    }

    [Fact]
    public async Task A_plot_is_two_pictures_with_titles_and_a_table_with_the_same_numbers()
    {
        var figure = await DrawAsync(Plot);

        var pictures = figure.Elements("svg").ToList();
        Assert.Equal(2, pictures.Count);
        Assert.All(pictures, picture => Assert.Equal(Plot.Title, picture.Element("title")!.Value));
        Assert.Contains("from 0 to 50", pictures[0].Element("desc")!.Value, StringComparison.Ordinal);
        var ids = figure.DescendantsAndSelf().Attributes("id").Select(id => id.Value).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var rows = figure.Descendants("tbody").Single().Elements("tr").Select(row => string.Join('|', row.Elements().Select(cell => cell.Value))).ToList();
        Assert.Equal(["0|0|1.5", "10|0.28|–", "50|0.71|1.5"], rows);
        // The policy of the pages lets no style attribute work.
        Assert.DoesNotContain(figure.DescendantsAndSelf(), element => element.Attribute("style") is not null);
    }

    [Fact]
    public async Task A_plot_without_points_says_so()
    {
        var figure = await DrawAsync(Plot with { Series = [new PlotSeries("nothing", [])] });
        Assert.Contains("There is nothing to draw yet.", figure.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(-3, 1e9)]
    [InlineData(double.NaN, 1)]
    [InlineData(0, double.PositiveInfinity)]
    [InlineData(1e-300, 1e300)]
    public async Task Any_numbers_can_be_drawn(double low, double high)
    {
        foreach (var scale in Enum.GetValues<PlotScale>())
        {
            var plot = new PlotModel("any", "Any", new PlotAxis("x", "", scale), new PlotAxis("y", "", scale), [new PlotSeries("s", [new(low, low), new(high, high), new(1, 2)])]);
            var figure = await DrawAsync(plot);
            Assert.DoesNotContain("NaN", figure.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("∞", string.Concat(figure.Descendants("path").Attributes("d").Select(d => d.Value)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(PlotScale.Linear, 0, 0.71, 5, "0, 0.2, 0.4, 0.6, 0.8")]
    [InlineData(PlotScale.Linear, 0, 50, 5, "0, 10, 20, 30, 40, 50")]
    [InlineData(PlotScale.Linear, -1, 1, 4, "-1, -0.5, 0, 0.5, 1")]
    [InlineData(PlotScale.Linear, 0, 250_000, 5, "0, 50k, 100k, 150k, 200k, 250k")]
    [InlineData(PlotScale.Logarithmic, 10, 100_000, 5, "10, 100, 1,000, 10k, 100k")]
    [InlineData(PlotScale.Logarithmic, 3, 30, 5, "2, 5, 10, 20, 50")]
    [InlineData(PlotScale.Calendar, 1_790_000_000, 1_791_000_000, 8, "22 Sep, 24 Sep, 26 Sep, 28 Sep, 30 Sep, 2 Oct")]
    [InlineData(PlotScale.Calendar, 1_700_000_000, 1_790_000_000, 4, "2024, 2025, 2026")]
    public void Ticks_are_round(PlotScale scale, double min, double max, int wanted, string expected)
    {
        var (_, _, ticks) = PlotTicks.Of(scale, min, max, wanted, round: true);
        Assert.Equal(expected, string.Join(", ", ticks.Select(tick => PlotTicks.Text(scale, tick, ticks))));
    }

    [Fact]
    public void A_bound_far_above_does_not_flatten_the_data_and_is_named()
    {
        var far = Plot with { Series = [Plot.Series[0], new PlotSeries("bound", [new(0, 99), new(50, 99)], PlotKind.Bound)] };
        var layout = new PlotLayout(far, 720, 320);
        Assert.Equal(("bound", 99), layout.Above().Select(above => (above.Series.Name, above.Least)).Single());
        Assert.InRange(layout.Y(0.71), 0, 60);
    }

    [Fact]
    public void Long_series_are_thinned_and_keep_their_ends()
    {
        int[] all = [.. Enumerable.Range(0, 100_000)];
        int[] some = [.. PlotLayout.Thinned(all, 50)];
        Assert.Equal((50, 0, 99_999), (some.Length, some[0], some[^1]));
    }
}
