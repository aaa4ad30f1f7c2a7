using Microsoft.Playwright;
using Polder.Host;

namespace Polder.Tests.Pages;

/// <summary>The pages in a real browser, over a real connection on 127.0.0.1.</summary>
public sealed class BrowserTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private static readonly string[] Paths = ["", "peers", "chain", "trust", "inbox", "doctor", "lab", "simulation"];

    private readonly StagedNode _node = StagedNode.Village();
    private readonly StagedLab _lab = new();
    private readonly List<string> _errors = [];
    private WebFace _web = null!;

    public async ValueTask InitializeAsync() => _web = await WebFace.StartAsync(_node, _lab, 0, "token", TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();

    [Theory]
    [InlineData(1280, false)]
    [InlineData(1280, true)]
    [InlineData(390, false)]
    [InlineData(390, true)]
    public async Task Every_page_fits_and_has_no_errors(int width, bool dark)
    {
        _lab.Show(StagedLab.Eight(23));
        var page = await chromium.OpenAsync(_errors, width, width == 390 ? 844 : 800, dark, still: true);
        string[] paths = [.. Paths, $"block/{_node.Own}.15", "chain?peer=zz-zz", "nothing"];
        foreach (var path in paths)
        {
            await page.GotoAsync(_web.Address + path);
            await page.WaitForFunctionAsync("() => document.querySelector('.copy') || !document.querySelector('.key:not(.key-short)')");
            var name = path.Length == 0 ? "home" : path.Split('/', '?')[0] + (path.Contains('?', StringComparison.Ordinal) ? "-unknown" : "");
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, $"{name}-{width}-{(dark ? "dark" : "light")}.png"), FullPage = true });
            Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"), $"{path} is wider than {width}");
        }
        await page.GotoAsync(_web.Address + "peers");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make an invitation" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { Name = "QR code of the invitation" })).ToBeVisibleAsync();
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, $"invitation-{width}-{(dark ? "dark" : "light")}.png"), FullPage = true });
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"), $"the invitation is wider than {width}");
        await page.GotoAsync(_web.Address + "simulation?study=sybil");
        await page.GetByLabel("Seed").FillAsync("7");
        await page.GetByRole(AriaRole.Button, new() { Name = "Play" }).ClickAsync();
        await Assertions.Expect(page.GetByText("polder sim attack sybil")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("svg.plot-picture:visible")).ToHaveCountAsync(4);
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, $"simulation-played-{width}-{(dark ? "dark" : "light")}.png"), FullPage = true });
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"), $"the simulation is wider than {width}");
        // The two last paths are refusals, which a browser reports in its console by itself.
        Assert.DoesNotContain(_errors, error => !error.Contains("404", StringComparison.Ordinal));
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task A_new_node_has_pages_that_fit_too(int width)
    {
        await using var web = await WebFace.StartAsync(new StagedNode(), null, 0, "token", TestContext.Current.CancellationToken);
        var page = await chromium.OpenAsync(_errors, width, width == 390 ? 844 : 800, still: true);
        foreach (var path in Paths)
        {
            await page.GotoAsync(web.Address + path);
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, $"empty-{(path.Length == 0 ? "home" : path)}-{width}.png"), FullPage = true });
            Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"), $"{path} is wider than {width}");
        }
        Assert.Empty(_errors);
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_record_is_signed_by_the_form_with_and_without_script(bool script)
    {
        var page = await chromium.OpenAsync(_errors, script: script);
        await page.GotoAsync(_web.Address + "peers");
        await page.GetByRole(AriaRole.Link, new() { Name = "Record help with " + StagedNode.PeerOf(2).Name }).ClickAsync();
        await page.WaitForURLAsync(url => url.Contains("#record-title", StringComparison.Ordinal));
        Assert.Equal(StagedNode.PeerOf(2).Name, await page.GetByLabel("with peer").InputValueAsync());

        await page.GetByLabel("how much").FillAsync("lots");
        await page.GetByLabel("for", new() { Exact = true }).FillAsync("storing a file");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign and propose" }).ClickAsync();
        await Assertions.Expect(page.GetByText("This is not a number. Write 25, and the unit beside it.")).ToBeVisibleAsync();
        Assert.Equal("storing a file", await page.GetByLabel("for", new() { Exact = true }).InputValueAsync());

        await page.GetByText("got", new() { Exact = true }).ClickAsync();
        await page.GetByLabel("how much").FillAsync("25");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign and propose" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Your half is signed and safe on disk.")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Chain");
        Assert.False(Assert.Single(_node.Recorded).Gave);
        Assert.Equal(25L << 20, _node.Recorded[0].Amount);
        Assert.DoesNotContain(_errors, error => !error.Contains("422", StringComparison.Ordinal));
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Without_script_the_page_says_that_it_is_a_picture_and_its_forms_work()
    {
        var page = await chromium.OpenAsync(_errors, script: false);
        await page.GotoAsync(_web.Address + "peers");
        // Chromium's emulation stops scripts and still hides noscript, so only its presence can be seen here.
        Assert.Contains("<noscript><p class=\"notice notice-wait\"><b>This page is a picture.</b>", await page.ContentAsync(), StringComparison.Ordinal);
        await page.GetByLabel("An address, or an invitation").FillAsync("127.0.0.1:8123");
        await page.GetByRole(AriaRole.Button, new() { Name = "Say hello" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Whoever answers appears here.")).ToBeVisibleAsync();
        await page.GotoAsync(_web.Address + "inbox");
        await page.GetByRole(AriaRole.Button, new() { Name = "Refuse" }).First.ClickAsync();
        await Assertions.Expect(page.GetByText("You signed nothing.")).ToBeVisibleAsync();
        await page.GotoAsync(_web.Address + "chain");
        await page.GetByLabel("Whose chain").FillAsync(StagedNode.PeerOf(4).Name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Assertions.Expect(page.Locator("#whose-title")).ToHaveTextAsync(StagedNode.PeerOf(4).Name);

        Assert.Equal("127.0.0.1:8123", Assert.Single(_node.Walked).ToString());
        Assert.False(Assert.Single(_node.Answered).Accept);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task What_changes_arrives_without_loading_and_leaves_alone_what_somebody_uses()
    {
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address);
        await Assertions.Expect(page.Locator("#live-pulse")).ToHaveTextAsync("10 peers there");
        await page.GetByLabel("how much").FillAsync("12");
        await page.Locator("#live-horizon a").First.FocusAsync();

        _node.Change(node => node.PeerList.Add(StagedNode.Peer(40, 3)));
        await Assertions.Expect(page.Locator("#live-pulse")).ToHaveTextAsync("11 peers there");
        await Assertions.Expect(page.Locator("#live-say")).ToHaveTextAsync("Eleven peers are there.");
        // The horizon has the focus, so it waits.
        Assert.Equal(0, await page.Locator("#live-horizon").GetByText(StagedNode.PeerOf(40).Name).CountAsync());
        await page.GetByLabel("how much").FocusAsync();
        await Assertions.Expect(page.Locator("#live-horizon").GetByText(StagedNode.PeerOf(40).Name)).ToBeVisibleAsync();
        Assert.Equal("12", await page.GetByLabel("how much").InputValueAsync());
        Assert.Empty(_errors);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Letters_do_not_move_under_the_pointer()
    {
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address + "inbox");
        await Assertions.Expect(page.Locator(".letter")).ToHaveCountAsync(2);
        await page.Locator(".letter").First.HoverAsync();

        _node.Change(node => node.Inbox.Insert(0, StagedNode.Item(5, "fresh", 3, "hours", true, "helping out", 1)));
        await Assertions.Expect(page.Locator("#live-tally")).ToContainTextAsync("3");
        await Assertions.Expect(page.Locator(".letter")).ToHaveCountAsync(2);
        await page.Locator("h1").HoverAsync();
        await Assertions.Expect(page.Locator(".letter")).ToHaveCountAsync(3);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_new_block_is_laid_once()
    {
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address + "chain");
        await Assertions.Expect(page.Locator("#live-chain .stone-partial[data-stone='18']")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".stone-new")).ToHaveCountAsync(0);

        _node.Change(node => node.Chains[node.Own].Add(StagedNode.Block(node.Own, 19, StagedNode.KeyOf(1), 0, "1 MB", true, "partial-next", 0)));
        await Assertions.Expect(page.Locator(".stone-new[data-stone='19']")).ToHaveCountAsync(1);
        Assert.Equal(1, await page.Locator(".stone-new").CountAsync());
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task The_lab_lives()
    {
        _lab.Show(StagedLab.Eight(5, 3));
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address + "lab");
        await Assertions.Expect(page.Locator("#live-lab-counts")).ToContainTextAsync("5");

        _lab.Show(StagedLab.Eight(12, 4));
        await Assertions.Expect(page.Locator("#live-lab-counts")).ToContainTextAsync("12");
        await Assertions.Expect(page.Locator("#live-node-1 .stone-new")).ToHaveCountAsync(1);
        Assert.Empty(_errors);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_page_says_when_its_node_is_gone_and_when_it_is_back()
    {
        var page = await chromium.OpenAsync(_errors);
        var web = await WebFace.StartAsync(_node, _lab, 0, "token", TestContext.Current.CancellationToken);
        var port = web.Port;
        await page.GotoAsync(web.Address + "peers");
        await Assertions.Expect(page.Locator("#live-stamp")).ToContainTextAsync("As of");

        await web.DisposeAsync();
        await Assertions.Expect(page.GetByText("Your node does not answer.").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#live-pulse")).ToHaveTextAsync("node does not answer");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "lost-1280-light.png") });

        await using var again = await WebFace.StartAsync(_node, _lab, port, "token", TestContext.Current.CancellationToken);
        await Assertions.Expect(page.Locator("#live-pulse")).ToHaveTextAsync("10 peers there");
        await Assertions.Expect(page.Locator("#live-lost")).ToHaveCountAsync(0);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_key_is_copied_by_its_button()
    {
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address);
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        Assert.Equal(_node.Own, await page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task The_keyboard_reaches_everything_first_the_page_itself()
    {
        var page = await chromium.OpenAsync(_errors);
        await page.GotoAsync(_web.Address + "inbox");
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the page", await page.EvaluateAsync<string>("() => document.activeElement.textContent"));
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByText("Your block agrees with block 31")).ToBeVisibleAsync();
        Assert.True(Assert.Single(_node.Answered).Accept);
        await page.Context.CloseAsync();
    }
}
