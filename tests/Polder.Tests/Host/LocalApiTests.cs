using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Polder.Host;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>The API over a real socket of 127.0.0.1, with a node that answers from memory.</summary>
public sealed class LocalApiTests : IAsyncLifetime
{
    private const string Token = "0123456789abcdef";
    private readonly FakeNode _node = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private WebFace _face = null!;

    public async ValueTask InitializeAsync() => _face = await WebFace.StartAsync(_node, null, 0, Token, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _face.DisposeAsync();
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(
        string route, string? token = Token, string? host = null, string? origin = null, string? site = null, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, _face.Address + route);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (host is not null) request.Headers.Host = host;
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.ExpectContinue = body is { Length: > 100_000 };
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private ApiNode Client() => new(new ApiFile(_face.Port, 1, Token));

    [Fact]
    public async Task The_token_opens_and_anything_else_does_not()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("api/identity")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("api/identity", token: null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("api/identity", token: Token + "0")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("API/identity", token: "")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("api/", token: null)).Status);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:80")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]:80")]
    public async Task Another_host_is_refused_even_with_the_token(string host)
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("api/identity", host: host)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("", host: host)).Status);
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("https://localhost")]
    public async Task A_foreign_origin_is_refused_even_with_the_token(string origin)
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("api/identity", origin: origin)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("api/crawl", origin: origin, body: "{\"peer\":\"ab\"}")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("", origin: origin)).Status);
    }

    [Fact]
    public async Task A_cross_site_request_is_refused_and_our_own_passes()
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("api/identity", site: "cross-site")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("", site: "same-site", body: "a=b", type: "application/x-www-form-urlencoded")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("api/identity", site: "same-origin", origin: _face.Address.TrimEnd('/'))).Status);
    }

    [Fact]
    public async Task No_answer_lets_other_pages_read_or_frame_it()
    {
        using var response = await _client.GetAsync(_face.Address, TestContext.Current.CancellationToken);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Contains("frame-ancestors 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Bad_bodies_get_400_with_words()
    {
        foreach (var body in (string[])["", "{", "[]", "null", "{}", "{\"peer\":7}", "{\"peer\":\"ab\",\"gave\":true,\"amount\":1,\"waitSeconds\":1e9}"])
        {
            var (status, answer) = await SendAsync("api/records", body: body);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.NotEqual("", JsonDocument.Parse(answer).RootElement.GetProperty("error").GetString());
        }
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("api/records", body: "peer=ab", type: "application/x-www-form-urlencoded")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("api/records", body: "{\"peer\":\"ab\",\"gave\":true,\"amount\":1}", type: "text/plain")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("api/chain?from=0")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("api/peers/walk", body: "{\"address\":\"nowhere\"}")).Status);
        Assert.Empty(_node.Recorded);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        var (status, _) = await SendAsync("api/import", body: "{\"blocks\":[\"" + new string('a', (int)WebFace.BodyBytesMax) + "\"]}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    [Theory]
    [InlineData(RefusalKind.BadInput, HttpStatusCode.BadRequest)]
    [InlineData(RefusalKind.NotFound, HttpStatusCode.NotFound)]
    [InlineData(RefusalKind.Conflict, HttpStatusCode.Conflict)]
    [InlineData(RefusalKind.Unavailable, HttpStatusCode.ServiceUnavailable)]
    public async Task Refusals_travel_through_the_api_unchanged(RefusalKind kind, HttpStatusCode expected)
    {
        _node.Trouble = new OperationRefusedException(kind, "No. Do that instead.");
        Assert.Equal(expected, (await SendAsync("api/identity")).Status);
        using var client = Client();
        var refusal = await Assert.ThrowsAsync<OperationRefusedException>(() => client.IdentityAsync(TestContext.Current.CancellationToken));
        Assert.Equal((kind, "No. Do that instead."), (refusal.Kind, refusal.Message));
    }

    [Fact]
    public async Task A_node_that_is_slow_is_not_said_to_be_away_and_one_that_was_killed_is()
    {
        var stop = TestContext.Current.CancellationToken;
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        using var slow = new ApiNode(new ApiFile(port, Environment.ProcessId, "token"));
        var refusal = await Assert.ThrowsAsync<OperationRefusedException>(() => slow.IsThereAsync(stop, TimeSpan.FromMilliseconds(200)));
        Assert.Equal(RefusalKind.Unavailable, refusal.Kind);
        using var killed = new ApiNode(new ApiFile(port, int.MaxValue, "token"));
        Assert.False(await killed.IsThereAsync(stop, TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task The_client_gives_back_what_the_node_said()
    {
        var stop = TestContext.Current.CancellationToken;
        using var client = Client();
        Assert.True(await client.IsThereAsync(stop));
        Assert.Equal(FakeNode.Me, await client.IdentityAsync(stop));
        Assert.Equal("Open the page", (await client.StatusAsync(stop)).NextSteps[0]);
        Assert.Equal(2, (await client.PeersAsync(stop)).Count);
        Assert.Equal(FakeNode.Me.Name, (await client.ResolveAsync("ab cd&", stop)).Name);
        var request = new RecordRequest("ab", true, 3, "hours", "é & ü", TimeSpan.FromSeconds(2));
        Assert.Equal("agreed", (await client.RecordAsync(request, stop)).State);
        Assert.Equal(request, _node.Recorded.Single());
        Assert.Equal(FakeNode.Then, (await client.InboxAsync(stop))[0].Time);
        await client.AnswerAsync(["x"], false, stop);
        Assert.Equal("x", _node.Answered.Single().Ids.Single());
        Assert.Equal(2, (await client.ChainAsync(null, cancellation: stop)).Blocks.Count);
        Assert.Equal("{}", (await client.BlockAsync("a.1", stop)).Transaction);
        Assert.Equal(2, (await client.ImportAsync([[1], [2]], stop)).Count);
        Assert.Equal(11, (await client.CrawlAsync("ab", stop)).Blocks);
        Assert.Single(await client.TrustAsync(cancellation: stop));
        Assert.Equal(1, (await client.WhyAsync("ab", cancellation: stop)).Cap);
        Assert.Single(await client.FraudsAsync(stop));
        Assert.Equal(6, await client.WaitForChangeAsync(5, stop));
        Assert.True(Polder.Net.Endpoint.TryParse("127.0.0.1:9", out var endpoint));
        await client.WalkToAsync(endpoint, stop);
        Assert.Equal(endpoint, _node.Walked.Single());
    }

    [Fact]
    public async Task A_taken_port_is_named_together_with_the_option()
    {
        var refusal = await Assert.ThrowsAsync<OperationRefusedException>(() =>
            WebFace.StartAsync(_node, null, _face.Port, Token, TestContext.Current.CancellationToken));
        Assert.Contains($"{_face.Port}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--page", refusal.Message, StringComparison.Ordinal);
    }
}
