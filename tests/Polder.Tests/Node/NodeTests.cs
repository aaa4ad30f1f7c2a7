using System.Diagnostics;
using Polder.Node;
using Polder.Node.Folders;
using Polder.Node.Operations;
using Polder.Overlay;

namespace Polder.Tests.Node;

/// <summary>Whole nodes on real sockets of loopback and real folders.</summary>
public sealed class NodeTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    internal static NodeOptions Quick(string data, params string[] join) => new()
    {
        Data = data, Port = 0, Page = 0, Loopback = true, Join = join,
        Overlay = new OverlayOptions { StepInterval = TimeSpan.FromMilliseconds(50), PingInterval = TimeSpan.FromSeconds(1) },
    };

    private Task<PolderNode> StartAsync(string name, params string[] join) => new NodeBuilder(Quick(_folder.At(name), join)).StartAsync(Stop);

    internal static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(clock.Elapsed < Patience, "In vain: " + what);
            await Task.Delay(20, Stop);
        }
    }

    internal static Task MeetAsync(PolderNode one, PolderNode other) => UntilAsync(async () =>
        (await one.Operations.PeersAsync(Stop)).Any(peer => peer.PublicKey == other.Identity.ToString())
        && (await other.Operations.PeersAsync(Stop)).Any(peer => peer.PublicKey == one.Identity.ToString()), "the two meet");

    private static RecordRequest Record(PolderNode peer, bool gave, long amount, string unit = "bytes", double wait = 20) =>
        new(peer.Identity.ShortName, gave, amount, unit, "storing a file", TimeSpan.FromSeconds(wait));

    [Fact]
    public async Task Two_nodes_meet_sign_a_record_and_each_ranks_the_other()
    {
        await using var alice = await StartAsync("alice");
        await using var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);

        // Bob says that Alice gave him 25 MB: she is credited, so she agrees by herself.
        var record = await bob.Operations.RecordAsync(Record(alice, gave: false, 25 << 20), Stop);
        Assert.Equal("agreed", record.State);
        var chain = await alice.Operations.ChainAsync(null, cancellation: Stop);
        Assert.All(chain.Blocks, block => Assert.True(block.Valid, block.Reason));
        Assert.Equal("25 MB to " + bob.Identity.ShortName + " for storing a file", Assert.Single(chain.Blocks).Summary);
        await UntilAsync(async () => (await bob.Operations.TrustAsync(cancellation: Stop)).Count == 1, "Bob ranks Alice");
        var trust = Assert.Single(await bob.Operations.TrustAsync(cancellation: Stop));
        Assert.Equal((alice.Identity.ToString(), 25.0 * (1 << 20), 1), (trust.PublicKey, trust.Score, trust.Records));
        var why = await bob.Operations.WhyAsync(alice.Identity.ShortName[..5], cancellation: Stop);
        Assert.Equal("storing a file", Assert.Single(why.Records).For);
        Assert.Contains("gave you 25 MB itself", why.InWords, StringComparison.Ordinal);
        var ofBob = Assert.Single(await alice.Operations.TrustAsync(bob.Identity.ToString()[..40], cancellation: Stop));
        Assert.Equal(0, ofBob.Score);
        var detail = await bob.Operations.BlockAsync(record.Block, Stop);
        Assert.Equal(alice.Identity.ToString(), Assert.Single(detail.Linked).PublicKey);
        Assert.Equal(detail.Packed, (await bob.Operations.BlockAsync(detail.Block.Hash, Stop)).Packed);
    }

    [Fact]
    public async Task What_needs_the_owner_s_word_waits_in_the_inbox_over_a_restart()
    {
        await using var alice = await StartAsync("alice");
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        Assert.Equal("proposed", (await alice.Operations.RecordAsync(Record(bob, gave: true, 3, "hours", wait: 0), Stop)).State);
        await UntilAsync(async () => (await bob.Operations.InboxAsync(Stop)).Count == 1, "the proposal arrives");
        var seen = await bob.Operations.WaitForChangeAsync(0, Stop);
        Assert.Contains("waits for your word", (await bob.Operations.StatusAsync(Stop)).NextSteps[0], StringComparison.Ordinal);
        await bob.DisposeAsync();

        using (var resting = RestingNode.Open(_folder.At("bob")))
        {
            var item = Assert.Single(await resting.InboxAsync(Stop));
            Assert.Equal((3, "hours", true, "storing a file"), (item.Amount, item.Unit, item.TheyGave, item.For));
            Assert.Equal(bob.Identity.ToString(), (await resting.IdentityAsync(Stop)).PublicKey);
            Assert.Contains("polder run", (await Assert.ThrowsAsync<OperationRefusedException>(() => resting.AnswerAsync([], true, Stop))).Message, StringComparison.Ordinal);
        }

        await using var again = await StartAsync("bob", alice.UdpEndpoint.ToString());
        var waiting = Assert.Single(await again.Operations.InboxAsync(Stop));
        var answered = Assert.Single(await again.Operations.AnswerAsync([waiting.Id], accept: true, Stop));
        Assert.Equal(waiting, answered);
        Assert.Empty(await again.Operations.InboxAsync(Stop));
        Assert.Equal(1, (await again.Operations.StatusAsync(Stop)).BlocksOwn);
        await UntilAsync(async () => (await alice.Operations.TrustAsync(cancellation: Stop)).Any(row => row.Unit == "hours"), "Alice has the answer");
        Assert.True(seen > 0);
    }

    [Fact]
    public async Task Refusing_is_remembered()
    {
        await using var alice = await StartAsync("alice");
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        await alice.Operations.RecordAsync(Record(bob, gave: true, 1000, wait: 0), Stop);
        await UntilAsync(async () => (await bob.Operations.InboxAsync(Stop)).Count == 1, "the proposal arrives");
        await bob.Operations.AnswerAsync([], accept: false, Stop);
        await bob.DisposeAsync();
        await using var again = await StartAsync("bob");
        Assert.Empty(await again.Operations.InboxAsync(Stop));
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart_and_a_stop_is_quick()
    {
        string record;
        await using var alice = await StartAsync("alice");
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        record = (await bob.Operations.RecordAsync(Record(alice, gave: false, 5 << 20), Stop)).Block;
        var key = bob.Identity;
        var clock = Stopwatch.StartNew();
        await bob.DisposeAsync();
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"It took {clock.Elapsed}.");
        await Assert.ThrowsAsync<OperationRefusedException>(() => bob.Operations.StatusAsync(Stop));

        await using var again = await StartAsync("bob");
        Assert.Equal(key, again.Identity);
        Assert.True((await again.Operations.BlockAsync(record, Stop)).Block.Valid);
        await UntilAsync(async () => (await again.Operations.TrustAsync(cancellation: Stop)).Count == 1, "the graph is made again");
        Assert.Null((await again.Operations.StatusAsync(Stop)).SigningRefused);
        // The peer cache brought them together again: nobody named an address.
        await MeetAsync(alice, again);
    }

    [Fact]
    public async Task Names_that_are_unknown_ambiguous_or_malformed_are_refused_in_words()
    {
        await using var node = await StartAsync("alice");
        async Task<OperationRefusedException> RefusedAsync(string name) =>
            await Assert.ThrowsAsync<OperationRefusedException>(() => node.Operations.ResolveAsync(name, Stop));
        Assert.Equal(RefusalKind.NotFound, (await RefusedAsync("zz-zz-zz-zz-zz")).Kind);
        Assert.Equal(RefusalKind.BadInput, (await RefusedAsync("")).Kind);
        Assert.Equal(RefusalKind.BadInput, (await RefusedAsync("a/b")).Kind);
        Assert.Equal(node.Identity.ToString(), (await node.Operations.ResolveAsync(node.Identity.ShortName.ToUpperInvariant(), Stop)).PublicKey);
        var self = await Assert.ThrowsAsync<OperationRefusedException>(() => node.Operations.RecordAsync(Record(node, true, 1 << 20), Stop));
        Assert.Equal(RefusalKind.BadInput, self.Kind);
        var block = await Assert.ThrowsAsync<OperationRefusedException>(() => node.Operations.BlockAsync("nonsense", Stop));
        Assert.Contains("KEY.NUMBER", block.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_beginning_that_fits_several_lists_them()
    {
        var keys = Enumerable.Range(1, 12).Select(i => Ledger.Chains.Key((ulong)i).Public).ToList();
        var problem = Assert.Throws<OperationRefusedException>(() => (object)PeerNames.Resolve("4c69624e61434c504b3a", keys));
        Assert.Equal(RefusalKind.BadInput, problem.Kind);
        Assert.Contains("any of 12", problem.Message, StringComparison.Ordinal);
        Assert.Contains("and 4 more", problem.Message, StringComparison.Ordinal);
        Assert.Equal(keys[3], PeerNames.Resolve(keys[3].ToString(), keys));
        Assert.Equal(keys[3], PeerNames.Resolve(keys[3].ShortName, keys));
    }

    [Fact]
    public async Task A_fresh_node_says_what_to_do_next_and_a_taken_folder_is_refused()
    {
        await using var node = await StartAsync("alice");
        var status = await node.Operations.StatusAsync(Stop);
        Assert.Contains("--join 127.0.0.1:", status.NextSteps[0], StringComparison.Ordinal);
        Assert.Empty(status.Warnings);
        Assert.True(status.Loopback);
        var problem = await Assert.ThrowsAsync<NodeStartException>(() => StartAsync("alice"));
        Assert.Contains("already running", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sealed_key_needs_its_passphrase_and_a_missing_one_is_not_replaced()
    {
        var options = Quick(_folder.At("alice")) with { Passphrase = "correct horse" };
        var first = await new NodeBuilder(options).StartAsync(Stop);
        var key = first.Identity;
        await first.DisposeAsync();
        Assert.True(KeyFile.IsSealed(Path.Combine(options.Data, "identity.key")));
        Assert.Contains("Wrong passphrase", (await Assert.ThrowsAsync<NodeStartException>(
            () => new NodeBuilder(options with { Passphrase = "battery" }).StartAsync(Stop))).Message, StringComparison.Ordinal);
        // Who it is can be read without the passphrase.
        using (var resting = RestingNode.Open(options.Data)) Assert.Equal(key.ToString(), (await resting.IdentityAsync(Stop)).PublicKey);
        File.Delete(Path.Combine(options.Data, "identity.key"));
        Assert.Contains("no identity.key", (await Assert.ThrowsAsync<NodeStartException>(() => new NodeBuilder(options).StartAsync(Stop))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_database_is_set_aside_and_the_own_chain_comes_back_from_peers_before_anything_is_signed()
    {
        await using var alice = await StartAsync("alice");
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        for (var i = 0; i < 3; i++) Assert.Equal("agreed", (await bob.Operations.RecordAsync(Record(alice, gave: false, 2 << 20), Stop)).State);
        var before = await bob.Operations.ChainAsync(null, cancellation: Stop);
        await bob.DisposeAsync();
        var database = Path.Combine(_folder.At("bob"), "polder.db");
        File.WriteAllBytes(database, new byte[5000]);

        await using (var alone = await StartAsync("bob-away"))
        {
            // Unrelated: only keeps the name of a third node out of Bob's way.
            Assert.NotEqual(bob.Identity, alone.Identity);
        }
        foreach (var file in new[] { "peers.cache", "addresses.book", "anchors" }) File.Delete(Path.Combine(_folder.At("bob"), file));
        await using var again = await StartAsync("bob");
        var status = await again.Operations.StatusAsync(Stop);
        Assert.NotNull(status.SigningRefused);
        Assert.Contains(status.Warnings, warning => warning.Contains("set aside", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(_folder.At("bob"), "polder.db.damaged-*"));

        await again.Operations.WalkToAsync(alice.UdpEndpoint, Stop);
        await MeetAsync(alice, again);
        await UntilAsync(async () => (await again.Operations.StatusAsync(Stop)).SigningRefused is null, "the own chain comes back");
        var after = await again.Operations.ChainAsync(null, cancellation: Stop);
        Assert.Equal(before.Blocks.Select(block => block.Hash), after.Blocks.Select(block => block.Hash));
        Assert.Equal("agreed", (await again.Operations.RecordAsync(Record(alice, gave: false, 2 << 20), Stop)).State);
        Assert.Empty(await alice.Operations.FraudsAsync(Stop));
        await UntilAsync(() => Task.FromResult(again.Store.SigningRefused is null), "the refusal is lifted for later starts");
    }

    [Fact]
    public async Task A_database_from_last_week_does_not_make_the_node_fork_itself()
    {
        await using var alice = await StartAsync("alice");
        var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        await bob.Operations.RecordAsync(Record(alice, gave: false, 2 << 20), Stop);
        await bob.DisposeAsync();
        var old = File.ReadAllBytes(Path.Combine(_folder.At("bob"), "polder.db"));
        bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        Assert.Equal("agreed", (await bob.Operations.RecordAsync(Record(alice, gave: false, 3 << 20), Stop)).State);
        await bob.DisposeAsync();

        foreach (var file in Directory.GetFiles(_folder.At("bob"), "polder.db-*")) File.Delete(file);
        File.WriteAllBytes(Path.Combine(_folder.At("bob"), "polder.db"), old);
        foreach (var file in new[] { "peers.cache", "addresses.book", "anchors" }) File.Delete(Path.Combine(_folder.At("bob"), file));
        await using var again = await StartAsync("bob");
        Assert.Contains("number 1, but it had 2", (await again.Operations.StatusAsync(Stop)).SigningRefused, StringComparison.Ordinal);
        await again.Operations.WalkToAsync(alice.UdpEndpoint, Stop);
        await UntilAsync(async () => (await again.Operations.StatusAsync(Stop)) is { SigningRefused: null, BlocksOwn: 2 }, "the rest comes back");
    }

    [Fact]
    public async Task The_owner_may_sign_on_when_nobody_is_left_who_has_the_rest_of_the_chain()
    {
        await using (await StartAsync("alice")) { }
        File.WriteAllText(_folder.At("alice/chain.length"), "7\n");
        await using (var doubtful = await StartAsync("alice"))
        {
            var status = await doubtful.Operations.StatusAsync(Stop);
            Assert.NotNull(status.SigningRefused);
            Assert.Contains(status.Warnings, warning => warning.Contains("signAnyway", StringComparison.Ordinal));
        }
        await using (var sure = await new NodeBuilder(Quick(_folder.At("alice")) with { SignAnyway = true }).StartAsync(Stop))
            Assert.Null((await sure.Operations.StatusAsync(Stop)).SigningRefused);
        await using var again = await StartAsync("alice");
        Assert.Null((await again.Operations.StatusAsync(Stop)).SigningRefused);
    }

    [Fact]
    public async Task Blocks_made_elsewhere_are_taken_in_with_a_verdict_each()
    {
        await using var node = await StartAsync("alice");
        var chain = Ledger.Chains.Of(Ledger.Chains.Key(7), 60, Ledger.Chains.Key(8));
        var bad = chain[5].Packed.ToArray();
        bad[^1] ^= 1;
        var views = await node.Operations.ImportAsync([.. chain.Select(block => block.Packed.ToArray()), bad, [1, 2, 3]], Stop);
        Assert.Equal(62, views.Count);
        Assert.All(views.Take(60), view => Assert.True(view.Valid, view.Reason));
        Assert.Equal("valid", views[10].Reason);
        Assert.False(views[60].Valid);
        Assert.Contains("no block", views[61].Reason, StringComparison.Ordinal);
        var shown = await node.Operations.ChainAsync(Ledger.Chains.Key(7).Public.ToString(), 11, 20, Stop);
        Assert.Equal((60, 0, 20, 11), (shown.Length, shown.Missing, shown.Blocks.Count, shown.Blocks[0].Sequence));
        Assert.Single(shown.Refused);
    }

    [Fact]
    public async Task A_full_disk_stops_signing_in_words_and_the_node_goes_on_by_itself()
    {
        await using var alice = await StartAsync("alice");
        await using var bob = await StartAsync("bob", alice.UdpEndpoint.ToString());
        await MeetAsync(alice, bob);
        await bob.Operations.RecordAsync(Record(alice, gave: false, 2 << 20), Stop);
        // SQLite's own bound on the file: the same error as a disk without room.
        bob.Store.Writer.BeforeCommit = static database => database.Execute("PRAGMA max_page_count = 1; CREATE TABLE filler AS SELECT zeroblob(8000000) AS x; DROP TABLE filler");
        var refused = await Assert.ThrowsAsync<OperationRefusedException>(() => bob.Operations.RecordAsync(Record(alice, gave: false, 3 << 20), Stop));
        Assert.Contains("The disk is full", refused.Message, StringComparison.Ordinal);
        Assert.Equal(RefusalKind.Conflict, (await Assert.ThrowsAsync<OperationRefusedException>(() => bob.Operations.RecordAsync(Record(alice, gave: false, 4 << 20), Stop))).Kind);
        // It goes on reading, and tells its owner.
        Assert.Equal(2, (await bob.Operations.ChainAsync(null, cancellation: Stop)).Length);
        Assert.NotEmpty((await bob.Operations.StatusAsync(Stop)).Warnings);
        Assert.Single((await alice.Operations.ChainAsync(bob.Identity.ToString(), cancellation: Stop)).Blocks);

        bob.Store.Writer.BeforeCommit = null;
        await UntilAsync(async () => (await bob.Operations.StatusAsync(Stop)).SigningRefused is null, "signing resumes");
        await UntilAsync(async () => (await bob.Operations.TrustAsync(cancellation: Stop))[0].Score == 5 << 20, "the record that was kept goes out and is agreed to");
        Assert.Equal("agreed", (await bob.Operations.RecordAsync(Record(alice, gave: false, 4 << 20), Stop)).State);
        Assert.Empty(await alice.Operations.FraudsAsync(Stop));
    }
}
