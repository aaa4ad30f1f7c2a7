using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Polder.Tests.Host;

namespace Polder.Tests.Graph.Host;

/// <summary>The package gun from npm, unchanged, at our node. Needs node and npm; the version is pinned in tests/gun/package-lock.json.</summary>
public sealed class StockGunTests : IDisposable
{
    private static readonly Lazy<string?> Package = new(Install);
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-gun-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_writes_reads_follows_logs_in_and_uses_certificates()
    {
        var package = Needed();
        var port = FreePort();
        var (process, _) = await PolderProcess.StartNodeAsync(_folder, "--port", "0", "--page", "0", "--graph", $"{port}");
        await using (process)
        {
            var saw = await SawAsync(package, "talk.js", $"http://127.0.0.1:{port}/gun");
            Assert.Equal("""{"ack":true,"read":"Alice5","live":"1,2","set":"one,two","missing":true,"created":true,"login":true,"profile":"Al","certificate":true,"inbox":"hi"}""", saw.GetRawText());
        }
    }

    [Fact]
    public async Task Offline_edits_of_two_clients_survive_a_killed_node()
    {
        var package = Needed();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var saw = await SawAsync(package, "offline.js", $"{FreePort()}", Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet", PolderProcess.Program, Path.Combine(_folder, $"{attempt}"));
            // The machine was too busy to have the node up again within the two seconds that gun.js waits.
            if (saw.TryGetProperty("gaveUp", out _)) continue;
            foreach (var client in saw.EnumerateObject()) Assert.Equal("by a|by b|of a,of b,zero|1|1|new", client.Value.GetString());
            Assert.Equal(3, saw.EnumerateObject().Count());
            return;
        }
        Assert.Skip("Three times the node took longer to start than a gun.js client waits: its healing was NOT tried.");
    }

    internal static string Needed()
    {
        if (Package.Value is { } package) return package;
        Assert.Skip("node or npm is missing, or the package gun cannot be installed: the stock client was NOT tried.");
        return "";
    }

    private static string? Install()
    {
        // ./x test has installed it already.
        if (Environment.GetEnvironmentVariable("POLDER_GUN_PACKAGE") is { Length: > 0 } given && Directory.Exists(Path.Combine(given, "node_modules", "gun"))) return given;
        var from = new DirectoryInfo(AppContext.BaseDirectory);
        while (from is not null && !Directory.Exists(Path.Combine(from.FullName, "tests", "gun"))) from = from.Parent;
        if (from is null) return null;
        var to = Path.Combine(Path.GetTempPath(), $"polder-gun-package-{Environment.UserName}");
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(Path.Combine(from.FullName, "tests", "gun"))) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        if (Directory.Exists(Path.Combine(to, "node_modules", "gun"))) return to;
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]) { WorkingDirectory = to })!;
            return npm.WaitForExit(60_000) && npm.ExitCode == 0 ? to : null;
        }
        catch (System.ComponentModel.Win32Exception) { return null; }
    }

    private static async Task<JsonElement> SawAsync(string package, string script, params string[] arguments)
    {
        using var node = Process.Start(new ProcessStartInfo("node", [script, .. arguments]) { WorkingDirectory = package, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        if (!node.WaitForExit(90_000)) node.Kill(entireProcessTree: true);
        var line = (await output).Split('\n').FirstOrDefault(static line => line.StartsWith("SAW ", StringComparison.Ordinal));
        Assert.True(line is not null, $"{script} said: {await output}\n{await error}");
        return JsonDocument.Parse(line[4..]).RootElement;
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
