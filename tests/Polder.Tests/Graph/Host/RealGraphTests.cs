using Polder.Apps.Graphs;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;
using Polder.Node;
using Polder.Overlay;

namespace Polder.Tests.Graph.Host;

/// <summary>The graph between whole nodes on sockets of loopback and real folders.</summary>
public sealed class RealGraphTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<PolderNode> StartAsync(string name, params string[] join) => new NodeBuilder(new NodeOptions
    {
        Data = Path.Combine(_folder, name), Port = 0, Page = 0, Loopback = true, Join = join,
        Overlay = new OverlayOptions { StepInterval = TimeSpan.FromMilliseconds(50), PingInterval = TimeSpan.FromSeconds(1) },
    }).StartAsync(Stop);

    private static Task<T> On<T>(PolderNode node, Func<SharedGraph, GraphShare, Task<T>> work) =>
        node.Host.Environment.Loop.InvokeAsync(() => work(node.Graph.Graph, node.Host.Find<GraphShare>()!));

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(40), "In vain: " + what);
            await Task.Delay(50, Stop);
        }
    }

    private static Task<bool> HasAsync(PolderNode node, string soul, string key, GraphValue value) => On(node, (graph, _) => Task.FromResult(graph[soul].Get(key) == value));

    [Fact]
    public async Task Two_nodes_keep_a_topic_level_also_what_was_written_while_one_was_away_and_an_account_opens_on_both()
    {
        var alice = await StartAsync("alice");
        await using var keepAlice = alice;
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await On(alice, async (graph, share) =>
        {
            Assert.Null(share.Follow("notes"));
            Assert.Null(share.Follow("~@ada"));
            await graph["notes"].PutAsync("title", "Ours");
            await graph["private"].PutAsync("title", "Mine");
            await Account.CreateAsync(graph, "ada", "correct horse battery");
            return graph["notes"].AddAsync([new("text", "milk")]);
        });
        await On(bob, (_, share) => Task.FromResult((share.Follow("notes"), share.Follow("~@ada"))));
        await UntilAsync(() => HasAsync(bob, "notes", "title", "Ours"), "Bob has the title");
        // What hangs on a link comes too: an item of a set under a name of its own, and the graph of an account.
        await UntilAsync(() => On(bob, (graph, _) => Task.FromResult(graph["notes"].GetAll().Any(item => item.Value.AsLink is { } soul && graph[soul].Get("text") == "milk"))), "Bob has the item");
        SeaPair? ada = null;
        await UntilAsync(async () => (ada = await On(bob, static (graph, _) => Account.LogInAsync(graph, "ada", "correct horse battery"))) is not null, "Ada can log in at Bob's");
        Assert.False(await HasAsync(bob, "private", "title", "Mine"));
        // Confirmed by a given peer.
        Assert.True(await On(alice, (_, share) => share.WhenConfirmedByAsync("notes", "title", bob.Identity, TimeSpan.FromSeconds(30), Stop)));
        Assert.Empty(await On(alice, (_, share) => Task.FromResult(share.HoldersOf("private", "title"))));
        Assert.False(await On(alice, (_, share) => share.WhenOnAsync("notes", "title", 2, TimeSpan.FromMilliseconds(100), Stop)));
        // Live.
        await On(bob, async (graph, _) =>
        {
            await graph["notes"].PutAsync("live", 1.0);
            return true;
        });
        await UntilAsync(() => HasAsync(alice, "notes", "live", 1.0), "Alice sees the change");
        // Bob is away; both go on.
        await bob.DisposeAsync();
        await On(alice, async (graph, _) =>
        {
            await graph["notes"].PutAsync("while", "Bob slept");
            await graph["notes"].PutAsync("live", GraphValue.Null);
            return true;
        });
        bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await using var keepBob = bob;
        await UntilAsync(() => HasAsync(bob, "notes", "while", "Bob slept"), "Bob has caught up");
        await UntilAsync(() => HasAsync(bob, "notes", "live", GraphValue.Null), "Bob knows of the deletion");
        var topic = (await On(bob, (_, share) => Task.FromResult(share.Look()))).Single(topic => topic.Name == "notes");
        Assert.Equal(alice.Identity, Assert.Single(topic.Peers).Key);
    }
}
