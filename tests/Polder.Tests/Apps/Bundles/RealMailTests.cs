using System.Text;
using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Contacts;
using Polder.Node;
using Polder.Node.Operations.People;
using Polder.Overlay;

namespace Polder.Tests.Apps.Bundles;

/// <summary>Letters between whole nodes on sockets of loopback and real folders.</summary>
public sealed class RealMailTests : IDisposable
{
    private static readonly LetterKind Kind = new(77);

    private readonly string _folder = Directory.CreateTempSubdirectory("polder-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<(PolderNode Node, List<string> Got)> StartAsync(string name, params string[] join)
    {
        var options = new NodeOptions
        {
            Data = Path.Combine(_folder, name), Port = 0, Page = 0, Loopback = true, Join = join,
            Overlay = new OverlayOptions { StepInterval = TimeSpan.FromMilliseconds(50), PingInterval = TimeSpan.FromSeconds(1) },
            Mail = new MailOptions { FriendsAfter = TimeSpan.FromMilliseconds(200), AnyFriendAfter = TimeSpan.FromSeconds(1), Interval = TimeSpan.FromMilliseconds(500) },
        };
        var got = new List<string>();
        var node = await new NodeBuilder(options).StartAsync(Stop);
        await node.InvokeAsync(() =>
        {
            node.Host.Find<Mailbag>()!.Receive(Kind, letter =>
            {
                lock (got) got.Add(Encoding.UTF8.GetString(letter.Body.Span));
                return Task.FromResult(true);
            });
            return true;
        });
        return (node, got);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), "In vain: " + what);
            await Task.Delay(50, Stop);
        }
    }

    private static Task<bool> BefriendAsync(PolderNode one, PolderNode other, string name) => one.Host.Environment.Loop.InvokeAsync(async () =>
        await one.Host.Find<ContactBook>()!.AddAsync(other.Identity, name, address: other.UdpEndpoint) == ContactRefusal.None);

    private static Task<LetterId> PostAsync(PolderNode from, PolderNode to, string text) =>
        from.Host.Environment.Loop.InvokeAsync(() => from.Host.Find<Mailbag>()!.PostAsync(to.Identity, Kind, Encoding.UTF8.GetBytes(text)));

    private static async Task<MailLetterView> LetterAsync(PolderNode node, LetterId id)
    {
        var bag = await node.Operations.Mail.LookAsync(Stop);
        return bag.Waiting.Concat(bag.Recent).Single(letter => letter.Id == id.ToString());
    }

    [Fact]
    public async Task A_letter_waits_with_a_common_friend_and_arrives_when_the_sender_is_gone()
    {
        var (carol, _) = await StartAsync("carol");
        await using var keepCarol = carol;
        var (bob, _) = await StartAsync("bob", carol.UdpEndpoint.ToString());
        var (alice, _) = await StartAsync("alice", carol.UdpEndpoint.ToString());
        foreach (var (one, other, name) in new[] { (alice, bob, "Bob"), (alice, carol, "Carol"), (carol, alice, "Alice"), (carol, bob, "Bob"), (bob, carol, "Carol"), (bob, alice, "Alice") })
            Assert.True(await BefriendAsync(one, other, name));
        // Bob sleeps before Alice writes; Alice is gone before he wakes.
        var (bobKey, bobPort) = (bob.Identity, bob.UdpEndpoint);
        await bob.DisposeAsync();
        var id = await PostAsync(alice, bob, "good morning");
        await UntilAsync(async () => (await LetterAsync(alice, id)).Stage == "waitingWith", "Carol has it");
        Assert.Equal("Waiting with Carol, a common friend", (await LetterAsync(alice, id)).Where);
        var carried = Assert.Single((await carol.Operations.Mail.LookAsync(Stop)).Carried);
        Assert.Equal(("Alice", true, 1), (carried.From.Name, carried.IsFriend, carried.Letters));
        await alice.DisposeAsync();

        var (bobAgain, got) = await StartAsync("bob", carol.UdpEndpoint.ToString());
        await using var keepBob = bobAgain;
        await UntilAsync(() => Task.FromResult(got.Count == 1), "Bob has it");
        Assert.Equal((bobKey, "good morning"), (bobAgain.Identity, got[0]));
        await UntilAsync(async () => (await carol.Operations.Mail.LookAsync(Stop)).CarriedLetters <= 1, "Carol holds the receipt at most");

        var (aliceAgain, _) = await StartAsync("alice", carol.UdpEndpoint.ToString());
        await using var keepAlice = aliceAgain;
        await UntilAsync(async () => (await LetterAsync(aliceAgain, id)).Stage == "delivered", "Alice knows");
        Assert.Single(got);
    }

    [Fact]
    public async Task A_bundle_goes_from_hand_to_hand_between_nodes_that_never_meet()
    {
        var (alice, _) = await StartAsync("alice");
        await using var keepAlice = alice;
        var (carol, _) = await StartAsync("carol");
        await using var keepCarol = carol;
        var (bob, got) = await StartAsync("bob");
        await using var keepBob = bob;
        await BefriendAsync(alice, bob, "Bob");
        // Nobody is joined to anybody; Bob's address would lead Alice to him, so he is down while she writes and writes the file.
        await PostAsync(alice, bob, "on a stick");
        var open = new MemoryStream();
        var made = await alice.Operations.Mail.ExportAsync(null, open, Stop);
        open.Position = 0;
        var atCarol = await carol.Operations.Mail.ImportAsync(open, Stop);
        open.Position = 0;
        if (made.Letters == 1)
        {
            Assert.Equal((1, 0), (atCarol.Carried, atCarol.Letters));
            Assert.StartsWith("Nothing new in it: everything was here already.", (await carol.Operations.Mail.ImportAsync(open, Stop)).Words, StringComparison.Ordinal);
            var forBob = new MemoryStream();
            Assert.Equal(1, (await carol.Operations.Mail.ExportAsync(bob.Identity.ToString(), forBob, Stop)).Letters);
            forBob.Position = 0;
            var atBob = await bob.Operations.Mail.ImportAsync(forBob, Stop);
            Assert.Equal(1, atBob.Letters + atBob.Known);
            forBob.Position = 0;
            var refusal = await Assert.ThrowsAsync<Polder.Node.Operations.OperationRefusedException>(() => alice.Operations.Mail.ImportAsync(forBob, Stop));
            Assert.Contains("sealed for somebody else", refusal.Message, StringComparison.Ordinal);
        }
        await UntilAsync(() => Task.FromResult(got.Count == 1), "Bob has it");
        Assert.Equal("on a stick", got[0]);
        // A file of addresses, as older programs write it, is taken by the same door.
        var peers = await alice.Operations.Network.ExportPeersAsync(Stop);
        Assert.StartsWith("New: ", (await bob.Operations.Mail.ImportAsync(new MemoryStream(peers), Stop)).Words, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "alice"), "*.tmp"));
    }
}
