using Microsoft.Playwright;
using Polder.Apps.Bundles;
using Polder.Apps.Contacts;
using Polder.Host;
using Polder.Node;
using Polder.Tests.Node;

namespace Polder.Tests.Pages;

/// <summary>Where is my message? Three real nodes; what people see and do is on their pages.</summary>
public sealed class MailPageTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _errors = [];

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<PolderNode> StartAsync(string name, params string[] join) => new NodeBuilder(NodeTests.Quick(_folder.At(name), join) with
    {
        Mail = new MailOptions { FriendsAfter = TimeSpan.FromMilliseconds(200), AnyFriendAfter = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromMilliseconds(500) },
    }).StartAsync(Stop);

    private static Task<WebFace> ShowAsync(PolderNode node) => WebFace.StartAsync(node.Operations, null, 0, "token", Stop);

    private static Task<ContactRefusal> KnowAsync(PolderNode one, PolderNode other, string name, bool where = true) => one.InvokeAsync(() =>
        one.Host.Find<ContactBook>()!.AddAsync(other.Identity, name, verified: true, address: where ? other.UdpEndpoint : default));

    private static async Task ShootAsync(IPage page, string name) =>
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, name + ".png"), FullPage = true });

    [Fact]
    public async Task A_message_to_a_sleeping_friend_waits_with_a_common_friend_and_arrives_after_its_sender_left()
    {
        await using var carol = await StartAsync("carol");
        var bob = await StartAsync("bob", carol.UdpEndpoint.ToString());
        var alice = await StartAsync("alice", carol.UdpEndpoint.ToString());
        foreach (var (one, other, name) in new[] { (alice, bob, "Bob"), (alice, carol, "Carol"), (carol, alice, "Alice"), (carol, bob, "Bob"), (bob, carol, "Carol"), (bob, alice, "Alice") })
            Assert.Equal(ContactRefusal.None, await KnowAsync(one, other, name));
        await bob.DisposeAsync();

        // She writes while he sleeps, and sees who holds it.
        var web = await ShowAsync(alice);
        var hers = await chromium.OpenAsync(_errors, 390, 844);
        await hers.GotoAsync(web.Address + "chat?with=Bob");
        await hers.GetByLabel("Message", new() { Exact = true }).FillAsync("Good morning, sleeper");
        await hers.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Assertions.Expect(hers.Locator(".tick-waiting")).ToContainTextAsync("Waiting with Carol, a common friend");
        await ShootAsync(hers, "chat-waiting-390-light");
        await hers.GotoAsync(web.Address + "mailbag");
        await Assertions.Expect(hers.Locator("#live-mailbag-waiting")).ToContainTextAsync("Waiting with Carol, a common friend");
        await ShootAsync(hers, "mailbag-390-light");
        await using (var carolWeb = await ShowAsync(carol))
        {
            var carols = await chromium.OpenAsync(_errors, dark: true);
            await carols.GotoAsync(carolWeb.Address + "mailbag");
            await Assertions.Expect(carols.Locator("#live-mailbag-carried")).ToContainTextAsync("Alice");
            Assert.DoesNotContain("sleeper", await carols.ContentAsync(), StringComparison.Ordinal);
            await ShootAsync(carols, "mailbag-1280-dark");
            await carols.Context.CloseAsync();
        }
        await hers.Context.CloseAsync();
        await web.DisposeAsync();
        await alice.DisposeAsync();

        // She is gone; he wakes.
        await using var bobAgain = await StartAsync("bob", carol.UdpEndpoint.ToString());
        await using var bobWeb = await ShowAsync(bobAgain);
        var his = await chromium.OpenAsync(_errors);
        await his.GotoAsync(bobWeb.Address + "chat");
        await Assertions.Expect(his.Locator(".talk-list")).ToContainTextAsync("Good morning, sleeper");
        await his.Locator(".talk-list a").ClickAsync();
        await Assertions.Expect(his.Locator("#live-chat-messages .say-text")).ToHaveTextAsync(["Good morning, sleeper"]);

        await using var aliceAgain = await StartAsync("alice", carol.UdpEndpoint.ToString());
        await using var webAgain = await ShowAsync(aliceAgain);
        var again = await chromium.OpenAsync(_errors);
        await again.GotoAsync(webAgain.Address + "chat?with=Bob");
        await Assertions.Expect(again.Locator(".tick-seen")).ToContainTextAsync("Seen", new() { Timeout = 30_000 });
        await again.GotoAsync(webAgain.Address + "mailbag");
        await Assertions.Expect(again.Locator("#live-mailbag-waiting")).ToContainTextAsync("Seen");
        Assert.Empty(_errors);
        await again.Context.CloseAsync();
        await his.Context.CloseAsync();
    }

    [Fact]
    public async Task A_file_goes_by_hand_from_page_to_page_once_only_and_only_to_whom_it_is_sealed()
    {
        // Three who never meet on the network.
        await using var alice = await StartAsync("alice");
        await using var bob = await StartAsync("bob");
        await using var carol = await StartAsync("carol");
        await KnowAsync(alice, bob, "Bob", where: false);
        await KnowAsync(bob, alice, "Alice", where: false);
        await using var aliceWeb = await ShowAsync(alice);
        await using var bobWeb = await ShowAsync(bob);
        await using var carolWeb = await ShowAsync(carol);
        var (hers, his, carols) = (await chromium.OpenAsync(_errors), await chromium.OpenAsync(_errors, 390, 844, dark: true), await chromium.OpenAsync(_errors, script: false));
        await hers.GotoAsync(aliceWeb.Address + "chat?with=Bob");
        await hers.GetByLabel("Message", new() { Exact = true }).FillAsync("By hand");
        await hers.Keyboard.PressAsync("Enter");
        await Assertions.Expect(hers.Locator(".tick-here")).ToContainTextAsync("Only here");
        await hers.GotoAsync(aliceWeb.Address + "mailbag");
        await Assertions.Expect(hers.Locator("#live-mailbag-waiting")).ToContainTextAsync("Only here");
        await hers.GetByLabel("Write a file").SelectOptionAsync(new SelectOptionValue { Label = "for Bob only" });
        var stick = _folder.At("stick.bundle");
        await (await hers.RunAndWaitForDownloadAsync(() => hers.GetByRole(AriaRole.Button, new() { Name = "Export" }).ClickAsync())).SaveAsAsync(stick);
        await hers.ReloadAsync();
        await Assertions.Expect(hers.Locator("#live-mailbag-waiting")).ToContainTextAsync("Here, and in a file of");
        await ShootAsync(hers, "mailbag-1280-light");

        async Task ImportAsync(IPage page, WebFace web, string file)
        {
            await page.GotoAsync(web.Address + "mailbag");
            await page.GetByLabel("Take a file in").SetInputFilesAsync(file);
            await page.GetByRole(AriaRole.Button, new() { Name = "Import" }).ClickAsync();
        }

        // Neither a foreign nor a damaged file is taken, and each says why.
        await ImportAsync(carols, carolWeb, stick);
        await Assertions.Expect(carols.Locator("#file-error")).ToContainTextAsync("sealed for somebody else");
        var bytes = await File.ReadAllBytesAsync(stick, Stop);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(_folder.At("damaged"), bytes, Stop);
        await ImportAsync(his, bobWeb, _folder.At("damaged"));
        await Assertions.Expect(his.Locator("#file-error")).ToContainTextAsync("damaged");
        await ShootAsync(his, "mailbag-390-dark");
        await ImportAsync(his, bobWeb, stick);
        await Assertions.Expect(his.Locator("main")).ToContainTextAsync("1 letter for you");
        await ImportAsync(his, bobWeb, stick);
        await Assertions.Expect(his.Locator("main")).ToContainTextAsync("Nothing new in it");
        await his.GotoAsync(bobWeb.Address + "chat?with=Alice");
        await Assertions.Expect(his.Locator("#live-chat-messages .say-text")).ToHaveTextAsync(["By hand"]);
        _errors.RemoveAll(static error => error.Contains("422", StringComparison.Ordinal));
        Assert.Empty(_errors);
        foreach (var page in new[] { hers, his, carols }) await page.Context.CloseAsync();
    }
}
