using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Polder.Tests.Host;

/// <summary>The main job with real processes, sockets and files.</summary>
public sealed class TwoProcessesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Data(string name) => Path.Combine(_folder, name);

    private static string PortOf(JsonElement ready) => ready.GetProperty("udp").GetString()!.Split(':')[^1];

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        for (var attempt = 0; attempt < 60; attempt++)
        {
            if (await holds()) return;
            await Task.Delay(250);
        }
        Assert.Fail("Never came about: " + what);
    }

    private static Task MeetAsync(string data, string key) => UntilAsync(async () =>
        (await PolderProcess.JsonAsync(data, "peers")).EnumerateArray().Any(peer => peer.GetProperty("publicKey").GetString() == key && peer.GetProperty("verified").GetBoolean()),
        "the two know each other");

    [Fact]
    public async Task A_record_that_two_nodes_signed_survives_kill_9_of_both()
    {
        var (alice, aliceReady) = await PolderProcess.StartNodeAsync(Data("alice"), "--port", "0", "--page", "0");
        await using var _ = alice;
        var (bob, bobReady) = await PolderProcess.StartNodeAsync(Data("bob"), "--port", "0", "--page", "0", "--join", "127.0.0.1:" + PortOf(aliceReady));
        await using var __ = bob;
        var (aliceKey, bobKey) = (aliceReady.GetProperty("publicKey").GetString()!, bobReady.GetProperty("publicKey").GetString()!);
        await MeetAsync(Data("alice"), bobKey);
        await MeetAsync(Data("bob"), aliceKey);

        // Alice was helped and says so; Bob is credited, so his node signs by itself.
        var record = await PolderProcess.JsonAsync(Data("alice"), "record", bobKey, "--got", "25MB", "--for", "storing a file");
        Assert.Equal("agreed", record.GetProperty("state").GetString());

        // Bob claims that he helped with something else; that waits for Alice's word.
        var claim = await PolderProcess.JsonAsync(Data("bob"), "record", aliceKey, "--gave", "2", "--unit", "answers", "--for", "a question", "--wait", "0");
        Assert.Equal("proposed", claim.GetProperty("state").GetString());
        await UntilAsync(async () => (await PolderProcess.JsonAsync(Data("alice"), "inbox")).GetArrayLength() == 1, "the proposal is in the inbox");
        var item = (await PolderProcess.JsonAsync(Data("alice"), "inbox"))[0];
        Assert.Equal((bobKey, 2, "a question"), (item.GetProperty("from").GetString(), item.GetProperty("amount").GetInt32(), item.GetProperty("for").GetString()));
        Assert.Equal(1, (await PolderProcess.JsonAsync(Data("alice"), "inbox", "accept", item.GetProperty("id").GetString()!)).GetArrayLength());

        await alice.KillAsync();
        await bob.KillAsync();

        var (aliceAgain, again) = await PolderProcess.StartNodeAsync(Data("alice"), "--port", "0", "--page", "0");
        await using var ___ = aliceAgain;
        var (bobAgain, _____) = await PolderProcess.StartNodeAsync(Data("bob"), "--port", "0", "--page", "0", "--join", "127.0.0.1:" + PortOf(again));
        await using var ____ = bobAgain;
        Assert.Equal(aliceKey, again.GetProperty("publicKey").GetString());
        foreach (var name in (string[])["alice", "bob"])
        {
            var chain = await PolderProcess.JsonAsync(Data(name), "chain");
            Assert.Contains(chain.EnumerateArray(), block => block.GetProperty("type").GetString() == "tribler_bandwidth" && block.GetProperty("valid").GetBoolean());
        }
        Assert.Equal(2, (await PolderProcess.JsonAsync(Data("alice"), "chain")).GetArrayLength());
        var ranking = await PolderProcess.JsonAsync(Data("alice"), "trust", bobKey);
        Assert.Contains(ranking.EnumerateArray(), row => row.GetProperty("records").GetInt32() >= 1 && row.GetProperty("score").GetDouble() > 0);
    }

    [Fact]
    public async Task A_node_stops_within_three_seconds_and_takes_its_api_file_away()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
        {
            var (node, _) = await PolderProcess.StartNodeAsync(Data("a"), "--port", "0", "--page", "0");
            await using var __ = node;
            var file = new FileInfo(Path.Combine(Data("a"), "api.json"));
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode);
            var (code, took) = await node.SignalAsync(signal);
            Assert.Equal(0, code);
            Assert.True(took < TimeSpan.FromSeconds(3), took.ToString());
            Assert.False(File.Exists(file.FullName));
        }
    }

    [Fact]
    public async Task Wrong_use_gets_a_clear_answer_and_loses_nothing()
    {
        var (node, ready) = await PolderProcess.StartNodeAsync(Data("a"), "--port", "0", "--page", "0");
        await using var _ = node;
        var page = new Uri(ready.GetProperty("page").GetString()!).Port.ToString(CultureInfo.InvariantCulture);

        await RefusedAsync(4, ["already running"], Data("a"), "run", "--loopback", "--port", "0", "--page", "0");
        await RefusedAsync(4, [page, "--page"], Data("b"), "run", "--loopback", "--port", "0", "--page", page);
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);
        await RefusedAsync(4, [port, "--port"], Data("b"), "run", "--loopback", "--port", port, "--page", "0");
        await RefusedAsync(2, ["127.0.0.1:8090"], Data("b"), "run", "--loopback", "--join", "nowhere");
        await RefusedAsync(2, ["300.1.2.3"], Data("b"), "run", "--loopback", "--join", "300.1.2.3:80");
        await RefusedAsync(3, ["polder peers"], Data("a"), "record", "zz-zz-zz-zz-zz", "--gave", "1MB", "--for", "x");
        await RefusedAsync(3, [], Data("a"), "crawl", "zz-zz-zz-zz-zz");
        await RefusedAsync(3, [], Data("a"), "inbox", "accept", "ffffffff");
        await RefusedAsync(5, ["polder run"], Data("nobody"), "peers");

        // The node that was there all the time is unharmed.
        Assert.Equal(ready.GetProperty("publicKey").GetString(), (await PolderProcess.JsonAsync(Data("a"), "id")).GetProperty("publicKey").GetString());
    }

    [Fact]
    public async Task A_sealed_key_opens_by_its_passphrase_only()
    {
        var (code, _, error) = await PolderProcess.RunAsync(Data("a"), [("POLDER_PASSPHRASE", "")], "run", "--loopback", "--port", "70000");
        Assert.Equal(2, code);
        Assert.Contains("port", error, StringComparison.Ordinal);

        Directory.CreateDirectory(Data("a"));
        using (var pair = Polder.Identity.KeyPair.FromEntropy(new byte[64])) Polder.Node.Folders.KeyFile.Write(Path.Combine(Data("a"), "identity.key"), pair, "correct horse");
        var wrong = await PolderProcess.RunAsync(Data("a"), [("POLDER_PASSPHRASE", "battery staple")], "run", "--loopback", "--port", "0", "--page", "0");
        Assert.Equal(4, wrong.Code);
        Assert.Contains("passphrase", wrong.Error, StringComparison.OrdinalIgnoreCase);
        var without = await PolderProcess.RunAsync(Data("a"), "run", "--loopback", "--port", "0", "--page", "0");
        Assert.Equal(4, without.Code);
        Assert.Contains("POLDER_PASSPHRASE", without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Golden_chains_are_shown_valid_or_not_and_a_backup_brings_them_along()
    {
        var vectors = Path.Combine(Architecture.Repository.Root, "tests", "vectors", "trustchain", "trustchain_blocks.json");
        var (node, _) = await PolderProcess.StartNodeAsync(Data("a"), "--port", "0", "--page", "0");
        await using var __ = node;
        var verdicts = (await PolderProcess.JsonAsync(Data("a"), "chain", "import", vectors)).EnumerateArray().ToList();
        Assert.Contains(verdicts, verdict => verdict.GetProperty("valid").GetBoolean());
        Assert.All(verdicts.Where(verdict => !verdict.GetProperty("valid").GetBoolean()), verdict => Assert.NotEqual("", verdict.GetProperty("reason").GetString()));
        var owner = verdicts[0].GetProperty("publicKey").GetString()!;
        var length = (await PolderProcess.JsonAsync(Data("a"), "chain", owner)).GetArrayLength();
        Assert.True(length > 0);

        var backup = await PolderProcess.JsonAsync(Data("a"), "backup", Data("file"));
        Assert.True(backup.GetProperty("blocks").GetInt32() >= length);
        await PolderProcess.JsonAsync(Data("b"), "restore", Data("file"));
        Assert.Equal(length, (await PolderProcess.JsonAsync(Data("b"), "chain", owner)).GetArrayLength());
        await RefusedAsync(4, ["empty folder"], Data("b"), "restore", Data("file"));
        await RefusedAsync(3, [], Data("c"), "restore", Data("nothing"));
    }

    [Fact]
    public async Task A_laboratory_meets_signs_and_ranks()
    {
        var (code, output, error) = await PolderProcess.RunAsync(null, "lab", "4", "--seconds", "10", "--seed", "7", "--json");
        Assert.True(code == 0, error);
        var end = JsonDocument.Parse(output).RootElement;
        Assert.Equal(6, end.GetProperty("pairsKnown").GetInt32());
        Assert.True(end.GetProperty("pairsSigned").GetInt32() > 3);
        Assert.Contains(end.GetProperty("nodes").EnumerateArray(), node => node.GetProperty("ranking").GetArrayLength() > 0);
    }

    private static async Task RefusedAsync(int code, string[] words, string data, params string[] arguments)
    {
        var (actual, output, error) = await PolderProcess.RunAsync(data, arguments);
        Assert.True(actual == code, $"{string.Join(' ', arguments)}: exit code {actual}, not {code}: {output} {error}");
        Assert.All(words, word => Assert.Contains(word, error, StringComparison.Ordinal));
        Assert.Single(error.Trim().Split('\n'), line => line.Length > 0);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }
}
