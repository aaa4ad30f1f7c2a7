using System.Net;
using System.Text;
using Polder.Ledger.Fraud;
using Polder.Ledger.Stores;
using Polder.Ledger.Blocks;
using Polder.Tests.Ledger;

namespace Polder.Tests.Pages;

/// <summary>The pages Fraud and Network, as a browser without script sees and uses them.</summary>
public sealed class WatchPageTests : PlainBrowser
{
    private static readonly FraudProof Proof = new(FraudKind.DoubleSign,
        Chains.Block(Chains.Key(1), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash), Chains.Block(Chains.Key(1), 1, Chains.Key(3).Public.Bytes, 0, HalfBlock.GenesisHash));

    private async Task<(HttpStatusCode Status, string Page)> UploadAsync(byte[]? file, string what)
    {
        using var form = new MultipartFormDataContent();
        if (file is not null) form.Add(new ByteArrayContent(file), "file", "a.polder-fraud");
        form.Add(new StringContent(what), "do");
        using var answer = await PostAsync("/fraud", form);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_fraud_stands_there_with_both_blocks_and_what_differs_is_marked()
    {
        Node.Watch.Frauds.Add(Host.FakeWatch.Fraud(StagedNode.PeerOf(8)));
        var page = await GetAsync("/fraud");
        Assert.Contains("signed one number twice", page, StringComparison.Ordinal);
        Assert.Contains("<mark title=\"25 MB to &lt;b&gt;bob&lt;/b&gt;\">", page, StringComparison.Ordinal);
        Assert.Contains("/fraud/export?peer=", page, StringComparison.Ordinal);
        Node.Watch.Document = FraudFile.Write(Proof);
        Assert.Contains("\"polder-fraud\"", await GetAsync("/fraud/export?peer=" + StagedNode.KeyOf(8)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_checked_and_kept_only_when_it_proves_something()
    {
        var (status, page) = await UploadAsync(FraudFile.Write(Proof), "check");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("The file proves a fraud", page, StringComparison.Ordinal);
        Assert.Empty(Node.Watch.Imported);

        (status, page) = await UploadAsync(FraudFile.Write(Proof), "keep");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("It is kept here now", page, StringComparison.Ordinal);
        Assert.Single(Node.Watch.Imported);

        (status, page) = await UploadAsync(FraudFile.Write(Proof with { Second = Proof.First }), "keep");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("both blocks are the same", page, StringComparison.Ordinal);
        Assert.Single(Node.Watch.Imported);

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
            using var answer = await PostAsync("/network/crawl", ("run", run));
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        }
        Assert.Equal([true, false], Node.Watch.Runs);
    }
}
