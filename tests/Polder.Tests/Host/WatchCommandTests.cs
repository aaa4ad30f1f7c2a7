using System.Text.Json;
using Polder.Host.Commands;
using Polder.Host.Commands.Records;
using Polder.Ledger.Blocks;
using Polder.Ledger.Fraud;
using Polder.Ledger.Stores;
using Polder.Node.Operations;
using Polder.Tests.Ledger;
using Polder.Tests.Node;

namespace Polder.Tests.Host;

/// <summary>polder fraud and polder crawl --all, as people type them.</summary>
public sealed class WatchCommandTests : IDisposable
{
    private static readonly FraudProof Proof = new(FraudKind.DoubleSign,
        Chains.Block(Chains.Key(1), 1, Chains.Key(2).Public.Bytes, 0, HalfBlock.GenesisHash), Chains.Block(Chains.Key(1), 1, Chains.Key(3).Public.Bytes, 0, HalfBlock.GenesisHash));

    private readonly TemporaryFolder _folder = new();
    private readonly FakeNode _node = new();

    public WatchCommandTests()
    {
        Directory.CreateDirectory(_folder.At("."));
        _node.Watch.Document = FraudFile.Write(Proof);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false), (_, _) => Task.FromResult<INodeOperations>(_node));
        var code = await CommandLine.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task A_proof_is_exported_checked_and_imported()
    {
        var file = _folder.At("a.polder-fraud");
        Assert.Equal(0, (await RunAsync("fraud", "export", "ab", file)).Code);
        var (code, output, _) = await RunAsync("fraud", "check", file);
        Assert.Equal(0, code);
        Assert.Contains("Proven.", output, StringComparison.Ordinal);
        Assert.Contains("≠ Counterparty", output, StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse((await RunAsync("fraud", "check", file, "--json")).Output).RootElement.GetProperty("proven").GetBoolean());
        Assert.Equal(0, (await RunAsync("fraud", "import", file)).Code);
        Assert.Single(_node.Watch.Imported);
        Assert.Contains("\"polder-fraud\"", (await RunAsync("fraud", "export", "ab", "-")).Output, StringComparison.Ordinal);

        File.WriteAllBytes(file, FraudFile.Write(Proof with { Second = Proof.First }));
        (code, _, var error) = await RunAsync("fraud", "check", file);
        Assert.Equal(2, code);
        Assert.Contains("both blocks are the same", error, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("fraud", "import", file)).Code);
        Assert.Equal(3, (await RunAsync("fraud", "check", _folder.At("none"))).Code);
        Assert.Equal(3, (await RunAsync("fraud", "export", "nobody", file)).Code);
    }

    [Fact]
    public async Task Everybody_is_crawled_until_each_was_asked()
    {
        var (code, output, _) = await RunAsync("crawl", "--all");
        Assert.Equal(0, code);
        Assert.Contains("3 chains known of, 2 held without a gap", output, StringComparison.Ordinal);
        Assert.Equal([true], _node.Watch.Runs);
        Assert.Equal(0, (await RunAsync("crawl", "--stop")).Code);
        Assert.Equal(2, (await RunAsync("crawl")).Code);
        Assert.Equal(2, (await RunAsync("crawl", "ab", "--all")).Code);
        Assert.Equal("████████████░░░░░░░░░░░░ 5 of 10 chains, 1,234 blocks, 6 missing", CrawlCommands.Line(new CrawlProgressView(true, 10, 5, 4, 1234, 6, 1, 1, 1)));
        _node.Watch.Progress = _node.Watch.Progress with { Peers = 0 };
        Assert.Equal(5, (await RunAsync("crawl", "--all")).Code);
    }

    /// <summary>A record of 2^63 bytes, by the command.</summary>
    [Fact]
    public async Task A_record_larger_than_can_be_counted_is_refused_in_words()
    {
        var (code, _, error) = await RunAsync("record", "ab", "--gave", "9223372036854775808B", "--for", "everything");
        Assert.Equal(2, code);
        Assert.NotEmpty(error);
        Assert.Empty(_node.Recorded);
    }
}
