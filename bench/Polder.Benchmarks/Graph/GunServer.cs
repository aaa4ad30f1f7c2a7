using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polder.Benchmarks.Graph;

/// <summary>A gun peer in a process of its own, with an empty folder: our node, or the relay of the package gun.</summary>
internal sealed class GunServer : IDisposable
{
    private readonly Process _process;
    private readonly BenchFolder _folder = new();

    private GunServer(string name, Func<int, string, ProcessStartInfo> start)
    {
        (Name, Port) = (name, FreePort());
        var info = start(Port, _folder.Path);
        (info.RedirectStandardOutput, info.RedirectStandardError, info.RedirectStandardInput, info.WorkingDirectory) = (true, true, true, _folder.Path);
        _process = Process.Start(info)!;
        // Nobody reads along: a full pipe would hold the child up.
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }
    public int Port { get; }
    public Uri Address => new($"ws://127.0.0.1:{Port}/gun");
    public bool IsAlive => !_process.HasExited;

    /// <summary>Our node as people start it; null where this is not the program polder.</summary>
    public static GunServer? Ours()
    {
        var program = Environment.GetEnvironmentVariable("POLDER_PROGRAM") is { Length: > 0 } given && File.Exists(given) ? given : Path.Combine(AppContext.BaseDirectory, "polder.dll");
        return !File.Exists(program) ? null : new GunServer("polder", (port, folder) =>
        {
            var info = new ProcessStartInfo("dotnet", [program, "run", "--loopback", "--port", "0", "--page", "0", "--graph", port.ToString(CultureInfo.InvariantCulture), "--data", folder]);
            foreach (var name in info.Environment.Keys.Where(static name => name.StartsWith("POLDER_", StringComparison.Ordinal)).ToList()) info.Environment.Remove(name);
            if (Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet") info.FileName = host;
            return info;
        });
    }

    /// <summary>The relay of the package; null where it is not installed (<c>./x bench graph</c> installs it).</summary>
    public static GunServer? Stock() => Environment.GetEnvironmentVariable("POLDER_GUN_PACKAGE") is { Length: > 0 } package && Directory.Exists(Path.Combine(package, "node_modules", "gun"))
        ? new GunServer("gun.js", (port, folder) => new ProcessStartInfo("node", [Path.Combine(package, "relay.js"), port.ToString(CultureInfo.InvariantCulture), Path.Combine(folder, "radata")]) { Environment = { ["NODE_PATH"] = Path.Combine(package, "node_modules") } })
        : null;

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / (1024.0 * 1024.0);
        }
    }

    /// <summary>What its data takes on the disk.</summary>
    public double StoreMegabytes => new DirectoryInfo(_folder.Path).EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(static file => file.Name.StartsWith("graph.db", StringComparison.Ordinal) || file.DirectoryName!.Contains("radata", StringComparison.Ordinal)).Sum(static file => file.Length) / (1024.0 * 1024.0);

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit(5_000);
        _process.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
