using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Polder.Host.Lab;
using Polder.Host.Pages;
using Polder.Host.Pages.Simulator;
using Polder.Node.Operations;

namespace Polder.Tests.Pages;

/// <summary>What the pages say, drawn from a node whose state is set by hand.</summary>
public sealed class PageTests
{
    private readonly StagedNode _empty = new();
    private readonly StagedNode _village = StagedNode.Village();

    [Fact]
    public async Task A_new_node_says_who_it_is_and_what_to_do()
    {
        var page = await DrawAsync(_empty, "home");

        Assert.Contains(StagedNode.NameOf(_empty.Own), page, StringComparison.Ordinal);
        Assert.Contains(_empty.Own, page, StringComparison.Ordinal);
        Assert.Contains("Nobody on the horizon yet", page, StringComparison.Ordinal);
        Assert.Contains("Know somebody?", page, StringComparison.Ordinal);
        Assert.Contains("./polder lab 8", page, StringComparison.Ordinal);
        Assert.Contains("No traffic yet", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("peers", "The water is still")]
    [InlineData("chain", "No block laid yet")]
    [InlineData("chain", "None seen. If a key signs two blocks")]
    [InlineData("trust", "Nobody has done anything for you yet")]
    [InlineData("inbox", "Nothing waits for your word")]
    [InlineData("doctor", "Nobody is connected yet")]
    [InlineData("doctor", "Nothing needs doing")]
    [InlineData("lab", "No lab is running")]
    public async Task An_empty_page_says_what_to_do(string page, string words) =>
        Assert.Contains(words, await DrawAsync(_empty, page), StringComparison.Ordinal);

    [Fact]
    public async Task The_chain_of_somebody_of_whom_nothing_is_known_can_be_asked_for()
    {
        _empty.PeerList.Add(StagedNode.Peer(1, 5));

        var page = await DrawAsync(_empty, "chain", ("peer", StagedNode.KeyOf(1)));

        Assert.Contains("Nothing of this chain is here", page, StringComparison.Ordinal);
        Assert.Contains("action=\"/crawl\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_that_means_several_chains_or_a_block_lists_them()
    {
        var page = await DrawAsync(_empty, "chain", ("peer", "3fa9"));

        Assert.Contains("may be any of these", page, StringComparison.Ordinal);
        Assert.Contains("There are more", page, StringComparison.Ordinal);
        Assert.Contains("/chain?peer=" + Host.FakeNode.Key, page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"whose-error\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_nobody_has_gets_words_beside_the_field()
    {
        var page = await DrawAsync(_empty, "chain", ("peer", "zz-zz"));

        Assert.Contains("id=\"whose-error\"", page, StringComparison.Ordinal);
        Assert.Contains("Nobody is known by &quot;zz-zz&quot;.", page, StringComparison.Ordinal);
        Assert.Contains("value=\"zz-zz\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Home_shows_who_is_there_nearest_first_and_a_fraud_as_one()
    {
        var page = await DrawAsync(_village, "home");

        var near = page.IndexOf(StagedNode.PeerOf(1).Name, StringComparison.Ordinal);
        Assert.InRange(page.IndexOf(StagedNode.PeerOf(10).Name, StringComparison.Ordinal), near, int.MaxValue);
        Assert.Contains("trust 79 MB", page, StringComparison.Ordinal);
        Assert.Contains("signed twice", page, StringComparison.Ordinal);
        Assert.Contains("31.20.101.7:49152", page, StringComparison.Ordinal);
        Assert.Contains("Answer two proposals", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_peers_the_nearest_twenty_stand_on_the_horizon()
    {
        for (var i = 0; i < 51; i++) _empty.PeerList.Add(StagedNode.Peer(i + 1, i));

        var page = await DrawAsync(_empty, "home");

        Assert.Contains("and 31 more", page, StringComparison.Ordinal);
        var horizon = page[page.IndexOf("live-horizon", StringComparison.Ordinal)..page.IndexOf("live-next", StringComparison.Ordinal)];
        Assert.Equal(21, horizon.Split("<li>").Length - 1);
    }

    [Fact]
    public async Task A_key_is_shown_only_after_it_proved_itself()
    {
        var page = await DrawAsync(_village, "peers");

        Assert.Contains("not proved", page, StringComparison.Ordinal);
        Assert.Contains(StagedNode.KeyOf(1)[20..], page, StringComparison.Ordinal);
        Assert.Contains($"/?peer={StagedNode.PeerOf(1).Name}#record-title", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_chain_shows_pairs_gaps_reasons_and_frauds()
    {
        var page = await DrawAsync(_village, "chain");

        Assert.Contains("1 not seen", page, StringComparison.Ordinal);
        Assert.Contains("nothing follows it yet", page, StringComparison.Ordinal);
        Assert.Contains("bridge-broken", page, StringComparison.Ordinal);
        Assert.Contains("has not signed, as far as this node knows", page, StringComparison.Ordinal);
        Assert.Contains("signed block 22 twice", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trust_shows_the_sum_and_never_adds_units()
    {
        var bytes = await DrawAsync(_village, "trust");
        var hours = await DrawAsync(_village, "trust", ("unit", "hours"));

        Assert.Contains("Why " + StagedNode.PeerOf(1).Name, bytes, StringComparison.Ordinal);
        Assert.Contains("straight to you", bytes, StringComparison.Ordinal);
        Assert.Contains("1 peer left out", bytes, StringComparison.Ordinal);
        Assert.Contains("3 hours", hours, StringComparison.Ordinal);
        Assert.DoesNotContain("79 MB", hours, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trust_says_why_in_words_with_links_to_blocks_and_to_those_in_between()
    {
        var page = await DrawAsync(_village, "trust", ("by", "meritrank"));

        Assert.Contains("aria-current=\"true\">Merit</a>", page, StringComparison.Ordinal);
        Assert.Contains("97 % of them over " + StagedNode.PeerOf(4).Name, page, StringComparison.Ordinal);
        Assert.Contains("it would be served", page, StringComparison.Ordinal);
        Assert.Contains("Behind the way over " + StagedNode.PeerOf(4).Name, page, StringComparison.Ordinal);
        Assert.Contains("href=\"/block/", page, StringComparison.Ordinal);
        Assert.Contains("And 10 older ones", page, StringComparison.Ordinal);
        Assert.Contains("What a score cannot tell you", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proven_cheater_is_named_as_one_with_both_blocks()
    {
        var fraud = _village.Frauds[0];
        var row = new TrustView(fraud.Culprit.PublicKey, fraud.Culprit.Name, 0, "bytes", 0, 0, 0, Cheater: true);
        _village.Reasons[row.PublicKey + " bytes"] = new TrustExplanation(row, 0, 0, [], [], "It is a proven cheater.", null, fraud);

        var page = await DrawAsync(_village, "trust", ("why", row.PublicKey));

        Assert.Contains("is a proven cheater</h2>", page, StringComparison.Ordinal);
        Assert.Contains("The two blocks", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proposal_that_cannot_be_read_says_so()
    {
        _empty.Inbox.Add(StagedNode.Item(1, "abc", null, null, null, "", 1, "strange_type"));

        var page = await DrawAsync(_empty, "inbox");

        Assert.Contains("strange_type", page, StringComparison.Ordinal);
        Assert.Contains("This node cannot read what it says", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_signs_nothing_says_why_on_every_page()
    {
        _village.SigningRefused = "An old backup was restored.";

        foreach (var page in (string[])["home", "peers", "chain", "trust", "inbox", "doctor", "lab"])
            Assert.Contains("An old backup was restored.", await DrawAsync(_village, page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_says_how_each_peer_is_reached_and_who_relays()
    {
        var page = await DrawAsync(_village, "doctor");

        Assert.Contains("<h1>Others reach this node with a little help.</h1>", page, StringComparison.Ordinal);
        Assert.Contains("94.210.4.18:7759", page, StringComparison.Ordinal);
        Assert.Contains($"relayed by <span class=\"nowrap\">{StagedNode.PeerOf(2).Name}", page, StringComparison.Ordinal);
        Assert.Contains("2 attempts", page, StringComparison.Ordinal);
        Assert.Contains("6 of 8 answered", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("O", "no router in between")]
    [InlineData("F", "your router, open")]
    [InlineData("E", "your router, a door")]
    [InlineData("R", "your router, a new gap for each")]
    [InlineData("B", "your router, shut")]
    [InlineData("?", "not known yet")]
    public async Task The_doctor_draws_every_class(string kind, string words)
    {
        _village.Net.Doctor = _village.Net.Doctor with { Class = kind };

        Assert.Contains(words, await DrawAsync(_village, "doctor"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lab_shows_every_node()
    {
        var lab = new StagedLab();
        lab.Show(StagedLab.Eight(23));

        var page = await DrawAsync(_village, "lab", lab: lab);

        for (var i = 1; i <= 8; i++) Assert.Contains($"id=\"live-node-{i}\"", page, StringComparison.Ordinal);
        Assert.Contains("8 nodes running", page, StringComparison.Ordinal);
        Assert.Contains("seed 42", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_words_stay_words()
    {
        const string evil = "<script>alert(1)</script>\" onload='x' \u202E";
        var node = StagedNode.Village();
        node.Inbox.Add(StagedNode.Item(2, "<b>\"'", 3, evil, true, evil, 1));
        node.Inbox.Add(StagedNode.Item(2, "id2", null, null, null, "", 1, evil));
        node.Chains[node.Own].Add(StagedNode.Block(node.Own, 19, StagedNode.KeyOf(1), 0, evil, false, evil) with { Type = evil });
        node.Frauds[0] = node.Frauds[0] with { First = node.Frauds[0].First with { Summary = evil, Type = evil } };
        node.Trust.Add(new TrustView(StagedNode.KeyOf(3), evil, 4, evil, 1, 4, 0));
        node.Warnings.Add(evil);
        node.PeerList.Add(new PeerView(null, null, [evil], false, null, null, null, [], false));
        var lab = new StagedLab();
        var snapshot = StagedLab.Eight(3);
        lab.Show(snapshot with { Events = [new LabEvent(1, "met", evil)], Nodes = [snapshot.Nodes[0] with { Name = evil }, .. snapshot.Nodes.Skip(1)] });

        foreach (var name in (string[])["home", "peers", "chain", "trust", "inbox", "lab"])
        {
            var page = await DrawAsync(node, name, lab: lab);
            Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
            Assert.DoesNotContain("\" onload='", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<b>\"'", page, StringComparison.Ordinal);
        }
        var unit = await DrawAsync(node, "trust", ("unit", evil));
        Assert.DoesNotContain("<script>alert", unit, StringComparison.Ordinal);
        var detail = await DrawBlockAsync(node, $"{node.Own}.19");
        Assert.DoesNotContain("<script>alert", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_page_has_a_style_or_a_script_of_its_own()
    {
        var lab = new StagedLab();
        lab.Show(StagedLab.Eight(23));

        foreach (var name in (string[])["home", "peers", "chain", "trust", "inbox", "lab"])
        {
            var page = await DrawAsync(_village, name, lab: lab);
            Assert.DoesNotContain(" style=", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<style", page, StringComparison.Ordinal);
            Assert.Equal(1, page.Split("<script").Length - 1);
            Assert.DoesNotMatch(" on[a-z]+=", page);
        }
    }

    [Fact]
    public async Task Every_fragment_has_an_id_that_its_page_has()
    {
        var lab = new StagedLab();
        lab.Show(StagedLab.Eight(23));
        foreach (var node in (StagedNode[])[_empty, _village])
        {
            foreach (var name in (string[])["home", "peers", "chain", "trust", "inbox", "lab"])
            {
                var (loader, renderer) = Make(node, lab);
                var model = await loader.LoadAsync(name, new QueryCollection(), null, TestContext.Current.CancellationToken);
                var page = await renderer.PageAsync(model);
                foreach (var fragment in await renderer.FragmentsAsync(model))
                {
                    var id = System.Text.RegularExpressions.Regex.Match(fragment, "^\\s*<[a-z]+[^>]* id=\"([^\"]+)\"");
                    Assert.True(id.Success, $"{name}: {fragment[..Math.Min(120, fragment.Length)]}");
                    Assert.Contains($"id=\"{id.Groups[1].Value}\"", page, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [InlineData("25", "MB", 25L << 20, "bytes")]
    [InlineData("1,5", "GB", 3L << 29, "bytes")]
    [InlineData("25 MB", "answers", 25L << 20, "bytes")]
    [InlineData("3", "hours", 3, "hours")]
    public void An_amount_is_read_from_its_two_fields(string amount, string unit, long expected, string expectedUnit)
    {
        var errors = new Dictionary<string, string>();

        Assert.True(Units.TryParse(amount, unit, out var read, out var readUnit, errors));
        Assert.Equal((expected, expectedUnit), (read, readUnit));
    }

    [Theory]
    [InlineData("", "MB", "amount")]
    [InlineData("many", "MB", "amount")]
    [InlineData("-3", "MB", "amount")]
    [InlineData("0", "MB", "amount")]
    [InlineData("1.5", "hours", "amount")]
    [InlineData("99999999999999999999", "MB", "amount")]
    [InlineData("0.1", "bytes", "amount")]
    [InlineData("3", "", "unit")]
    public void An_amount_that_cannot_be_is_said_beside_its_field(string amount, string unit, string field)
    {
        var errors = new Dictionary<string, string>();

        Assert.False(Units.TryParse(amount, unit, out _, out _, errors));
        Assert.True(errors.ContainsKey(field));
    }

    [Theory]
    [InlineData("127.0.0.1:8090", null)]
    [InlineData("[::1]:8090", null)]
    [InlineData("polder.example", "port is missing")]
    [InlineData("polder.example:80", "host is not an address")]
    [InlineData("127.0.0.1:99999", "port is a number")]
    [InlineData("0.0.0.0:80", "Nothing can be sent")]
    public void A_wrong_address_gets_words(string text, string? words)
    {
        var (error, _) = Posts.Address(text);

        if (words is null) Assert.Null(error);
        else Assert.Contains(words, error, StringComparison.Ordinal);
    }

    private static (PageLoader Loader, PageRenderer Renderer) Make(INodeOperations node, ILabFeed? lab = null) =>
        (new PageLoader(node, lab ?? new NoLab(), new TrafficHistory(node), new SimulationJobs(), TimeProvider.System),
         new PageRenderer(new ServiceCollection().BuildServiceProvider()));

    private static Task<string> DrawAsync(INodeOperations node, string page, params (string Name, string Value)[] query) => DrawAsync(node, page, query, null);

    private static Task<string> DrawAsync(INodeOperations node, string page, ILabFeed lab) => DrawAsync(node, page, [], lab);

    private static async Task<string> DrawAsync(INodeOperations node, string page, (string Name, string Value)[] query, ILabFeed? lab)
    {
        var (loader, renderer) = Make(node, lab);
        var collection = new QueryCollection(query.ToDictionary(part => part.Name, part => new Microsoft.Extensions.Primitives.StringValues(part.Value)));
        return await renderer.PageAsync(await loader.LoadAsync(page, collection, null, TestContext.Current.CancellationToken));
    }

    private static async Task<string> DrawBlockAsync(INodeOperations node, string id)
    {
        var (loader, renderer) = Make(node);
        return await renderer.PageAsync(await loader.BlockAsync(id, TestContext.Current.CancellationToken));
    }
}
