using System.Text.Json;
using Polder.Host.Commands;
using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>polder sim attack, polder sim experiment, and the files that polder sim writes.</summary>
public sealed class StudyCommandTests
{
    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false),
            (_, _) => Task.FromResult<INodeOperations>(new FakeNode()));
        return (await CommandLine.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken), output.ToString(), error.ToString());
    }

    [Fact]
    public async Task An_attack_is_told_with_its_bound_and_the_command_that_repeats_it()
    {
        var (code, output, _) = await RunAsync("sim", "attack", "sybil", "--peers", "20", "--max", "5", "--seed", "7");
        Assert.Equal(CommandLine.Done, code);
        Assert.Contains("bound (1−a)/a", output, StringComparison.Ordinal);
        Assert.Contains("does not hold", output, StringComparison.Ordinal);
        Assert.Contains("repeat  polder sim attack sybil --variant path+cycle --seed 7 --peers 20 --max 5 --stop 0.4", output, StringComparison.Ordinal);
        Assert.Equal(output, (await RunAsync("sim", "attack", "sybil", "--peers", "20", "--max", "5", "--seed", "7")).Output);
    }

    [Fact]
    public async Task Scripts_get_findings_and_points()
    {
        var (code, output, _) = await RunAsync("sim", "experiment", "r9", "--seed", "7", "--json");
        Assert.Equal(CommandLine.Done, code);
        var report = JsonDocument.Parse(output).RootElement;
        Assert.True(report.GetProperty("asStated").GetBoolean());
        Assert.Equal("R9", report.GetProperty("name").GetString());
        Assert.True(report.GetProperty("findings")[0].GetProperty("holds").GetBoolean());
        Assert.Equal(JsonValueKind.Number, report.GetProperty("panels")[0].GetProperty("series")[0].GetProperty("points")[0].GetProperty("y").ValueKind);
    }

    [Theory]
    [InlineData("sim attack sibyl", "Did you mean sybil?", 3)]
    [InlineData("sim experiment R11", "Did you mean R1?", 3)]
    [InlineData("sim attack sybil --peers 3", "--peers", 2)]
    [InlineData("sim attack sybil --variant star", "path+cycle", 2)]
    [InlineData("sim attack fork --stop 0.5", "--stop", 2)]
    [InlineData("sim attack whitewash --peers 20 --csv /nowhere/at/all.csv", "cannot be written", 2)]
    public async Task Wrong_lines_get_words(string line, string expected, int expectedCode)
    {
        var (code, _, error) = await RunAsync(line.Split(' '));
        Assert.Equal(expectedCode, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_name_everything()
    {
        var (_, attacks, _) = await RunAsync("sim", "attack");
        foreach (var name in (string[])["sybil", "cycle", "whitewash", "traitor", "slander", "spam", "fork"]) Assert.Contains(name, attacks, StringComparison.Ordinal);
        var (_, json, _) = await RunAsync("sim", "experiment", "--json");
        Assert.Equal(9, JsonDocument.Parse(json).RootElement.GetArrayLength());
    }

    [Fact]
    public async Task Tables_and_pages_are_written_to_files()
    {
        var folder = Directory.CreateTempSubdirectory("polder-study-");
        try
        {
            var (csv, html, scenario, run) = (File("a.csv"), File("a.html"), File("s.txt"), File("s.html"));
            Assert.Equal(0, (await RunAsync("sim", "attack", "whitewash", "--peers", "20", "--seed", "7", "--csv", csv, "--html", html)).Code);
            Assert.StartsWith("panel,series,kind,x,y\ngot,with the shared pool,measured,0,0\n", await System.IO.File.ReadAllTextAsync(csv, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            SelfContained(await System.IO.File.ReadAllTextAsync(html, TestContext.Current.CancellationToken));

            await System.IO.File.WriteAllTextAsync(scenario, "duration 30s\nnodes 3\n", TestContext.Current.CancellationToken);
            Assert.Equal(0, (await RunAsync("sim", scenario, "--seed", "7", "--html", run)).Code);
            SelfContained(await System.IO.File.ReadAllTextAsync(run, TestContext.Current.CancellationToken));
        }
        finally { folder.Delete(recursive: true); }

        string File(string name) => Path.Combine(folder.FullName, name);
    }

    private static void SelfContained(string page)
    {
        Assert.StartsWith("<!doctype html>", page, StringComparison.Ordinal);
        Assert.Contains("plot-picture", page, StringComparison.Ordinal);
        Assert.Contains("--ground:", page, StringComparison.Ordinal);
        foreach (var word in (string[])["<script", "href=", "src=", "url(", "@import"]) Assert.DoesNotContain(word, page, StringComparison.Ordinal);
    }
}
