using Microsoft.Playwright;
using Polder.Host;
using Polder.Node;
using Polder.Tests.Node;

namespace Polder.Tests.Pages;

/// <summary>Two people with two real nodes send a file by a code, through the page alone, with and without script.</summary>
public sealed class SendPageTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_goes_from_page_to_page_by_a_code(bool script)
    {
        var stop = TestContext.Current.CancellationToken;
        var errors = new List<string>();
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).StartAsync(stop);
        await using var bob = await new NodeBuilder(NodeTests.Quick(_folder.At("bob"))).StartAsync(stop);
        await using var aliceWeb = await WebFace.StartAsync(alice.Operations, null, 0, "token", stop);
        await using var bobWeb = await WebFace.StartAsync(bob.Operations, null, 0, "token", stop);
        var content = new byte[300_000];
        Random.Shared.NextBytes(content);
        const string name = "photo <b>& co.png";

        var hers = await chromium.OpenAsync(errors, script: script);
        await hers.GotoAsync(aliceWeb.Address + "send");
        await hers.Locator("#files").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "image/png", Buffer = content });
        await hers.GetByRole(AriaRole.Button, new() { Name = "Make a code" }).ClickAsync();
        var shown = hers.Locator(".code-big code");
        await Assertions.Expect(shown).ToContainTextAsync("-");
        var code = await shown.InnerTextAsync();
        await Assertions.Expect(hers.Locator(".cargo-code svg")).ToBeVisibleAsync();
        await hers.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "send-code-1280-light.png"), FullPage = true });

        var his = await chromium.OpenAsync(errors, 390, 900, dark: true, script: script);
        await his.GotoAsync(bobWeb.Address + "send");
        await his.GetByLabel("The code that you were told").FillAsync(code.Replace('-', ' ').ToUpperInvariant().Replace(' ', '-'));
        await his.GetByRole(AriaRole.Button, new() { Name = "Receive" }).ClickAsync();
        var yes = his.GetByRole(AriaRole.Button, new() { Name = "Yes, take it" });
        await SeeAsync(his, yes);
        await Assertions.Expect(his.Locator(".cargo-files")).ToContainTextAsync(name);
        await his.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "send-question-390-dark.png"), FullPage = true });
        await yes.ClickAsync();
        await SeeAsync(his, his.Locator(".cargo-item.is-done"));
        await SeeAsync(hers, hers.Locator(".cargo-item.is-done"));
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(_folder.At("bob"), "received", name), stop));
        // What was uploaded only to be sent is gone.
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder.At("alice"), "parcels", "uploads")));
        await his.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "send-done-390-dark.png"), FullPage = true });
        Assert.Empty(errors);
        await hers.Context.CloseAsync();
        await his.Context.CloseAsync();

        // Without script a person loads the page again.
        async Task SeeAsync(IPage page, ILocator what)
        {
            for (var tries = 0; !script && tries < 60 && await what.CountAsync() == 0; tries++)
            {
                await Task.Delay(500, stop);
                await page.GotoAsync(page.Url.Split('#')[0]);
            }
            await Assertions.Expect(what).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task What_is_dropped_gets_a_code_with_its_picture()
    {
        var stop = TestContext.Current.CancellationToken;
        var errors = new List<string>();
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).StartAsync(stop);
        await using var web = await WebFace.StartAsync(alice.Operations, null, 0, "token", stop);
        var page = await chromium.OpenAsync(errors, dark: true);
        await page.GotoAsync(web.Address + "send");
        var dragged = await page.EvaluateHandleAsync("() => { const data = new DataTransfer(); data.items.add(new File(['hello'], 'dropped.txt')); return data; }");
        await page.DispatchEventAsync("#drop", "dragenter", new { dataTransfer = dragged });
        await Assertions.Expect(page.Locator("#drop.drop-over")).ToBeVisibleAsync();
        await page.DispatchEventAsync("#drop", "drop", new { dataTransfer = dragged });
        await Assertions.Expect(page.Locator(".code-big code")).ToContainTextAsync("-");
        await Assertions.Expect(page.Locator(".cargo-head")).ToContainTextAsync("dropped.txt");
        await Assertions.Expect(page.Locator(".cargo-code svg")).ToBeVisibleAsync();
        Assert.Empty(errors);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_code_that_is_none_and_a_form_without_files_get_a_sentence()
    {
        var stop = TestContext.Current.CancellationToken;
        var page = await chromium.OpenAsync([], script: false);
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).StartAsync(stop);
        await using var web = await WebFace.StartAsync(alice.Operations, null, 0, "token", stop);
        await page.GotoAsync(web.Address + "send");
        await page.GetByLabel("The code that you were told").FillAsync("crossover");
        await page.GetByRole(AriaRole.Button, new() { Name = "Receive" }).ClickAsync();
        await Assertions.Expect(page.Locator(".field-error")).ToContainTextAsync("A code begins with a number");
        await page.Context.CloseAsync();
    }
}
