using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Polder.Tests.Host;

/// <summary>The built program, started as people start it. Always on loopback and on ports of its own.</summary>
internal sealed class PolderProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task _reading;

    private PolderProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>Where the program lies: what ./x test has published, or the build beside this test.</summary>
    public static string Program
    {
        get
        {
            if (Environment.GetEnvironmentVariable("POLDER_PROGRAM") is { Length: > 0 } given && File.Exists(given)) return given;
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            var configuration = folder.Parent!.Name;
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Polder.slnx"))) folder = folder.Parent;
            return Path.Combine(folder!.FullName, "src", "Polder.Host", "bin", configuration, "net10.0", "polder.dll");
        }
    }

    public string Said
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int Code, string Output, string Error)> RunAsync(string? data, params string[] arguments) =>
        await RunAsync(data, [], arguments);

    public static async Task<(int Code, string Output, string Error)> RunAsync(string? data, (string, string)[] environment, params string[] arguments)
    {
        using var process = Begin(data, environment, arguments);
        using var stop = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stop.Token);
            var error = process.StandardError.ReadToEndAsync(stop.Token);
            await process.WaitForExitAsync(stop.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    /// <summary>The JSON that a command answers.</summary>
    public static async Task<JsonElement> JsonAsync(string data, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(data, [.. arguments, "--json"]);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: exit code {code}: {error}");
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Starts a node and waits until it is there.</summary>
    public static async Task<(PolderProcess Process, JsonElement Ready)> StartNodeAsync(string data, params string[] arguments)
    {
        var process = new PolderProcess(Begin(data, [], ["run", "--loopback", "--json", .. arguments]));
        var until = DateTime.UtcNow + Patience;
        while (true)
        {
            var line = process.Said.Split('\n').FirstOrDefault(text => text.StartsWith('{') && text.EndsWith('}'));
            if (line is not null) return (process, JsonDocument.Parse(line).RootElement);
            if (process._process.HasExited || DateTime.UtcNow > until)
            {
                var said = process.Said;
                await process.DisposeAsync();
                Assert.Fail("The node did not start: " + said);
            }
            await Task.Delay(50);
        }
    }

    /// <summary>As by kill -9: nothing can be saved any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>As by Ctrl+C or a service manager. Gives the exit code and how long it took.</summary>
    public async Task<(int Code, TimeSpan Took)> SignalAsync(PosixSignal signal)
    {
        var clock = Stopwatch.StartNew();
        using var kill = Process.Start("/bin/kill", [signal == PosixSignal.SIGINT ? "-INT" : "-TERM", $"{_process.Id}"]);
        using var stop = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(stop.Token);
        return (_process.ExitCode, clock.Elapsed);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private static Process Begin(string? data, (string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (data is not null)
        {
            start.ArgumentList.Add("--data");
            start.ArgumentList.Add(data);
        }
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("POLDER_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            lock (_output) _output.AppendLine(line);
    }
}
