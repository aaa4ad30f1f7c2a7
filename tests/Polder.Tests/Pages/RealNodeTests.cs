using Microsoft.Playwright;
using Polder.Host;
using Polder.Node;
using Polder.Tests.Node;

namespace Polder.Tests.Pages;

/// <summary>The main job through the page alone: two real nodes meet, sign a record of help, and one ranks the other.</summary>
public sealed class RealNodeTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_nodes_meet_sign_and_rank_before_the_eyes_of_the_owner()
    {
        var stop = TestContext.Current.CancellationToken;
        var errors = new List<string>();
        var page = await chromium.OpenAsync(errors);
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).StartAsync(stop);
        await using var bob = await new NodeBuilder(NodeTests.Quick(_folder.At("bob"))).StartAsync(stop);
        await using var web = await WebFace.StartAsync(alice.Operations, null, 0, "token", stop);
        await page.GotoAsync(web.Address);
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(alice.Identity.ShortName);

        // She knows one address.
        await page.GetByLabel("An address, or an invitation").FillAsync(bob.UdpEndpoint.ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Say hello" }).ClickAsync();
        await Assertions.Expect(page.Locator("#live-peers").GetByRole(AriaRole.Link, new() { Name = bob.Identity.ShortName, Exact = true })).ToBeVisibleAsync();

        // Bob gave; he is credited, so his node signs by itself.
        await page.GetByRole(AriaRole.Link, new() { Name = "Record help with " + bob.Identity.ShortName }).ClickAsync();
        await page.GetByText("got", new() { Exact = true }).ClickAsync();
        await page.GetByLabel("how much").FillAsync("25");
        await page.GetByLabel("for", new() { Exact = true }).FillAsync("storing <b>a file</b>");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign and propose" }).ClickAsync();
        await Assertions.Expect(page.Locator("#live-blocks .bridge")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#live-blocks")).ToContainTextAsync($"25 MB from {bob.Identity.ShortName} for storing <b>a file</b>");
        await page.Locator("#live-blocks a.stead").First.ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Block 1");
        await Assertions.Expect(page.Locator("#verdict-title")).Not.ToContainTextAsync("Invalid");

        await page.GotoAsync(web.Address + "trust");
        await Assertions.Expect(page.Locator("#live-ranking")).ToContainTextAsync(bob.Identity.ShortName);
        await Assertions.Expect(page.Locator("#why-title")).ToContainTextAsync("25 MB");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "real-trust-1280-light.png") });

        // Bob asks for her word, and she gives it.
        await page.GotoAsync(web.Address + "inbox");
        await Assertions.Expect(page.GetByText("Nothing waits for your word")).ToBeVisibleAsync();
        var proposed = await bob.Operations.RecordAsync(new(alice.Identity.ToString(), false, 3, "answers", "answering a question", TimeSpan.Zero), stop);
        Assert.Equal("proposed", proposed.State);
        await Assertions.Expect(page.Locator(".letter")).ToContainTextAsync("says you gave it 3 answers for answering a question");
        await page.GetByRole(AriaRole.Button, new() { Name = "Accept" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Your block agrees with block 2 of " + bob.Identity.ShortName)).ToBeVisibleAsync();
        await page.GotoAsync(web.Address);
        await Assertions.Expect(page.Locator("#live-horizon")).ToContainTextAsync("trust 25 MB");
        Assert.Empty(errors);
        await page.Context.CloseAsync();
    }
}
