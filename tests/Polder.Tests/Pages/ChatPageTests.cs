using Microsoft.Playwright;
using Polder.Apps.Contacts;
using Polder.Host;
using Polder.Node;
using Polder.Tests.Node;

namespace Polder.Tests.Pages;

/// <summary>People talk through the page alone: two and three real nodes, with script and without.</summary>
public sealed class ChatPageTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private const string Nasty = "<script>document.title='pwned'</script><img src=x onerror=alert(1)> \u202Eevil\u202C &amp; **bold**";

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _errors = [];

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<PolderNode> StartAsync(string name, params string[] join) => new NodeBuilder(NodeTests.Quick(_folder.At(name), join)).StartAsync(Stop);

    private static async Task KnowAsync(PolderNode one, string oneName, PolderNode other, string otherName)
    {
        await one.InvokeAsync(() => one.Host.Find<ContactBook>()!.AddAsync(other.Identity, otherName, verified: true, address: other.UdpEndpoint));
        await other.InvokeAsync(() => other.Host.Find<ContactBook>()!.AddAsync(one.Identity, oneName, verified: true, address: one.UdpEndpoint));
        await NodeTests.MeetAsync(one, other);
    }

    private static ILocator Lines(IPage page) => page.Locator("#live-chat-messages .say-text");

    [Fact]
    public async Task Two_talk_with_reply_reaction_edit_picture_and_ticks_and_nothing_of_others_runs()
    {
        await using var alice = await StartAsync("alice");
        await using var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await KnowAsync(alice, "Alice", bob, "Bob");
        await using var web = await WebFace.StartAsync(alice.Operations, null, 0, "token", Stop);
        await using var other = await WebFace.StartAsync(bob.Operations, null, 0, "token", Stop);
        var (page, his) = (await chromium.OpenAsync(_errors), await chromium.OpenAsync(_errors, 390, 844, dark: true));

        await page.GotoAsync(web.Address + "chat");
        await page.GetByLabel("New conversation or group").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Bob", Exact = true }).ClickAsync();
        await page.GetByLabel("Message", new() { Exact = true }).FillAsync("Hello Bob");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(Lines(page)).ToHaveTextAsync(["Hello Bob"]);
        await Assertions.Expect(page.Locator(".tick-delivered")).ToBeVisibleAsync();

        await his.GotoAsync(other.Address + "chat");
        await his.Locator(".talk-list a").ClickAsync();
        await Assertions.Expect(Lines(his)).ToHaveTextAsync(["Hello Bob"]);
        await Assertions.Expect(page.Locator(".tick-seen")).ToContainTextAsync("Seen");

        // He answers with what would run if it could, and a picture.
        await his.GetByLabel("What to do with the message of Alice").ClickAsync();
        await his.GetByRole(AriaRole.Link, new() { Name = "Reply" }).ClickAsync();
        await his.GetByLabel("Message", new() { Exact = true }).FillAsync(Nasty);
        var picture = _folder.At("beans.png");
        await File.WriteAllBytesAsync(picture, QrPicture.Png("https://polder.example/beans"), Stop);
        await his.Locator("#composer input[type=file]").SetInputFilesAsync(picture);
        await his.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Assertions.Expect(Lines(page)).ToHaveCountAsync(2);
        await Assertions.Expect(Lines(page).Nth(1)).ToContainTextAsync("<script>document.title='pwned'</script><img src=x onerror=alert(1)> \uFFFDevil\uFFFD &amp; **bold**");
        await Assertions.Expect(page.Locator(".say-quote")).ToContainTextAsync("Hello Bob");
        await Assertions.Expect(page.Locator(".say-picture img")).ToBeVisibleAsync();
        Assert.Equal("Chat with Bob · Polder", await page.TitleAsync());

        await page.GetByLabel("What to do with the message of Bob").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "React with ❤️" }).ClickAsync();
        await Assertions.Expect(his.Locator(".signs")).ToContainTextAsync("1");
        await page.GetByLabel("What to do with the message of You").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Edit" }).ClickAsync();
        await page.GetByLabel("Message", new() { Exact = true }).FillAsync("Hello Robert");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(Lines(his).Nth(0)).ToHaveTextAsync("Hello Robert");
        await page.GetByLabel("Search messages").FillAsync("robe");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator(".talk-found")).ToContainTextAsync("Hello Robert");
        await page.GotoAsync(web.Address + "chat?with=" + bob.Identity);
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-1280-light.png") });
        await his.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-390-dark.png") });
        Assert.Empty(_errors);
        await page.Context.CloseAsync();
        await his.Context.CloseAsync();
    }

    [Fact]
    public async Task Three_make_a_group_without_script_and_who_is_removed_reads_no_more()
    {
        await using var alice = await StartAsync("alice");
        await using var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await using var carol = await StartAsync("carol", alice.UdpEndpoint.ToString(), bob.UdpEndpoint.ToString());
        await KnowAsync(alice, "Alice", bob, "Bob");
        await KnowAsync(alice, "Alice", carol, "Carol");
        await KnowAsync(bob, "Bob", carol, "Carol");
        await using var web = await WebFace.StartAsync(alice.Operations, null, 0, "token", Stop);
        var page = await chromium.OpenAsync(_errors, script: false);
        await page.GotoAsync(web.Address + "chat");
        await page.GetByLabel("New conversation or group").ClickAsync();
        await page.GetByLabel("Its name").FillAsync("Garden");
        await page.GetByLabel("Bob").CheckAsync();
        await page.GetByLabel("Carol").CheckAsync();
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-new-1280-light.png") });
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the group" }).ClickAsync();
        await page.GetByLabel("Message", new() { Exact = true }).FillAsync("Who waters?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Assertions.Expect(Lines(page)).ToHaveTextAsync(["Who waters?"]);
        async Task<IReadOnlyList<string>> ReadAsync(PolderNode node)
        {
            if ((await node.Operations.Chat.ListAsync(Stop)).All(static one => one.Name != "Garden")) return [];
            return [.. (await node.Operations.Chat.ShowAsync("Garden", cancellation: Stop)).Messages.Where(static one => one.Kind == "text").Select(static one => one.FromName + ": " + one.Text)];
        }
        await NodeTests.UntilAsync(async () => (await ReadAsync(carol)).Count == 1 && (await ReadAsync(bob)).Count == 1, "both read it");
        await carol.Operations.Chat.AcceptAsync("Garden", Stop);
        await carol.Operations.Chat.SendAsync("Garden", "I do", cancellation: Stop);
        await NodeTests.UntilAsync(async () => (await ReadAsync(alice)).Count == 2, "Alice reads Carol");

        await page.ReloadAsync();
        await page.GetByText("Members", new() { Exact = true }).ClickAsync();
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-members-1280-light.png") });
        await page.SetViewportSizeAsync(390, 844);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-members-390-dark.png") });
        await page.Locator("li", new() { HasText = "Carol" }).GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Assertions.Expect(page.Locator("#live-chat-messages")).ToContainTextAsync("You removed Carol");
        await NodeTests.UntilAsync(async () => (await carol.Operations.Chat.ListAsync(Stop)).Any(static one => one.Standing == "gone"), "Carol knows");
        await bob.Operations.Chat.SendAsync("Garden", "Without Carol", cancellation: Stop);
        await NodeTests.UntilAsync(async () => (await ReadAsync(alice)).Contains("Bob: Without Carol"), "Alice reads Bob");
        Assert.Equal(["Alice: Who waters?", "You: I do"], await ReadAsync(carol));
        await page.GotoAsync(web.Address + "chat");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, "chat-list-1280-light.png") });
        Assert.Empty(_errors);
        await page.Context.CloseAsync();
    }
}
