using System.Net;
using System.Text;
using Polder.Host;
using Polder.Ledger.Fraud;
using Polder.Ledger.Stores;
using Polder.Ledger.Blocks;
using Polder.Tests.Ledger;

namespace Polder.Tests.Pages;

/// <summary>The pages Fraud and Network, as a browser without script sees and uses them.</summary>
public sealed class WatchPageTests : IAsyncLifetime
{
    private static readonly FraudProof Proof = new(FraudKind.DoubleSign,
        Chains.Block(Chains.Key(1), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash), Chains.Block(Chains.Key(1), 1, Chains.Key(3).Public.Bytes, 0, HalfBlock.GenesisHash));

    private readonly StagedNode _node = StagedNode.Village();
    private WebFace _web = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _web = await WebFace.StartAsync(_node, null, 0, "token", TestContext.Current.CancellationToken);
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(_web.Address) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _web.DisposeAsync();
    }

    private async Task<string> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private async Task<(HttpStatusCode Status, string Page)> UploadAsync(byte[]? file, string what)
    {
        using var form = new MultipartFormDataContent();
        if (file is not null) form.Add(new ByteArrayContent(file), "file", "a.polder-fraud");
        form.Add(new StringContent(what), "do");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/fraud") { Content = form };
        request.Headers.Add("Origin", _web.Address.TrimEnd('/'));
        using var answer = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_fraud_stands_there_with_both_blocks_and_what_differs_is_marked()
    {
        _node.Watch.Frauds.Add(Host.FakeWatch.Fraud(StagedNode.PeerOf(8)));
        var page = await GetAsync("/fraud");
        Assert.Contains("signed one number twice", page, StringComparison.Ordinal);
        Assert.Contains("<mark title=\"25 MB to &lt;b&gt;bob&lt;/b&gt;\">", page, StringComparison.Ordinal);
        Assert.Contains("/fraud/export?peer=", page, StringComparison.Ordinal);
        _node.Watch.Document = FraudFile.Write(Proof);
        Assert.Contains("\"polder-fraud\"", await GetAsync("/fraud/export?peer=" + StagedNode.KeyOf(8)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_checked_and_kept_only_when_it_proves_something()
    {
        var (status, page) = await UploadAsync(FraudFile.Write(Proof), "check");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("The file proves a fraud", page, StringComparison.Ordinal);
        Assert.Empty(_node.Watch.Imported);

        (status, page) = await UploadAsync(FraudFile.Write(Proof), "keep");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("It is kept here now", page, StringComparison.Ordinal);
        Assert.Single(_node.Watch.Imported);

        (status, page) = await UploadAsync(FraudFile.Write(Proof with { Second = Proof.First }), "keep");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("both blocks are the same", page, StringComparison.Ordinal);
        Assert.Single(_node.Watch.Imported);

        Assert.Contains("is no JSON", (await UploadAsync(Encoding.UTF8.GetBytes("hello"), "check")).Page, StringComparison.Ordinal);
        Assert.Contains("Choose a file first", (await UploadAsync(null, "check")).Page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_network_is_drawn_and_crawling_begins_and_ends_by_a_button()
    {
        var page = await GetAsync("/network");
        Assert.Contains("Records a day", page, StringComparison.Ordinal);
        Assert.Contains("Users over time", page, StringComparison.Ordinal);
        Assert.Contains("<svg class=\"plot-picture", page, StringComparison.Ordinal);
        Assert.Contains("Fetch everybody&#x27;s chains", page, StringComparison.Ordinal);
        foreach (var run in (string[])["true", "false"])
        {
            using var content = new FormUrlEncodedContent([new("run", run)]);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/network/crawl") { Content = content };
            request.Headers.Add("Origin", _web.Address.TrimEnd('/'));
            using var answer = await _client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        }
        Assert.Equal([true, false], _node.Watch.Runs);
    }
}
