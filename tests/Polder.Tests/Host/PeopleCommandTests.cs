using System.Text.Json;
using Polder.Apps.Bundles;
using Polder.Host;
using Polder.Host.Api;
using Polder.Host.Commands;
using Polder.Node;
using Polder.Node.Operations;
using Polder.Tests.Node;

namespace Polder.Tests.Host;

/// <summary>The fixed forms of contact, invite, chat and bundle, typed as people type them: commands, local API, real nodes on loopback.</summary>
public sealed class PeopleCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Person> _people = [];

    private sealed record Person(string Name, PolderNode Node, WebFace Web);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var person in _people)
        {
            await person.Web.DisposeAsync();
            await person.Node.DisposeAsync();
        }
        _folder.Dispose();
    }

    private async Task<Person> StartAsync(string name)
    {
        var node = await new NodeBuilder(NodeTests.Quick(_folder.At(name)) with
        {
            Mail = new MailOptions { FriendsAfter = TimeSpan.FromMilliseconds(200), AnyFriendAfter = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromMilliseconds(500) },
        }).StartAsync(Stop);
        var person = new Person(name, node, await WebFace.StartAsync(node.Operations, null, 0, "token", Stop));
        _people.Add(person);
        return person;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(Person person, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false),
            (_, _) => Task.FromResult<INodeOperations>(new ApiNode(new ApiFile(person.Web.Port, Environment.ProcessId, "token"))));
        var code = await CommandLine.RunAsync(arguments, surroundings, Stop);
        return (code, output.ToString(), error.ToString());
    }

    private static async Task<string> DoneAsync(Person person, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(person, arguments);
        Assert.True(code == 0, $"polder {string.Join(' ', arguments)}: exit code {code}: {output} {error}");
        return output;
    }

    private static async Task<JsonElement> JsonAsync(Person person, params string[] arguments) => JsonDocument.Parse(await DoneAsync(person, [.. arguments, "--json"])).RootElement;

    private static async Task RefusedAsync(Person person, int code, string words, params string[] arguments)
    {
        var (actual, output, error) = await RunAsync(person, arguments);
        Assert.True(actual == code, $"polder {string.Join(' ', arguments)}: exit code {actual}, not {code}: {output} {error}");
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static Task UntilAsync(Person person, string words, params string[] arguments) =>
        NodeTests.UntilAsync(async () => (await RunAsync(person, arguments)).Output.Contains(words, StringComparison.Ordinal), $"polder {string.Join(' ', arguments)}: {words}");

    private async Task<(Person Anna, Person Ben)> FriendsAsync()
    {
        var (anna, ben) = (await StartAsync("anna"), await StartAsync("ben"));
        var invitation = (await JsonAsync(anna, "invite")).GetProperty("text").GetString()!;
        Assert.Contains("verified", await DoneAsync(ben, "contact", "add", invitation, "--name", "Anna"), StringComparison.Ordinal);
        await UntilAsync(anna, ben.Node.Identity.ShortName, "contact", "list");
        await DoneAsync(anna, "contact", "rename", ben.Node.Identity.ShortName, "Ben");
        return (anna, ben);
    }

    [Fact]
    public async Task Contacts_are_added_listed_shown_and_removed_and_wrong_input_says_what_to_do()
    {
        var (anna, ben) = await FriendsAsync();
        var carol = await StartAsync("carol");
        await UntilAsync(ben, "both sides", "contact", "list");
        await UntilAsync(anna, "both sides", "contact", "show", "Ben");
        Assert.Equal(ben.Node.Identity.ToString(), (await JsonAsync(anna, "contact", "show", "be")).GetProperty("publicKey").GetString());
        Assert.Equal("Ben", (await JsonAsync(anna, "contacts"))[0].GetProperty("name").GetString());

        var invitation = (await JsonAsync(anna, "invite")).GetProperty("text").GetString()!;
        await DoneAsync(carol, "contact", "add", "http://127.0.0.1:8095/join#" + invitation);
        await RefusedAsync(ben, 4, "used", "contact", "add", invitation);
        await RefusedAsync(ben, 2, "damaged", "contact", "add", invitation[..80]);
        await RefusedAsync(ben, 2, "spoken code", "contact", "add", "hello");
        await RefusedAsync(ben, 2, "148 hex digits", "contact", "add", carol.Node.Identity.ToString()[..100]);
        await RefusedAsync(ben, 2, "forged", "contact", "add", ben.Node.Identity.ToString()[..84] + new string('0', 64));
        await RefusedAsync(ben, 2, "your own", "contact", "add", ben.Node.Identity.ToString());
        await RefusedAsync(ben, 4, "Another contact has this name", "contact", "add", carol.Node.Identity.ToString(), "--name", "ANNA");
        await RefusedAsync(ben, 2, "Give one thing", "contact", "add");
        await RefusedAsync(ben, 2, "cannot be read", "contact", "add", "--qr", _folder.At("none.png"));
        await RefusedAsync(ben, 2, "payment", "contact", "add", $$"""{"type":"transfer","public_key":"{{carol.Node.Identity}}"}""");
        await RefusedAsync(ben, 3, "polder contact list", "contact", "show", "nobody");
        await RefusedAsync(ben, 3, "polder contact list", "contact", "remove", "nobody");
        await RefusedAsync(ben, 4, "numbers differ", "contact", "verify", "Anna", "12345");
        await RefusedAsync(ben, 2, "--days", "invite", "--days", "99");

        await DoneAsync(anna, "contact", "card", "--name", "Anna van Dijk");
        await UntilAsync(ben, "Anna van Dijk", "contact", "show", "Anna");
        Assert.Contains("is forgotten", await DoneAsync(ben, "contact", "remove", "Anna"), StringComparison.Ordinal);
        Assert.Empty((await JsonAsync(ben, "contact", "list")).EnumerateArray());

        // And again, by a code that is said.
        using var typing = new StringWriter();
        var waiting = Task.Run(() => CommandLine.RunAsync(["contact", "code"], new Surroundings(new Terminal(typing, TextWriter.Null, interactive: false, errorInteractive: false),
            (_, _) => Task.FromResult<INodeOperations>(new ApiNode(new ApiFile(ben.Web.Port, Environment.ProcessId, "token")))), Stop), Stop);
        var code = "";
        await NodeTests.UntilAsync(async () => (code = (await ben.Node.Operations.Contacts.SpokenAsync(Stop)).Code).Length > 0, "there is a code");
        Assert.Contains("both sides are verified", await DoneAsync(anna, "contact", "add", code.Replace('-', ' ')), StringComparison.Ordinal);
        Assert.Equal(0, await waiting);
        await RefusedAsync(anna, 2, "no spoken code", "contact", "code", "seven");
    }

    [Fact]
    public async Task People_talk_and_a_word_that_is_also_a_command_is_a_word()
    {
        var (anna, ben) = await FriendsAsync();
        Assert.StartsWith("Delivered.", await DoneAsync(ben, "chat", "Anna", "Are", "the", "beans", "in?"), StringComparison.Ordinal);
        Assert.Contains("Are the beans in?", await DoneAsync(anna, "chat", "Ben"), StringComparison.Ordinal);
        await UntilAsync(ben, "Seen", "chat", "Anna");
        foreach (var word in (string[])["list", "search", "save", "accept", "group"]) await DoneAsync(anna, "chat", "Ben", word);
        await DoneAsync(anna, "chat", "Ben", "save", "the", "date", "--count", "3");
        await DoneAsync(anna, "chat", "Ben", "--", "--file", "is not an option here");
        var said = (await JsonAsync(ben, "chat", "Anna")).GetProperty("messages").EnumerateArray().Where(static one => !one.GetProperty("mine").GetBoolean()).Select(static one => one.GetProperty("text").GetString());
        Assert.Equal(["list", "search", "save", "accept", "group", "save the date", "--file is not an option here"], said);
        Assert.Contains("save the date", await DoneAsync(ben, "chat", "search", "DAT"), StringComparison.Ordinal);
        Assert.Contains("Anna", await DoneAsync(ben, "chat", "list"), StringComparison.Ordinal);
        await DoneAsync(anna, "chat", "Ben", "\u001b[31mred\u202Egnp.exe\u0007");
        var (_, shown, _) = await RunAsync(ben, "chat", "Anna");
        Assert.DoesNotContain('\u001b', shown);
        Assert.DoesNotContain('\u202E', shown);
        Assert.DoesNotContain('\u0007', shown);

        await File.WriteAllTextAsync(_folder.At("beans.txt"), "green", Stop);
        var message = await JsonAsync(anna, "chat", "Ben", "Look", "--file", _folder.At("beans.txt"));
        await NodeTests.UntilAsync(async () => (await ben.Node.Operations.Chat.ShowAsync("Anna", cancellation: Stop)).Messages.Any(one => one.Id == message.GetProperty("id").GetString()), "it came");
        var saved = (await JsonAsync(ben, "chat", "save", message.GetProperty("id").GetString()!, "--out", _folder.At("in"))).GetProperty("text").GetString()!;
        Assert.Equal("green", await File.ReadAllTextAsync(saved, Stop));

        await RefusedAsync(ben, 3, "polder contact list", "chat", "nobody", "hello");
        await RefusedAsync(ben, 2, "cannot be read", "chat", "Anna", "x", "--file", _folder.At("none"));
        await RefusedAsync(ben, 2, "--count", "chat", "Anna", "--count", "0");
        await RefusedAsync(ben, 3, "no such message", "chat", "Anna", "x", "--reply", new string('0', 64));
        await RefusedAsync(ben, 2, "16 KB", "chat", "Anna", new string('x', 16385));
        await DoneAsync(ben, "contact", "block", "Anna");
        await RefusedAsync(ben, 2, "blocked", "chat", "Anna", "hello");
    }

    [Fact]
    public async Task A_bundle_is_written_carried_and_taken_once()
    {
        var (anna, ben) = (await StartAsync("anna"), await StartAsync("ben"));
        var carol = await StartAsync("carol");
        // Keys only, and nobody knows where anybody is.
        await DoneAsync(anna, "contact", "add", ben.Node.Identity.ToString(), "--name", "Ben");
        await DoneAsync(ben, "contact", "add", anna.Node.Identity.ToString(), "--name", "Anna");
        Assert.StartsWith("Only here.", await DoneAsync(anna, "chat", "Ben", "On", "a", "stick"), StringComparison.Ordinal);
        var stick = _folder.At("stick.bundle");
        var made = await JsonAsync(anna, "bundle", "export", stick, "--for", "Ben");
        Assert.Equal((1, "Ben"), (made.GetProperty("letters").GetInt32(), made.GetProperty("for").GetProperty("name").GetString()));
        Assert.Contains("Here, and in a file of", await DoneAsync(anna, "mailbag"), StringComparison.Ordinal);
        await RefusedAsync(carol, 2, "sealed for somebody else", "bundle", "import", stick);
        Assert.Contains("1 letter for you", await DoneAsync(ben, "bundle", "import", stick), StringComparison.Ordinal);
        Assert.Contains("Nothing new in it", await DoneAsync(ben, "bundle", "import", stick), StringComparison.Ordinal);
        Assert.Contains("On a stick", await DoneAsync(ben, "chat", "Anna"), StringComparison.Ordinal);

        await RefusedAsync(ben, 2, "cannot be read", "bundle", "import", _folder.At("none"));
        await File.WriteAllTextAsync(_folder.At("text"), "this is no bundle", Stop);
        await RefusedAsync(ben, 2, "no bundle", "bundle", "import", _folder.At("text"));
        await RefusedAsync(ben, 3, "nobody", "bundle", "export", stick, "--for", "nobody");
        await RefusedAsync(ben, 2, "cannot be written", "bundle", "export", _folder.At("no/such/folder/file"), "--for", "Anna");
        await RefusedAsync(ben, 2, "not both", "bundle", "export", stick, "--for", "Anna", "--addresses");
        await RefusedAsync(ben, 2, "itself", "bundle", "export", stick, "--for", ben.Node.Identity.ToString());
    }
}
