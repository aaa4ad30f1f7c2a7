using System.Text.Json;
using Polder.Host.Commands;
using Polder.Host.Commands.Records;
using Polder.Node.Operations;
using Polder.Tests.Ledger;

namespace Polder.Tests.Host;

public sealed class CheckCommandTests
{
    private static string Vector(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Polder.slnx"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "tests", "vectors", "trustchain", name);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        // No node answers: the command must not ask one.
        var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false),
            (_, _) => throw new InvalidOperationException("A node was asked."));
        var code = await CommandLine.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task Each_golden_case_is_judged_beside_its_own_database()
    {
        var file = Vector("trustchain_validation.json");
        var (code, output, error) = await RunAsync("chain", "check", file, "--json");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        var verdicts = JsonDocument.Parse(output).RootElement;
        using var golden = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        var cases = golden.RootElement.GetProperty("cases");
        Assert.Equal(41, verdicts.GetArrayLength());
        for (var i = 0; i < 41; i++)
        {
            var (verdict, expected) = (verdicts[i], cases[i]);
            Assert.Equal(expected.GetProperty("case").GetString(), verdict.GetProperty("case").GetString());
            var block = LedgerVectors.Block(expected.Hex("block"));
            // py decides, but for blocks to oneself, which are legal.
            var level = expected.GetProperty(block.IsToSelf ? "kotlin" : "py").GetProperty("result").GetString()!;
            Assert.Equal(level.Replace('_', '-'), verdict.GetProperty("level").GetString());
            Assert.Equal(level != "invalid", verdict.GetProperty("valid").GetBoolean());
            Assert.NotEqual("", verdict.GetProperty("reason").GetString());
        }
    }

    [Fact]
    public async Task Blocks_of_a_file_keep_their_names_and_packed_and_hex_files_are_read()
    {
        var file = Vector("trustchain_blocks.json");
        var verdicts = JsonDocument.Parse((await RunAsync("chain", "check", file, "--json")).Output).RootElement;
        Assert.Equal("alice 1: genesis proposal to bob", verdicts[0].GetProperty("case").GetString());
        Assert.True(verdicts[0].GetProperty("valid").GetBoolean());
        Assert.Equal("455d17d93a87f6bbc85cecca1ccf5eddc4048049c58502e567de9860b5a2de9e", verdicts[0].GetProperty("hash").GetString());

        using var folder = new Node.TemporaryFolder();
        var block = Chains.Of(Chains.Key(1), 1, Chains.Key(2))[0];
        var (raw, hex, bad) = (folder.At("one.block"), folder.At("lines.hex"), folder.At("bad.txt"));
        await File.WriteAllBytesAsync(raw, block.Packed.ToArray(), TestContext.Current.CancellationToken);
        var broken = block.Packed.ToArray();
        broken[200] ^= 1;
        await File.WriteAllTextAsync(hex, $"# two\n{Convert.ToHexStringLower(block.Packed.Span)}\n{Convert.ToHexStringLower(broken)}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(bad, "hello\n", TestContext.Current.CancellationToken);
        verdicts = JsonDocument.Parse((await RunAsync("chain", "check", raw, hex, "--json")).Output).RootElement;
        Assert.Equal([true, true, false], verdicts.EnumerateArray().Select(verdict => verdict.GetProperty("valid").GetBoolean()));
        Assert.Contains("signature", verdicts[2].GetProperty("reason").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("2 valid, 1 not", (await RunAsync("chain", "check", raw, hex)).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("chain", "check", bad)).Code);
        Assert.Equal(3, (await RunAsync("chain", "check", folder.At("none"))).Code);
    }

    [Fact]
    public void Fuzzed_files_are_judged_or_refused_with_words()
    {
        var block = Chains.Of(Chains.Key(1), 1, Chains.Key(2))[0];
        var hex = Convert.ToHexStringLower(block.Packed.Span);
        var corpus = new[]
        {
            block.Packed.ToArray(), System.Text.Encoding.UTF8.GetBytes(hex + "\n"),
            System.Text.Encoding.UTF8.GetBytes($$"""{"cases":[{"case":"a","database":["{{hex}}"],"block":"{{hex}}"}]}"""),
        };
        Fuzz.Run("chain check", corpus, static bytes =>
        {
            try { _ = CheckCommand.Check(bytes.ToArray(), "file"); }
            catch (OperationRefusedException) { }
        }, allocationFactor: 2048);
    }
}
