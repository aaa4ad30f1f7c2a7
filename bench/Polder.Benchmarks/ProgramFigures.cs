using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polder.Benchmarks;

/// <summary>The program as people start it: until its page is there, and what it takes of the memory when it has nothing to do.</summary>
internal static class ProgramFigures
{
    private const double SecondsMax = 2, MegabytesMax = 90;
    private const int StartCount = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(8);

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        if (OurProgram() is not { } program)
        {
            say("This is not the program polder; say where it is with POLDER_PROGRAM.");
            return [];
        }
        using var folder = new BenchFolder();
        List<double> starts = [];
        var megabytes = 0.0;
        for (var round = 0; round < StartCount; round++)
        {
            var isLast = round == StartCount - 1;
            using var child = new Child(program, folder.Path);
            starts.Add(await child.UntilPageAsync(stop).ConfigureAwait(false));
            say($"start to first page: {starts[^1]:0.00} s");
            if (!isLast) continue;
            await Task.Delay(IdleFor, stop).ConfigureAwait(false);
            megabytes = child.ResidentMegabytes();
            say($"resident: {megabytes:0} MB");
        }
        // The first start also made the identity and the database.
        var first = starts[0];
        var median = Rounds.Median(starts);
        return
        [
            new("start to first page, the first start of a folder", first, "s", SecondsMax, first / SecondsMax, "below 2 s", first < SecondsMax),
            new("start to first page, median", median, "s", SecondsMax, median / SecondsMax, "below 2 s", median < SecondsMax),
            new("resident memory of an idle node with page", megabytes, "MB", MegabytesMax, megabytes / MegabytesMax, "below 90 MB", megabytes < MegabytesMax),
        ];
    }

    /// <summary>polder.dll: beside us, or where POLDER_PROGRAM says; null for neither.</summary>
    public static string? OurProgram()
    {
        if (Environment.GetEnvironmentVariable("POLDER_PROGRAM") is { Length: > 0 } given && File.Exists(given)) return given;
        var beside = Path.Combine(AppContext.BaseDirectory, "polder.dll");
        return File.Exists(beside) ? beside : null;
    }

    private sealed class Child : IDisposable
    {
        private readonly Process _process;
        private readonly long _began;
        private readonly int _port;

        public Child(string program, string data)
        {
            _port = FreePort();
            var start = new ProcessStartInfo("dotnet")
            {
                RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
                ArgumentList = { program, "run", "--loopback", "--port", "0", "--page", _port.ToString(CultureInfo.InvariantCulture), "--data", data },
            };
            // Defaults only, whatever is set around us.
            foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("POLDER_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
            if (Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet") start.FileName = host;
            _began = TimeProvider.System.GetTimestamp();
            _process = Process.Start(start)!;
            // Nobody reads along: a full pipe would hold the child up.
            _process.OutputDataReceived += static (_, _) => { };
            _process.ErrorDataReceived += static (_, _) => { };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        /// <summary>Seconds from the start of the process to the first answer 200 to "/".</summary>
        public async Task<double> UntilPageAsync(CancellationToken stop)
        {
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            var page = new Uri($"http://127.0.0.1:{_port}/");
            while (TimeProvider.System.GetElapsedTime(_began) < Patience && !_process.HasExited)
            {
                try
                {
                    using var answer = await client.GetAsync(page, stop).ConfigureAwait(false);
                    if (answer.StatusCode == HttpStatusCode.OK) return TimeProvider.System.GetElapsedTime(_began).TotalSeconds;
                }
                catch (HttpRequestException) { }
                await Task.Delay(10, stop).ConfigureAwait(false);
            }
            throw new InvalidOperationException("The program did not show its page.");
        }

        public double ResidentMegabytes()
        {
            _process.Refresh();
            return _process.WorkingSet64 / (1024.0 * 1024.0);
        }

        public void Dispose()
        {
            if (!_process.HasExited) _process.Kill();
            _process.WaitForExit(5_000);
            _process.Dispose();
        }

        private static int FreePort()
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
    }
}
