using System.Text.Json;
using Polder.Host.Commands;
using Polder.Node;
using Polder.Node.Operations;
using Polder.Tests.Ledger;
using Polder.Tests.Node;

namespace Polder.Tests.Host;

/// <summary>polder ledger as people type it: on folders at rest, and against a running node.</summary>
public sealed class LedgerCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_ledger_goes_from_one_folder_to_another_and_is_verified_there()
    {
        await NodeAsync("one", fill: true);
        await NodeAsync("two", fill: false);
        foreach (var file in (string[])["all.csv", "all.json", "all.sql"])
        {
            var path = _folder.At(file);
            var (code, text, _) = await RunAsync("ledger", "export", path, "--data", _folder.At("one"));
            Assert.Equal(0, code);
            Assert.Contains("80 blocks", text, StringComparison.Ordinal);
            Assert.Equal(CommandLine.Conflict, (await RunAsync("ledger", "export", path, "--data", _folder.At("one"))).Code);
            (code, text, _) = await RunAsync("ledger", "import", path, "--data", _folder.At("two"), "--json");
            Assert.Equal(0, code);
            using var json = JsonDocument.Parse(text);
            Assert.Equal(file == "all.csv" ? (80, 0) : (0, 80), (json.RootElement.GetProperty("kept").GetInt32(), json.RootElement.GetProperty("known").GetInt32()));
        }
        var (_, stats, _) = await RunAsync("ledger", "stats", "--data", _folder.At("two"), "--json");
        using var figures = JsonDocument.Parse(stats);
        Assert.Equal((80, 40, 2), (figures.RootElement.GetProperty("blocks").GetInt32(), figures.RootElement.GetProperty("records").GetInt32(), figures.RootElement.GetProperty("chains").GetInt32()));
        var (verified, words, _) = await RunAsync("ledger", "verify", "--data", _folder.At("two"));
        Assert.Equal(0, verified);
        Assert.Contains("Nothing is wrong.", words, StringComparison.Ordinal);
        var (found, line, _) = await RunAsync("ledger", "search", Chains.Key(1).Public.ShortName[..5], "--data", _folder.At("two"));
        Assert.Equal(0, found);
        Assert.Contains(Chains.Key(1).Public.ShortName, line, StringComparison.Ordinal);
        Assert.Equal(CommandLine.NotFound, (await RunAsync("ledger", "search", "00000000", "--data", _folder.At("two"))).Code);
    }

    [Fact]
    public async Task A_foreign_file_a_broken_line_and_a_wrong_form_are_refused_in_words()
    {
        await NodeAsync("one", fill: false);
        var path = _folder.At("foreign.csv");
        await File.WriteAllTextAsync(path, "name,age\nalice,7\n", TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync("ledger", "import", path, "--data", _folder.At("one"));
        Assert.Equal(CommandLine.BadInput, code);
        Assert.Contains("line 1: there is no column \"packed\"", error, StringComparison.Ordinal);
        Assert.Contains("--skip-broken", error, StringComparison.Ordinal);
        Assert.Equal(CommandLine.NotFound, (await RunAsync("ledger", "import", _folder.At("none"), "--data", _folder.At("one"))).Code);
        (code, _, error) = await RunAsync("ledger", "export", _folder.At("all.xml"), "--data", _folder.At("one"));
        Assert.Equal(CommandLine.BadInput, code);
        Assert.Contains("--format csv, json or copy", error, StringComparison.Ordinal);
        Assert.Equal(CommandLine.NotFound, (await RunAsync("ledger", "stats", "--data", _folder.At("nobody"))).Code is CommandLine.Unavailable ? CommandLine.NotFound : 0);
        (code, _, error) = await RunAsync("ledger", "stats", "--store", "mysql://x/y");
        Assert.Equal(CommandLine.Conflict, code);
        Assert.Contains("It looks like postgres://", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_node_takes_a_dump_in_and_says_which_line_it_does_not_keep()
    {
        var dump = Work.Records(Chains.Key(1), Chains.Key(2), [1, 2, 3]).Proposals.Select(static block => Convert.ToHexString(block.Packed.Span)).ToList();
        dump[2] = dump[2][..500] + (dump[2][500] == '0' ? '1' : '0') + dump[2][501..];
        var path = _folder.At("dump.hex");
        await File.WriteAllLinesAsync(path, dump, TestContext.Current.CancellationToken);
        await using var node = await new NodeBuilder(new NodeOptions { Data = _folder.At("node"), Port = 0, Loopback = true }).StartAsync(TestContext.Current.CancellationToken);

        var (code, text, _) = await RunAsync(node.Operations, "ledger", "import", path);

        Assert.Equal(CommandLine.Conflict, code);
        Assert.Contains("2 blocks new, 0 here already, 1 not kept", text, StringComparison.Ordinal);
        Assert.Contains("Line 3: ", text, StringComparison.Ordinal);
        Assert.Contains("A running node judges every block itself", (await RunAsync(new FakeNode(), "ledger", "import", path, "--verified")).Error, StringComparison.Ordinal);
    }

    /// <summary>A folder in which a node was once.</summary>
    private async Task NodeAsync(string name, bool fill)
    {
        await using (var node = await new NodeBuilder(new NodeOptions { Data = _folder.At(name), Port = 0, Loopback = true }).StartAsync(TestContext.Current.CancellationToken))
        {
            if (!fill) return;
            var (proposals, agreements) = Work.Records(Chains.Key(1), Chains.Key(2), [.. Enumerable.Range(1, 40)]);
            await node.InvokeAsync(async () =>
            {
                for (var i = 0; i < 40; i++) node.Ledger.Store.AddRange([proposals[i], agreements[i]]);
                await node.Ledger.Store.FlushAsync();
                return true;
            });
        }
    }

    private static Task<(int Code, string Text, string Error)> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    private static async Task<(int Code, string Text, string Error)> RunAsync(INodeOperations? node, params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(output, error, interactive: false, errorInteractive: false);
        var code = await CommandLine.RunAsync(arguments, new Surroundings(terminal, node is null ? NodeAccess.OpenAsync : (_, _) => Task.FromResult(node)), TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }
}
