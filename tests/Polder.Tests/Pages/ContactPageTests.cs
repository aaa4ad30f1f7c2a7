using Microsoft.Playwright;
using Polder.Apps.Contacts;
using Polder.Apps.Contacts.Pictures;
using Polder.Host;
using Polder.Identity;
using Polder.Node;
using Polder.Tests.Node;

namespace Polder.Tests.Pages;

/// <summary>Two people become contacts through the page alone, with two real nodes.</summary>
public sealed class ContactPageTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Task<byte[]> ShootAsync(IPage page, string name) => page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Chromium.Folder, name + ".png"), FullPage = true });

    [Fact]
    public async Task Two_people_become_contacts_by_an_invitation_and_by_a_code_and_forged_keys_are_refused()
    {
        var stop = TestContext.Current.CancellationToken;
        var errors = new List<string>();
        var (annas, bens) = (await chromium.OpenAsync(errors), await chromium.OpenAsync(errors, 390, 844, dark: true));
        await using var anna = await new NodeBuilder(NodeTests.Quick(_folder.At("anna"))).StartAsync(stop);
        await using var ben = await new NodeBuilder(NodeTests.Quick(_folder.At("ben"))).StartAsync(stop);
        await using var annaWeb = await WebFace.StartAsync(anna.Operations, null, 0, "token", stop);
        await using var benWeb = await WebFace.StartAsync(ben.Operations, null, 0, "token", stop);
        const string markup = "<img src=x onerror=\"document.title='run'\">";

        // She gives herself a name with markup in it, and makes an invitation.
        await annas.GotoAsync(annaWeb.Address + "contacts");
        await annas.GetByLabel("What you call yourself").FillAsync(markup);
        await annas.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Assertions.Expect(annas.GetByText("Your contacts see that you call yourself")).ToContainTextAsync(markup);
        await annas.GetByRole(AriaRole.Button, new() { Name = "Make an invitation" }).ClickAsync();
        var invitation = await annas.Locator(".raw .key").TextContentAsync();
        Assert.StartsWith("PEER:", invitation, StringComparison.Ordinal);

        // He is given a damaged one first, then a forged key, then hers.
        await bens.GotoAsync(benWeb.Address + "join#" + invitation![..100]);
        await Assertions.Expect(bens.GetByLabel("An invitation, a key")).ToHaveValueAsync(invitation[..100]);
        await bens.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Assertions.Expect(bens.Locator("#add-text-error")).ToContainTextAsync("damaged");
        var forged = anna.Identity.ToString()[..84] + new string('0', 64);
        await bens.GetByLabel("An invitation, a key").FillAsync($$"""{"public_key":"{{forged}}","name":"Anna"}""");
        await bens.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Assertions.Expect(bens.Locator("#add-text-error")).ToContainTextAsync("This key is forged");
        errors.RemoveAll(error => error.Contains("422", StringComparison.Ordinal));
        await bens.GetByLabel("An invitation, a key").FillAsync(invitation);
        await bens.Locator("#add-name").FillAsync("Sister");
        await bens.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Assertions.Expect(bens.Locator("h1")).ToHaveTextAsync("Sister");

        // Both sides see that both are verified; what she calls herself is a text and a suggestion.
        await Assertions.Expect(bens.Locator("#live-contact")).ToContainTextAsync("verified by both");
        await Assertions.Expect(bens.Locator("#live-contact")).ToContainTextAsync(markup);
        await Assertions.Expect(bens.Locator("#live-contact img")).ToHaveCountAsync(0);
        await ShootAsync(bens, "contact-390-dark");
        await annas.GotoAsync(annaWeb.Address + "contacts");
        await Assertions.Expect(annas.Locator("#live-people")).ToContainTextAsync("verified by both");
        await Assertions.Expect(annas.Locator("#live-people")).ToContainTextAsync(ben.Identity.ShortName);
        await ShootAsync(annas, "contacts-1280-light");

        // Names are hers.
        await annas.Locator("#live-people").GetByRole(AriaRole.Link, new() { Name = ben.Identity.ShortName }).ClickAsync();
        await annas.GetByLabel("You call this person").FillAsync("Ben");
        await annas.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Assertions.Expect(annas.Locator("h1")).ToHaveTextAsync("Ben");
        await annas.Locator("#notes").FillAsync("likes tea");
        await annas.GetByRole(AriaRole.Button, new() { Name = "Save the notes" }).ClickAsync();
        await Assertions.Expect(annas.Locator("#notes")).ToHaveValueAsync("likes tea");

        // Forgotten on both sides, they meet again by a spoken code.
        foreach (var page in new[] { annas, bens })
        {
            await page.GetByText("Forget", new() { Exact = true }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Forget with all notes" }).ClickAsync();
            await Assertions.Expect(page.GetByText("is not in your book any more")).ToBeVisibleAsync();
        }
        await annas.GetByRole(AriaRole.Button, new() { Name = "Make a code to say" }).ClickAsync();
        var code = await annas.Locator(".spoken").TextContentAsync();
        await bens.GetByLabel("A code that you heard").FillAsync(code!.Replace('-', ' '));
        await bens.GetByRole(AriaRole.Button, new() { Name = "Meet", Exact = true }).ClickAsync();
        await Assertions.Expect(bens.Locator("#live-spoken")).ToContainTextAsync("both sides are verified");
        await Assertions.Expect(annas.Locator("#live-people")).ToContainTextAsync("verified by both");
        await Assertions.Expect(bens.Locator("#live-people")).ToContainTextAsync("verified by both");
        await ShootAsync(bens, "contacts-390-dark");
        Assert.DoesNotContain("run", await annas.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(errors);
        await annas.Context.CloseAsync();
        await bens.Context.CloseAsync();
    }

    [Fact]
    public async Task A_picture_is_read_with_and_without_script_and_every_form_says_what_is_wrong()
    {
        var stop = TestContext.Current.CancellationToken;
        var errors = new List<string>();
        await using var anna = await new NodeBuilder(NodeTests.Quick(_folder.At("anna"))).StartAsync(stop);
        await using var web = await WebFace.StartAsync(anna.Operations, null, 0, "token", stop);
        var people = Enumerable.Range(1, 2).Select(number => KeyPair.FromEntropy([.. Enumerable.Range(number, 64).Select(i => (byte)i)]).Public).ToArray();
        foreach (var (person, script) in people.Zip([false, true]))
        {
            var page = await chromium.OpenAsync(errors, script: script);
            await page.GotoAsync(web.Address + "contacts");
            var picture = _folder.At($"{person.ShortName}.png");
            await File.WriteAllBytesAsync(picture, QrPicture.Png(ContactText.Write(person, "Dora")), stop);
            await page.GetByLabel("A picture of it").SetInputFilesAsync(picture);
            await page.Locator("#picture-name").FillAsync("Dora " + script);
            await page.GetByText("I scanned it from the person's own screen").ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Read it" }).ClickAsync();
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Dora " + script);
            await Assertions.Expect(page.Locator("#live-contact")).ToContainTextAsync("verified by you");
            // Numbers that differ verify nobody.
            await page.GetByRole(AriaRole.Button, new() { Name = "I am not sure any more" }).ClickAsync();
            await page.GetByLabel("What they read out").FillAsync("12345");
            await page.GetByRole(AriaRole.Button, new() { Name = "Compare", Exact = true }).ClickAsync();
            await Assertions.Expect(page.Locator("#number-error")).ToContainTextAsync("The numbers differ");
            await page.GetByLabel("What they read out").FillAsync(SafetyNumber.Of(anna.Identity, person));
            await page.GetByRole(AriaRole.Button, new() { Name = "Compare", Exact = true }).ClickAsync();
            await Assertions.Expect(page.Locator("#live-contact")).ToContainTextAsync("verified by you");
            await page.GetByRole(AriaRole.Button, new() { Name = "Block", Exact = true }).ClickAsync();
            await Assertions.Expect(page.Locator("#live-contact")).ToContainTextAsync("blocked");
            await page.Context.CloseAsync();
        }
        var book = await anna.Operations.Contacts.BookAsync(stop);
        Assert.Equal(["Dora False", "Dora True"], book.People.Select(person => person.Name));
        Assert.All(book.People, person => Assert.True(person is { Blocked: true, Verified: true }));
    }

    [Fact]
    public async Task The_camera_reads_a_code_that_is_held_before_it()
    {
        var stop = TestContext.Current.CancellationToken;
        var dora = KeyPair.FromEntropy([.. Enumerable.Range(5, 64).Select(i => (byte)i)]).Public;
        await using var anna = await new NodeBuilder(NodeTests.Quick(_folder.At("anna"))).StartAsync(stop);
        await using var web = await WebFace.StartAsync(anna.Operations, null, 0, "token", stop);
        await File.WriteAllBytesAsync(_folder.At("code.y4m"), Film(PngReader.TryRead(QrPicture.Png(ContactText.Write(dora, "Dora")), out _)!), stop);
        var browser = await chromium.WithCameraAsync(_folder.At("code.y4m"));
        try
        {
            var page = await browser.NewPageAsync();
            page.SetDefaultTimeout(60_000);
            await page.GotoAsync(web.Address + "contacts");
            await page.Locator("#picture-name").FillAsync("Dora");
            await page.GetByRole(AriaRole.Button, new() { Name = "Use the camera" }).ClickAsync();
            await Assertions.Expect(page.GetByLabel("An invitation, a key")).ToHaveValueAsync(ContactText.Write(dora, "Dora"), new() { Timeout = 30_000 });
            await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Dora");
        }
        finally { await browser.CloseAsync(); }
        Assert.Equal(dora.ToString(), Assert.Single((await anna.Operations.Contacts.BookAsync(stop)).People).PublicKey);
    }

    /// <summary>Two pictures of YUV 4:2:0: the code in the middle of grey.</summary>
    private static byte[] Film(GreyPicture code)
    {
        const int width = 1280, height = 960;
        var (left, top) = ((width - code.Width) / 2, (height - code.Height) / 2);
        Assert.True(left > 0 && top > 0);
        var frame = new byte[width * height * 3 / 2];
        frame.AsSpan(0, width * height).Fill(150);
        frame.AsSpan(width * height).Fill(128);
        for (var y = 0; y < code.Height; y++)
            for (var x = 0; x < code.Width; x++) frame[(top + y) * width + left + x] = (byte)(16 + code.Row(y)[x] * 219 / 255);
        return [.. System.Text.Encoding.ASCII.GetBytes($"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420mpeg2\n"), .. "FRAME\n"u8, .. frame, .. "FRAME\n"u8, .. frame];
    }
}
