using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Polder.Interop.Tests;

/// <summary>
/// The built program and Debian's magic-wormhole (and wormhole-william) send each other things over 127.0.0.1: with our mailbox and relay, and
/// with the stock ones. POLDER_PROGRAM names polder.dll.
/// </summary>
public sealed class MagicWormholeTests : IDisposable
{
    private const string Python = "/usr/bin/python3", Wormhole = "/usr/bin/wormhole", William = "/usr/bin/wormhole-william";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("polder-wormhole-").FullName;
    private readonly List<Process> _processes = [];
    private int _codes = 10;

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Texts_files_and_folders_go_both_ways(bool ourServers)
    {
        var program = NeedProgram();
        var servers = await ServersAsync(program, ourServers);
        // The stock servers get the cases that concern them; sizes are tried once.
        foreach (var size in ourServers ? (int[])[0, 1, 16383, 16384, 16385, 3_000_000] : [16385])
        {
            var file = Write($"f{size}.bin", size);
            await BothWaysAsync(program, servers, file, Path.GetFileName(file));
        }
        var folder = Path.Combine(_folder, "d");
        Directory.CreateDirectory(Path.Combine(folder, "sub", "empty"));
        File.WriteAllText(Path.Combine(folder, "a.txt"), "hello");
        File.WriteAllBytes(Path.Combine(folder, "sub", "b.bin"), RandomNumberGenerator.GetBytes(70_000));
        await BothWaysAsync(program, servers, folder, Path.Combine("d", "sub", "b.bin"));

        var code = NextCode();
        var sending = Begin(program.Concat(["send", "--text", "Grüße ☂", "--code", code]).Concat(servers.Ours));
        Assert.Equal("Grüße ☂", (await EndAsync(Begin(Stock(servers).Concat(["receive", code])))).Trim());
        await EndAsync(sending);
        code = NextCode();
        sending = Begin(Stock(servers).Concat(["send", "--text", "hallo", "--code", code]));
        Assert.Equal("hallo", (await EndAsync(Begin(program.Concat(["receive", code, "--yes"]).Concat(servers.Ours)))).Trim());
        await EndAsync(sending);
    }

    [Fact]
    public async Task Through_the_relay_only()
    {
        var program = NeedProgram();
        var servers = await ServersAsync(program, ours: true);
        var file = Write("relayed.bin", 200_000);
        var code = NextCode();
        var sending = Begin(Stock(servers).Concat(["send", "--no-listen", "--code", code, file]));
        await EndAsync(Begin(program.Concat(["receive", code, "--yes", "--no-listen", "--out", Out("relay")]).Concat(servers.Ours)));
        await EndAsync(sending);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(Out("relay"), "relayed.bin")));
    }

    [Fact]
    public async Task A_wrong_code_is_seen_on_both_sides()
    {
        var program = NeedProgram();
        var servers = await ServersAsync(program, ours: true);
        var sending = Begin(program.Concat(["send", "--text", "secret", "--code", "7-right-word"]).Concat(servers.Ours));
        var receiving = Begin(Stock(servers).Concat(["receive", "7-wrong-word"]));
        await receiving.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await sending.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(4, sending.ExitCode);
        Assert.NotEqual(0, receiving.ExitCode);
    }

    [Fact]
    public async Task The_mailbox_may_restart_while_the_stock_sender_waits()
    {
        var program = NeedProgram();
        var servers = await ServersAsync(program, ours: true);
        var file = Write("patient.bin", 1000);
        var code = NextCode();
        var sending = Begin(Stock(servers).Concat(["send", "--code", code, file]));
        // It has claimed its number once the server's file says so.
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        servers.Server.Kill(entireProcessTree: true);
        await servers.Server.WaitForExitAsync(TestContext.Current.CancellationToken);
        await StartOursAsync(program, servers.MailboxPort, servers.RelayPort);
        await EndAsync(Begin(program.Concat(["receive", code, "--yes", "--out", Out("restart")]).Concat(servers.Ours)));
        await EndAsync(sending);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(Out("restart"), "patient.bin")));
    }

    /// <summary>This client knows one relay, by its public name, and cannot be told another: it runs where that name is 127.0.0.1 and nothing leads out.</summary>
    [Fact]
    public async Task The_go_client_sends_and_receives()
    {
        var program = NeedProgram();
        if (!File.Exists(William)) Assert.Skip("wormhole-william is not installed (Debian package wormhole-william).");
        var within = await NamespaceAsync();
        program = [.. within, .. program];
        var server = Begin([.. program, "run", "--loopback", "--port", "0", "--page", "0", "--json", "--data", Path.Combine(_folder, "node"), "--mailbox", "4000", "--relay", "4001"]);
        await SaysAsync(server, "\"mailbox\":4000");
        string[] ways = ["--mailbox", "ws://127.0.0.1:4000/v1", "--relay", "127.0.0.1:4001"];
        string[] william = [.. within, William, "--relay-url", "ws://127.0.0.1:4000/v1"];
        var file = Write("go.bin", 100_000);
        var code = NextCode();
        var sending = Begin([.. program, "send", file, "--code", code, .. ways]);
        var folder = Out("go");
        // A mount namespace begins at the root, whatever the folder was before.
        await EndAsync(Begin([.. within, "/usr/bin/env", "-C", folder, .. william[within.Length..], "receive", code], input: "y\n"));
        await EndAsync(sending);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(folder, "go.bin")));
        code = NextCode();
        sending = Begin([.. william, "send", "--code", code, file]);
        await EndAsync(Begin([.. program, "receive", code, "--yes", "--out", Out("fromgo"), .. ways]));
        await EndAsync(sending);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(Out("fromgo"), "go.bin")));
        code = NextCode();
        sending = Begin([.. william, "send", "--code", code, "--text", "hallo ☂"]);
        Assert.Equal("hallo ☂", (await EndAsync(Begin([.. program, "receive", code, "--yes", .. ways]))).Trim());
        await EndAsync(sending);
    }

    /// <summary>How to start a program in a network of its own.</summary>
    private async Task<string[]> NamespaceAsync()
    {
        var hosts = Path.Combine(_folder, "hosts");
        File.WriteAllText(hosts, "127.0.0.1 localhost transit.magic-wormhole.io\n");
        const string make = "ip link set lo up && ip link add name v0 type veth peer name v1 && ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up && ip link set v1 up";
        var holder = Begin(["/usr/bin/unshare", "-n", "-m", "/bin/sh", "-c", $"PATH=$PATH:/sbin:/usr/sbin; {make} && mount --bind {hosts} /etc/hosts && echo ready && exec sleep 300"]);
        try { await SaysAsync(holder, "ready"); }
        catch (InvalidOperationException problem) { Assert.Skip("A network namespace cannot be made here (it needs root): " + problem.Message); }
        return ["/usr/bin/nsenter", "-t", holder.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), "-n", "-m"];
    }

    private async Task SaysAsync(Process process, string words)
    {
        var (output, error) = _said[process];
        for (var i = 0; i < 600; i++)
        {
            lock (output) if (output.ToString().Contains(words, StringComparison.Ordinal)) return;
            lock (error) if (process.HasExited) throw new InvalidOperationException(error.ToString());
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        throw new InvalidOperationException($"{process.StartInfo.FileName} never said {words}.");
    }

    private sealed record Servers(int MailboxPort, int RelayPort, Process Server)
    {
        public string MailboxUrl => $"ws://127.0.0.1:{MailboxPort}/v1";
        public string RelayHint => $"tcp:127.0.0.1:{RelayPort}";
        public string[] Ours => ["--mailbox", MailboxUrl, "--relay", $"127.0.0.1:{RelayPort}", "--loopback"];
    }

    private static string[] NeedProgram()
    {
        var program = Environment.GetEnvironmentVariable("POLDER_PROGRAM");
        if (string.IsNullOrEmpty(program) || !File.Exists(program)) Assert.Skip("POLDER_PROGRAM does not name the built polder.dll.");
        if (!File.Exists(Wormhole)) Assert.Skip("magic-wormhole is not installed (Debian package magic-wormhole).");
        return ["dotnet", program];
    }

    private async Task<Servers> ServersAsync(string[] program, bool ours)
    {
        var (mailbox, relay) = (FreePort(), FreePort());
        if (ours) return new Servers(mailbox, relay, await StartOursAsync(program, mailbox, relay));
        if (!Directory.Exists("/usr/lib/python3/dist-packages/wormhole_mailbox_server")) Assert.Skip("The stock mailbox server is not installed (Debian package python3-magic-wormhole-mailbox-server).");
        if (!Directory.Exists("/usr/lib/python3/dist-packages/wormhole_transit_relay")) Assert.Skip("The stock relay is not installed (Debian package magic-wormhole-transit-relay).");
        var server = Begin([Python, "-m", "twisted", "wormhole-mailbox", $"--port=tcp:{mailbox}:interface=127.0.0.1", $"--channel-db={Path.Combine(_folder, "stock.db")}"]);
        Begin([Python, "-m", "twisted", "transitrelay", $"--port=tcp:{relay}:interface=127.0.0.1"]);
        await ListeningAsync(mailbox);
        await ListeningAsync(relay);
        return new Servers(mailbox, relay, server);
    }

    private async Task<Process> StartOursAsync(string[] program, int mailbox, int relay)
    {
        var server = Begin(program.Concat(["run", "--loopback", "--port", "0", "--page", "0", "--json", "--data", Path.Combine(_folder, "node"),
            "--mailbox", mailbox.ToString(System.Globalization.CultureInfo.InvariantCulture), "--relay", relay.ToString(System.Globalization.CultureInfo.InvariantCulture)]));
        await ListeningAsync(mailbox);
        await ListeningAsync(relay);
        return server;
    }

    private async Task BothWaysAsync(string[] program, Servers servers, string path, string check)
    {
        var expected = Directory.Exists(path) ? File.ReadAllBytes(Path.Combine(_folder, check)) : File.ReadAllBytes(path);
        var code = NextCode();
        var sending = Begin(program.Concat(["send", path, "--code", code]).Concat(servers.Ours));
        var theirs = Out("theirs" + code);
        await EndAsync(Begin(Stock(servers).Concat(["receive", "--accept-file", code]), theirs));
        await EndAsync(sending);
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(theirs, check)));

        code = NextCode();
        sending = Begin(Stock(servers).Concat(["send", "--code", code, path]));
        var ours = Out("ours" + code);
        await EndAsync(Begin(program.Concat(["receive", code, "--yes", "--out", ours]).Concat(servers.Ours)));
        await EndAsync(sending);
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(ours, check)));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(ours), left => left.EndsWith(".polder-part", StringComparison.Ordinal));
    }

    private static string[] Stock(Servers servers) => [Python, Wormhole, "--relay-url", servers.MailboxUrl, "--transit-helper", servers.RelayHint];

    private string NextCode() => $"{++_codes}-crossover-clockwork";

    private string Out(string name) => Directory.CreateDirectory(Path.Combine(_folder, "out", name)).FullName;

    private string Write(string name, int bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(bytes));
        return path;
    }

    private readonly Dictionary<Process, (StringBuilder Output, StringBuilder Error)> _said = [];

    private Process Begin(IEnumerable<string> line, string? folder = null, string? input = null)
    {
        var words = line.ToArray();
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(words[0], words[1..])
            {
                WorkingDirectory = folder ?? _folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
                // A folder of its own: a code that was spent in an earlier run stays spent.
                Environment = { ["XDG_DATA_HOME"] = Path.Combine(_folder, "home"), ["PYTHONIOENCODING"] = "utf-8", ["LC_ALL"] = "C.UTF-8", ["DOTNET_TieredPGO"] = "0" },
            },
        };
        var (output, error) = (new StringBuilder(), new StringBuilder());
        process.OutputDataReceived += (_, part) => { lock (output) output.AppendLine(part.Data); };
        process.ErrorDataReceived += (_, part) => { lock (error) error.AppendLine(part.Data); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null) process.StandardInput.Write(input);
        process.StandardInput.Close();
        _processes.Add(process);
        _said[process] = (output, error);
        return process;
    }

    private async Task<string> EndAsync(Process process)
    {
        var (output, error) = _said[process];
        try { await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken); }
        catch (TimeoutException) { Assert.Fail($"{string.Join(' ', process.StartInfo.ArgumentList)} does not end:\n{output}\n{error}"); }
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', process.StartInfo.ArgumentList)} ended with {process.ExitCode}:\n{output}\n{error}");
        return output.ToString();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ListeningAsync(int port)
    {
        for (var i = 0; i < 600; i++)
        {
            using var client = new TcpClient();
            try { await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken); return; }
            catch (SocketException) { await Task.Delay(50, TestContext.Current.CancellationToken); }
        }
        Assert.Fail($"Nothing listens on {port}.");
    }
}
