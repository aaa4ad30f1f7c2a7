using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Polder.Identity;

namespace Polder.Interop.Tests;

/// <summary>The built program, driven by its commands alone, with a peer of py-ipv8 of 2020. POLDER_PROGRAM names polder.dll.</summary>
public sealed class ProgramTests : IDisposable
{
    private const string TrustChainId = "5ad767b05ae592a02488272ca2a86b847d4562e1";

    private readonly string _data = Directory.CreateTempSubdirectory("polder-interop-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task The_commands_do_their_work_with_python_of_2020()
    {
        var program = Environment.GetEnvironmentVariable("POLDER_PROGRAM");
        if (string.IsNullOrEmpty(program) || !File.Exists(program)) Assert.Skip("POLDER_PROGRAM does not name the built polder.dll.");
        await using var peer = await LivingPeers.StartAsync(LivingPeers.Python2020, "--trustchain", "--sign", "all");
        using var node = Begin(program, "run", "--loopback", "--port", "0", "--page", "0", "--json", "--join", peer.Address.ToString());
        var log = Gather(node);
        try
        {
            await UntilAsync(async () => (await RunAsync(program, "peers")).Json?.AsArray().Any(known =>
                known!["publicKey"]?.GetValue<string>() == peer.KeyHex && known["verified"]!.GetValue<bool>()) == true, "the peer is listed");
            var own = (await JsonAsync(program, "id"))["publicKey"]!.GetValue<string>();
            Assert.True(PublicKey.TryParseHex(own, out var key));
            await peer.KnowsAsync(key, TrustChainId);

            // It was helped by the peer and says so; the peer, credited, signs.
            var record = await JsonAsync(program, "record", peer.KeyHex, "--got", "25MB", "--for", "storing a file");
            Assert.Equal("agreed", record["state"]!.GetValue<string>());
            Assert.Equal(own + ".1", record["block"]!.GetValue<string>());
            var answers = await JsonAsync(program, "record", peer.KeyHex, "--gave", "3", "--unit", "answers", "--for", "a question");
            Assert.Equal("agreed", answers["state"]!.GetValue<string>());

            // The peer proposes something; it waits for the owner's word, who gives it.
            peer.Do("propose", ("to", own), ("type", "test"), ("transaction", new JsonObject { ["amount"] = 7 }));
            JsonArray inbox = [];
            await UntilAsync(async () => (inbox = (await JsonAsync(program, "inbox")).AsArray()).Count == 1, "its proposal is in the inbox");
            Assert.Equal(peer.KeyHex, inbox[0]!["from"]!.GetValue<string>());
            Assert.Single((await JsonAsync(program, "inbox", "accept", inbox[0]!["id"]!.GetValue<string>())).AsArray());
            await peer.WaitAsync("pair", item => item.GetProperty("agreement").Text("publicKey") == own);

            // The whole chain of the peer, checked.
            Assert.True((await JsonAsync(program, "crawl", peer.KeyHex))["blocks"]!.GetValue<int>() >= 0);
            foreach (var (chain, blocks) in ((string[], int)[])[(["chain"], 3), (["chain", peer.KeyHex], 3)])
            {
                var listed = (await JsonAsync(program, chain)).AsArray();
                Assert.Equal(blocks, listed.Count);
                Assert.All(listed, block => Assert.True(block!["valid"]!.GetValue<bool>(), block.ToJsonString()));
            }

            var ranking = (await JsonAsync(program, "trust", peer.KeyHex)).AsArray();
            Assert.Contains(ranking, row => row!["publicKey"]!.GetValue<string>() == peer.KeyHex && row["records"]!.GetValue<int>() >= 1 && row["score"]!.GetValue<double>() > 0);
            Assert.Empty(peer.Complaints());
        }
        catch (Exception problem) when (problem is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{problem.Message}\nThe node said: {log}", problem);
        }
        finally
        {
            if (!node.HasExited) node.Kill();
            await node.WaitForExitAsync(CancellationToken.None);
        }
    }

    private Process Begin(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // What steers the tests is no option of the program.
        foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("POLDER_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.ArgumentList.Add(program);
        foreach (var argument in (string[])[.. arguments, "--data", _data]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private async Task<(int Code, JsonNode? Json, string Error)> RunAsync(string program, params string[] arguments)
    {
        using var process = Begin(program, [.. arguments, "--json"]);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(stop.Token), process.StandardError.ReadToEndAsync(stop.Token));
            await process.WaitForExitAsync(stop.Token);
            return (process.ExitCode, process.ExitCode == 0 ? JsonNode.Parse(await output) : null, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private async Task<JsonNode> JsonAsync(string program, params string[] arguments)
    {
        var (code, json, error) = await RunAsync(program, arguments);
        Assert.True(code == 0 && json is not null, $"polder {string.Join(' ', arguments)}: exit code {code}: {error}");
        return json;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > LivingPeer.Patience) throw new TimeoutException("Never came about: " + what);
            await Task.Delay(200);
        }
    }

    private static StringBuilder Gather(Process process)
    {
        var log = new StringBuilder();
        void Take(object _, DataReceivedEventArgs line)
        {
            lock (log) log.AppendLine(line.Data);
        }
        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return log;
    }
}
