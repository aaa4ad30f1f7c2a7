using System.Text.Json;
using Polder.Host.Commands;
using Polder.Host.Commands.Records;
using Polder.Node.Operations;

namespace Polder.Tests.Host;

public sealed class CommandLineTests
{
    private readonly FakeNode _node = new();

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false),
            (_, _) => Task.FromResult<INodeOperations>(_node));
        var code = await CommandLine.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync([.. arguments, "--json"]);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        return JsonDocument.Parse(output).RootElement;
    }

    private static void Has(JsonElement element, params string[] names) =>
        Assert.All(names, name => Assert.True(element.TryGetProperty(name, out _), name));

    [Fact]
    public async Task Json_has_the_agreed_shapes()
    {
        Has(await JsonAsync("id"), "publicKey", "mid", "nodeId", "name");
        Has((await JsonAsync("peers"))[0], "publicKey", "addresses", "verified", "roundTripMs", "lastInSeconds", "lastOutSeconds");
        Has(await JsonAsync("record", "ab", "--gave", "25MB", "--for", "x"), "block", "state");
        Has((await JsonAsync("inbox"))[0], "id", "from", "amount", "for");
        Has((await JsonAsync("inbox", "accept", "3fa9"))[0], "id", "from", "amount", "for");
        Has((await JsonAsync("chain"))[0], "sequence", "linkKey", "linkSequence", "type", "hash", "valid", "reason");
        Has(await JsonAsync("crawl", "ab"), "blocks");
        Has((await JsonAsync("trust"))[0], "publicKey", "score", "records");
        Has(await JsonAsync("trust", "ab", "--why"), "trust", "paths", "records", "inWords");
        Has((await JsonAsync("fraud"))[0], "culprit", "kind", "first", "second");
        Has(await JsonAsync("block", "cc"), "block", "linked", "transaction", "packed");
    }

    [Fact]
    public async Task Data_and_json_may_stand_anywhere()
    {
        var (code, output, _) = await RunAsync("--json", "--data", "/tmp/x", "id");
        Assert.Equal(0, code);
        Assert.StartsWith("{", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--gave", "25MB", null, true, 25L << 20, "bytes")]
    [InlineData("--got", "1.5GiB", null, false, 3L << 29, "bytes")]
    [InlineData("--got", "512b", null, false, 512, "bytes")]
    [InlineData("--gave", "3", "hours", true, 3, "hours")]
    [InlineData("--gave", "25", "MB", true, 25L << 20, "bytes")]
    [InlineData("--gave", "100", "bytes", true, 100, "bytes")]
    public async Task Amounts_are_read(string side, string amount, string? unit, bool gave, long expected, string expectedUnit)
    {
        string[] words = ["record", "ab", side, amount, "--for", "storing a file", .. unit is null ? (string[])[] : ["--unit", unit]];
        var (code, _, error) = await RunAsync(words);
        Assert.Equal("", error);
        Assert.Equal(0, code);
        var request = Assert.Single(_node.Recorded);
        Assert.Equal((gave, expected, expectedUnit, "storing a file"), (request.Gave, request.Amount, request.Unit, request.For));
    }

    [Theory]
    [InlineData("25")]
    [InlineData("MB")]
    [InlineData("-3MB")]
    [InlineData("0MB")]
    [InlineData("1e3MB")]
    [InlineData("0.3B")]
    [InlineData("99999999999TB")]
    [InlineData("25MB", "--unit", "hours")]
    [InlineData("1.5", "--unit", "hours")]
    [InlineData("9223372036854775807", "--unit", "MB")]
    public async Task Amounts_that_mean_nothing_are_refused_with_words(params string[] amount)
    {
        var (code, output, error) = await RunAsync(["record", "ab", "--for", "x", "--gave", .. amount]);
        Assert.Equal(CommandLine.BadInput, code);
        Assert.Equal("", output);
        Assert.Single(error.Trim().Split('\n'));
        Assert.Empty(_node.Recorded);
    }

    [Theory]
    [InlineData("pers", "Did you mean peers?")]
    [InlineData("recrod", "Did you mean record?")]
    [InlineData("frobnicate", "no command")]
    [InlineData("id --josn", "Did you mean --json?")]
    [InlineData("inbox acept 3fa9", "Did you mean accept?")]
    [InlineData("inbox accept", "--all")]
    [InlineData("inbox accept 3fa9 --all", "not both")]
    [InlineData("record ab --for x", "--gave AMOUNT")]
    [InlineData("record ab --gave 1MB --got 1MB --for x", "--gave AMOUNT")]
    [InlineData("record ab --gave 1MB", "--for")]
    [InlineData("trust --why", "needs a peer")]
    [InlineData("chain --from 0", "--from")]
    public async Task Wrong_lines_get_one_sentence_and_exit_code_2(string line, string expected)
    {
        var (code, output, error) = await RunAsync(line.Split(' '));
        Assert.Equal(CommandLine.BadInput, code);
        Assert.Equal("", output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [Theory]
    [InlineData(RefusalKind.BadInput, 2)]
    [InlineData(RefusalKind.NotFound, 3)]
    [InlineData(RefusalKind.Conflict, 4)]
    [InlineData(RefusalKind.Unavailable, 5)]
    public async Task Refusals_become_exit_codes(RefusalKind kind, int expected)
    {
        _node.Trouble = new OperationRefusedException(kind, "No. Do that instead.");
        var (code, _, error) = await RunAsync("id");
        Assert.Equal(expected, code);
        Assert.Equal("polder: No. Do that instead.", error.Trim());
    }

    [Fact]
    public async Task A_fault_of_ours_writes_a_report_and_no_stack_trace()
    {
        _node.Trouble = new InvalidOperationException("deep inside");
        var (code, _, error) = await RunAsync("id");
        Assert.Equal(CommandLine.OurFailure, code);
        Assert.DoesNotContain(" at ", error, StringComparison.Ordinal);
        var file = error.Split(' ').Single(word => word.Contains("polder-crash", StringComparison.Ordinal)).TrimEnd(';');
        Assert.Contains("deep inside", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        File.Delete(file);
    }

    [Fact]
    public async Task Words_of_others_cannot_drive_the_terminal()
    {
        var (_, output, _) = await RunAsync("inbox");
        Assert.DoesNotContain('\e', output);
        Assert.Contains("storing a file", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_command_and_has_examples()
    {
        var (code, output, _) = await RunAsync();
        Assert.Equal(0, code);
        foreach (var name in (string[])["run", "id", "peers", "record", "inbox", "chain", "block", "crawl", "trust", "fraud", "backup", "restore", "config", "lab", "sim", "bench"])
            Assert.Contains("polder " + name, output, StringComparison.Ordinal);
        Assert.Contains("Examples:", (await RunAsync("record", "--help")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_are_found_in_json_and_in_lines()
    {
        var hex = new string('a', 600);
        var other = new string('b', 600);
        Assert.Single(BlockFiles.Collect($$"""{"cases":[{"pack":"{{hex}}","key":"{{other}}"}]}"""));
        Assert.Equal(2, BlockFiles.Collect($$"""{"database":["{{hex}}","{{other}}"],"block":"{{hex}}"}""").Count);
        Assert.Equal(2, BlockFiles.Collect($"# comment\n{hex}\n\n{other}\n").Count);
        Assert.Throws<OperationRefusedException>(() => BlockFiles.Collect("hello\n"));
        Assert.Throws<OperationRefusedException>(() => BlockFiles.Collect("{\"pack\": "));
    }
}
