using System.Text.Json;
using Polder.Host.Commands;
using Polder.Host.Commands.Records;
using Polder.Node.Operations;
using Polder.Tests.Ledger;
using Polder.Tests.Node;

namespace Polder.Tests.Host;

public sealed class ScoreCommandTests
{
    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var surroundings = new Surroundings(new Terminal(output, error, false, false),
            (_, _) => throw new OperationRefusedException(RefusalKind.Unavailable, "No node is needed for this."));
        var code = await CommandLine.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task The_cases_of_the_vectors_are_scored_as_they_say()
    {
        var file = Path.Combine(Root(), "tests", "vectors", "economy", "reputation.json");
        var (code, output, error) = await RunAsync("trust", "score", file, "--stop", "0.15", "--tau", "0.6", "--json");
        Assert.True(code == 0, error);
        var expected = LedgerVectors.Open("economy/reputation.json").GetProperty("cases").EnumerateArray().ToDictionary(one => one.Text("name"), one => one.GetProperty("expected"));
        var compared = 0;
        foreach (var result in JsonDocument.Parse(output).RootElement.EnumerateArray())
        {
            if (!expected[result.Text("case")].TryGetProperty(result.Text("kind"), out var known)) continue;
            var scores = known.TryGetProperty("score", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : known;
            foreach (var row in scores.EnumerateObject())
            {
                var wanted = row.Value.ValueKind == JsonValueKind.Number ? row.Value : row.Value.TryGetProperty("neck", out var neck) ? neck : row.Value.GetProperty("score");
                ReputationVectors.Near(wanted.GetDouble(), result.GetProperty("scores").GetProperty(row.Name).GetDouble(), $"{result.Text("case")}, {result.Text("kind")}, {row.Name}");
                compared++;
            }
        }
        Assert.True(compared > 1000, $"{compared} compared");
    }

    [Fact]
    public async Task Plain_lines_do_and_bad_input_says_what_is_wrong()
    {
        using var folder = new TemporaryFolder();
        var lines = folder.At("records.csv");
        await File.WriteAllTextAsync(lines, "contributor,consumer,amount\na,i,100\nb,a,80\n\n# a comment\ni;c;40\n", TestContext.Current.CancellationToken);
        var (code, output, error) = await RunAsync("trust", "score", lines, "--observer", "i", "--by", "netflow2", "pht", "--stop", "0.15");
        Assert.True(code == 0, error);
        Assert.Contains("netflow2_alpha2", output, StringComparison.Ordinal);
        Assert.Contains("0.7225", output, StringComparison.Ordinal);

        await Wrong("does not say from whose point of view", lines);
        await Wrong("has no record with \"z\"", lines, "--observer", "z");
        await Wrong("line 2 is not", await WrittenAsync("a,i,1\nnonsense"), "--observer", "i");
        await Wrong("is no record", await WrittenAsync("a,i,-1"), "--observer", "i");
        await Wrong("is no record", await WrittenAsync("[[\"a\",\"a\",1]]"), "--observer", "a");
        await Wrong("record 1 is not", await WrittenAsync("[[\"a\",\"b\"]]"), "--observer", "a");
        await Wrong("is no JSON", await WrittenAsync("{\"records\": ["));
        await Wrong("has no \"records\"", await WrittenAsync("{\"cases\": [3]}"));
        await Wrong("is empty", await WrittenAsync("  "));
        await Wrong("--alpha", lines, "--observer", "i", "--alpha", "0.5");
        await Wrong("at most 1500", await WrittenAsync(string.Join('\n', Enumerable.Range(0, 1600).Select(n => $"p{n},i,1"))), "--observer", "i");

        async Task<string> WrittenAsync(string text)
        {
            var path = folder.At("bad.txt");
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
            return path;
        }

        async Task Wrong(string words, params string[] arguments)
        {
            var (code, _, problem) = await RunAsync(["trust", "score", .. arguments]);
            Assert.Equal(2, code);
            Assert.Contains(words, problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Any_file_is_read_or_refused() => Fuzz.Run("ScoreCommand.Cases",
        [.. ((string[])["a,i,100\nb,a,80\n", "[[\"a\",\"i\",3],[\"b\",\"a\",1e3]]", "{\"cases\":[{\"name\":\"x\",\"observer\":\"i\",\"records\":[[\"a\",\"i\",5]],\"nodes\":[\"z\"]}]}"])
            .Select(System.Text.Encoding.UTF8.GetBytes)],
        static bytes =>
        {
            try { _ = ScoreCommand.Cases(bytes.ToArray(), "file", "i"); }
            catch (OperationRefusedException) { }
        }, allocationFactor: 4096);

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Polder.slnx"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
