using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Polder.Tests.Host;
using Polder.Tests.Pages;

namespace Polder.Tests.Graph.Host;

/// <summary>
/// examples/graph-notes in headless Chromium with the package gun as it is: two tabs share a list through one node, the node is killed, both
/// write, it starts again, and both have everything without being loaded anew.
/// </summary>
public sealed class GraphNotesTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-notes-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Two_tabs_share_notes_and_go_on_after_the_node_was_killed()
    {
        var package = StockGunTests.Needed();
        await using var site = await ServeAsync(package);
        var port = StockGunTests.FreePort();
        string[] arguments = ["--port", "0", "--page", "0", "--graph", $"{port}"];
        var (process, _) = await PolderProcess.StartNodeAsync(_folder, arguments);
        var address = $"{site.Urls.First()}/?node=http://127.0.0.1:{port}/gun";
        // A context of its own for each: nothing is shared but the node.
        var (one, other) = (await OpenAsync(address), await OpenAsync(address));
        await AddAsync(one, "milk");
        await SeesAsync(other, "milk");
        await process.KillAsync();
        await process.DisposeAsync();
        await AddAsync(one, "written by the first while the node was away");
        await AddAsync(other, "written by the other while the node was away");
        await other.Locator("li", new() { HasText = "milk" }).Locator("input").CheckAsync();
        (process, _) = await PolderProcess.StartNodeAsync(_folder, arguments);
        await using (process)
        {
            foreach (var page in new[] { one, other })
            {
                await SeesAsync(page, "written by the first while the node was away");
                await SeesAsync(page, "written by the other while the node was away");
                await Assertions.Expect(page.Locator("li.done", new() { HasText = "milk" })).ToBeVisibleAsync(new() { Timeout = 20_000 });
                Assert.Equal("1", await page.EvaluateAsync<string>("String(performance.getEntriesByType('navigation').length)"));
            }
            // Whoever comes later has it from the node alone.
            await SeesAsync(await OpenAsync(address), "written by the first while the node was away");
        }
    }

    private async Task<IPage> OpenAsync(string address)
    {
        // What the console says of a node that is away is part of the story.
        var page = await chromium.OpenAsync([]);
        await page.GotoAsync(address);
        return page;
    }

    private static async Task AddAsync(IPage page, string text)
    {
        await page.Locator("#text").FillAsync(text);
        await page.Locator("#add button").ClickAsync();
        await SeesAsync(page, text);
    }

    private static Task SeesAsync(IPage page, string text) => Assertions.Expect(page.Locator("li", new() { HasText = text })).ToBeVisibleAsync(new() { Timeout = 20_000 });

    /// <summary>The example's folder, with the package beside it, on a port of loopback.</summary>
    private static async Task<WebApplication> ServeAsync(string package)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var site = builder.Build();
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(folder.FullName, "examples", "graph-notes"))) folder = folder.Parent!;
        site.MapGet("/", () => Results.Content(File.ReadAllText(Path.Combine(folder.FullName, "examples", "graph-notes", "index.html")), "text/html"));
        site.MapGet("/node_modules/gun/gun.js", () => Results.Content(File.ReadAllText(Path.Combine(package, "node_modules", "gun", "gun.js")), "text/javascript"));
        await site.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }
}
