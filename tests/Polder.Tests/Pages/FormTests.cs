using System.Net;
using Polder.Node.Operations;

namespace Polder.Tests.Pages;

/// <summary>Forms as a browser without script sends them, over a real connection on 127.0.0.1.</summary>
public sealed class FormTests : PlainBrowser
{
    [Fact]
    public async Task A_record_is_proposed_and_the_next_page_says_so_once()
    {
        using var answer = await PostAsync("/record", ("direction", "gave"), ("amount", "25"), ("unit", "MB"), ("peer", StagedNode.PeerOf(1).Name), ("for", "storing a file"));

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var request = Assert.Single(Node.Recorded);
        Assert.Equal((25L << 20, "bytes", true, "storing a file"), (request.Amount, request.Unit, request.Gave, request.For));
        var next = answer.Headers.Location!.ToString();
        Assert.StartsWith("/chain?notice=", next, StringComparison.Ordinal);
        Assert.Contains("<b>Proposed.</b>", await GetAsync(next), StringComparison.Ordinal);
        Assert.DoesNotContain("<b>Proposed.</b>", await GetAsync(next), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_with_errors_comes_back_with_what_was_typed()
    {
        using var answer = await PostAsync("/record", ("direction", "got"), ("amount", "lots"), ("unit", "hours"), ("peer", "zz-zz"), ("for", "<b>help</b>"), ("from", "peers"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Empty(Node.Recorded);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("id=\"amount-error\"", page, StringComparison.Ordinal);
        Assert.Contains("id=\"peer-error\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"lots\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"&lt;b&gt;help&lt;/b&gt;\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"got\" checked", page, StringComparison.Ordinal);
        Assert.Contains("<h1>Peers</h1>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_theNode_is_said_in_its_words()
    {
        Node.RecordTrouble = new OperationRefusedException(RefusalKind.Conflict, "This node signs nothing until its chain is whole again.");

        using var answer = await PostAsync("/record", ("direction", "gave"), ("amount", "25"), ("unit", "MB"), ("peer", StagedNode.PeerOf(1).Name), ("for", "storing a file"));

        Assert.Contains("signs nothing until its chain is whole again", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_is_added_by_its_address()
    {
        using var answer = await PostAsync("/peers", ("address", " 127.0.0.1:8123 "), ("from", "peers"));

        Assert.Equal("127.0.0.1:8123", Assert.Single(Node.Walked).ToString());
        Assert.Contains("<b>Asked.</b>", await GetAsync(answer.Headers.Location!.ToString()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invitation_is_made_and_drawn_and_stays_out_of_the_address()
    {
        using var answer = await PostAsync("/invitation");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("peer:ABCDEFGHIJ234567", page, StringComparison.Ordinal);
        Assert.Contains("class=\"qr-ink\"", page, StringComparison.Ordinal);
        Assert.Equal("invite 168", Assert.Single(Node.Net.Asked, asked => asked.StartsWith("invite", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_invitation_is_taken_where_an_address_could_stand()
    {
        using var answer = await PostAsync("/peers", ("address", "peer:ABC"), ("from", "peers"));

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Contains("accept peer:ABC", Node.Net.Asked);
        Assert.Contains("You are contacts.", await GetAsync(answer.Headers.Location!.ToString()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_invitation_comes_back_with_words_beside_it()
    {
        Node.Net.AcceptTrouble = new OperationRefusedException(RefusalKind.BadInput, "This invitation was used already.");

        using var answer = await PostAsync("/peers", ("address", "peer:ABC"), ("from", "peers"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("This invitation was used already.", page, StringComparison.Ordinal);
        Assert.Contains("value=\"peer:ABC\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_address_comes_back_with_words_beside_it()
    {
        using var answer = await PostAsync("/peers", ("address", "polder.example"), ("from", "peers"));

        Assert.Empty(Node.Walked);
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("The port is missing", page, StringComparison.Ordinal);
        Assert.Contains("value=\"polder.example\"", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accept", true, "Signed.")]
    [InlineData("refuse", false, "Refused.")]
    public async Task A_proposal_is_answered(string word, bool accept, string said)
    {
        using var answer = await PostAsync("/inbox/7f3a21c9", ("word", word));

        Assert.Equal(("7f3a21c9", accept), Assert.Single(Node.Answered));
        Assert.Contains($"<b>{said}</b>", await GetAsync(answer.Headers.Location!.ToString()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_to_nothing_answers_nothing()
    {
        using var unknown = await PostAsync("/inbox/none", ("word", "accept"));
        using var wordless = await PostAsync("/inbox/7f3a21c9");

        Assert.Empty(Node.Answered);
        Assert.Contains("does not wait any more", await GetAsync(unknown.Headers.Location!.ToString()), StringComparison.Ordinal);
        Assert.Contains("Nothing was signed", await GetAsync(wordless.Headers.Location!.ToString()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_is_asked_for()
    {
        using var answer = await PostAsync("/crawl", ("peer", StagedNode.KeyOf(2)));

        Assert.Equal(StagedNode.KeyOf(2), Assert.Single(Node.Crawled));
        Assert.Contains("11 blocks came", await GetAsync(answer.Headers.Location!.ToString()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("http://evil.example", null)]
    [InlineData("null", null)]
    [InlineData(null, "cross-site")]
    [InlineData(null, "same-site")]
    public async Task A_post_from_elsewhere_is_refused(string? origin, string? site)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/inbox/7f3a21c9") { Content = new FormUrlEncodedContent([new("word", "accept")]) };
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);

        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.InRange((int)answer.StatusCode, 400, 403);
        Assert.Empty(Node.Answered);
    }

    [Fact]
    public async Task A_page_that_is_not_there_is_said_in_words()
    {
        using var answer = await Client.GetAsync("/nothing/here", TestContext.Current.CancellationToken);
        using var block = await Client.GetAsync("/block/none", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("There is no page at /nothing/here", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, block.StatusCode);
    }

    [Fact]
    public async Task Pages_forbid_foreign_script_and_frames_and_files_keep_for_ever()
    {
        using var page = await Client.GetAsync("/", TestContext.Current.CancellationToken);
        var text = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var css = System.Text.RegularExpressions.Regex.Match(text, "href=\"(/polder.css[^\"]+)\"").Groups[1].Value;
        using var file = await Client.GetAsync(css, TestContext.Current.CancellationToken);

        Assert.StartsWith("default-src 'none'; style-src 'self'; script-src 'self'", Assert.Single(page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.True(page.Headers.CacheControl!.NoStore);
        Assert.Equal("text/css", file.Content.Headers.ContentType!.MediaType);
        Assert.Contains("immutable", file.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_sends_the_page_once_and_then_what_changed()
    {
        using var stream = await Client.GetStreamAsync("/live/inbox", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);

        Assert.Equal(("node", Node.Own), await EventAsync(reader));
        var (kind, whole) = await EventAsync(reader);
        Assert.Equal("fragments", kind);
        Assert.Contains("id=\"live-inbox\"", whole, StringComparison.Ordinal);

        Node.Change(node => node.Inbox.Add(StagedNode.Item(2, "aaaa", 3, "hours", true, "helping <b>out</b>", 1)));
        string? said = null, change = null;
        while (said is null || change is null)
        {
            var (name, data) = await EventAsync(reader);
            if (name == "say") said = data;
            if (name == "fragments" && data.Contains("live-inbox", StringComparison.Ordinal)) change = data;
        }
        Assert.Equal("Three proposals wait for your word.", said);
        Assert.Contains("helping &lt;b&gt;out&lt;/b&gt;", change, StringComparison.Ordinal);
        Assert.Contains("id=\"live-tally\"", change, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"live-pulse\"", change, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_are_bounded_and_their_places_come_back()
    {
        var streams = new List<Stream>();
        for (var i = 0; i < Polder.Host.Pages.LiveStream.StreamsMax; i++)
            streams.Add(await Client.GetStreamAsync("/live/peers", TestContext.Current.CancellationToken));
        using (var refused = await Client.GetAsync("/live/peers", TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        foreach (var stream in streams) await stream.DisposeAsync();
        for (var tries = 0; ; tries++)
        {
            using var again = await Client.GetAsync("/live/peers", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            if (again.IsSuccessStatusCode) break;
            Assert.InRange(tries, 0, 100);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<(string Event, string Data)> EventAsync(StreamReader reader)
    {
        var (name, data) = ("message", new List<string>());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (await reader.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Length == 0 && data.Count > 0) return (name, string.Join('\n', data));
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data.Add(line[6..]);
            else if (line == "data:") data.Add("");
        }
        throw new EndOfStreamException();
    }
}
