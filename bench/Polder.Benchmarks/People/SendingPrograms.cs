using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polder.Benchmarks;

/// <summary>One transfer between two programs, as people start them.</summary>
/// <param name="Rate">MB a second of the whole receive command, from its start to its end.</param>
/// <param name="FirstSeconds">From the start of the receive command to the first byte in its folder.</param>
/// <param name="Sender">The sender's memory at its highest.</param>
/// <param name="Receiver">The receiver's.</param>
internal readonly record struct ProgramTransfer(double Rate, double FirstSeconds, ProgramMemory Sender, ProgramMemory Receiver);

/// <summary>Memory of a program at its highest, in MiB.</summary>
/// <param name="Resident">All that is mapped and present: also the code of the runtime and of libraries, which all programs on them share.</param>
/// <param name="Own">What is the program's alone: its heaps, stacks and generated code.</param>
internal readonly record struct ProgramMemory(double Resident, double Own)
{
    public static ProgramMemory Highest(ProgramMemory a, ProgramMemory b) => new(Math.Max(a.Resident, b.Resident), Math.Max(a.Own, b.Own));
    public static ProgramMemory operator +(ProgramMemory a, ProgramMemory b) => new(a.Resident + b.Resident, a.Own + b.Own);
}

/// <summary>Starts pairs of programs that send each other a file over 127.0.0.1, through a mailbox of our own node.</summary>
internal sealed class SendingPrograms : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _program, _folder;
    private readonly int _mailbox = FreePort(), _relay = FreePort();
    private readonly Process _node;
    private int _code = 100;

    public SendingPrograms(string program, string folder)
    {
        (_program, _folder) = (program, folder);
        _node = Start(_program, ["run", "--loopback", "--port", "0", "--page", "0", "--data", Path.Combine(folder, "node"), "--mailbox", Text(_mailbox), "--relay", Text(_relay)]);
    }

    /// <summary>Debian's program; null where it is not installed.</summary>
    public static string? Stock { get; } = File.Exists("/usr/bin/wormhole") && File.Exists("/usr/bin/python3") ? "/usr/bin/wormhole" : null;

    /// <summary>Done when the mailbox answers.</summary>
    public async Task ReadyAsync(CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, _mailbox, stop).ConfigureAwait(false);
                return;
            }
            catch (SocketException) { await Task.Delay(50, stop).ConfigureAwait(false); }
        }
        throw new InvalidOperationException("The mailbox did not come up.");
    }

    /// <summary>Debian's magic-wormhole on both sides.</summary>
    public Task<ProgramTransfer> StockAsync(string file, CancellationToken stop)
    {
        string[] common = [Stock!, "--relay-url", $"ws://127.0.0.1:{_mailbox}/v1", "--transit-helper", $"tcp:127.0.0.1:{_relay}"];
        var code = NextCode();
        return TransferAsync(file, () => Start("/usr/bin/python3", [.. common, "send", "--code", code, file]),
            target => Start("/usr/bin/python3", [.. common, "receive", "--accept-file", "-o", Path.Combine(target, "file"), code]), stop);
    }

    /// <summary>Ours on both sides, on Magic Wormhole's wire.</summary>
    public Task<ProgramTransfer> OursAsync(string file, CancellationToken stop)
    {
        string[] ways = ["--loopback", "--mailbox", $"ws://127.0.0.1:{_mailbox}/v1", "--relay", $"127.0.0.1:{_relay}"];
        var code = NextCode();
        return TransferAsync(file, () => Start(_program, ["send", file, "--stock", "--code", code, "--data", Path.Combine(_folder, "a"), .. ways]),
            target => Start(_program, ["receive", code, "--yes", "--out", target, "--data", Path.Combine(_folder, "b"), .. ways]), stop);
    }

    /// <summary>Ours on both sides, in our own way: no mailbox.</summary>
    public Task<ProgramTransfer> NativeAsync(string file, CancellationToken stop)
    {
        var code = NextCode() + "-snapline";
        return TransferAsync(file, () => Start(_program, ["send", file, "--code", code, "--loopback", "--fresh", "--data", Path.Combine(_folder, "a")]),
            target => Start(_program, ["receive", code, "--yes", "--out", target, "--loopback", "--data", Path.Combine(_folder, "b")]), stop);
    }

    public void Dispose()
    {
        if (!_node.HasExited) _node.Kill();
        _node.WaitForExit(5_000);
        _node.Dispose();
    }

    private async Task<ProgramTransfer> TransferAsync(string file, Func<Process> send, Func<string, Process> receive, CancellationToken stop)
    {
        var target = Path.Combine(_folder, "out");
        Directory.CreateDirectory(target);
        using var sender = send();
        // The sender has a moment to come up, as while a person tells the code.
        await Task.Delay(TimeSpan.FromSeconds(1.5), stop).ConfigureAwait(false);
        var received = Stopwatch.GetTimestamp();
        using var receiver = receive(target);
        try
        {
            var (first, ended, theirs, mine) = (0.0, 0.0, default(ProgramMemory), default(ProgramMemory));
            while (!receiver.HasExited || !sender.HasExited)
            {
                if (Stopwatch.GetElapsedTime(received) > Patience) throw new InvalidOperationException("The transfer does not end.");
                if (first == 0 && Directory.EnumerateFileSystemEntries(target).Any()) first = Stopwatch.GetElapsedTime(received).TotalSeconds;
                (theirs, mine) = (ProgramMemory.Highest(theirs, MemoryOf(sender)), ProgramMemory.Highest(mine, MemoryOf(receiver)));
                if (receiver.HasExited && ended == 0) ended = Stopwatch.GetElapsedTime(received).TotalSeconds;
                await Task.Delay(5, stop).ConfigureAwait(false);
            }
            var seconds = ended > 0 ? ended : Stopwatch.GetElapsedTime(received).TotalSeconds;
            if (sender.ExitCode != 0 || receiver.ExitCode != 0) throw new InvalidOperationException($"A transfer failed: the sender ended with {sender.ExitCode}, the receiver with {receiver.ExitCode}.");
            return new ProgramTransfer(new FileInfo(file).Length / seconds / 1e6, first, theirs, mine);
        }
        finally
        {
            foreach (var process in (Process[])[sender, receiver])
                if (!process.HasExited) process.Kill();
            Directory.Delete(target, recursive: true);
        }
    }

    private string NextCode() => $"{++_code}-crossover-clockwork";

    private static Process Start(string program, string[] arguments)
    {
        var isOurs = program.EndsWith(".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo(isOurs ? Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet" : program)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        if (isOurs) start.ArgumentList.Add(program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // Defaults only, whatever is set around us.
        foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("POLDER_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        (start.Environment["LC_ALL"], start.Environment["PYTHONIOENCODING"]) = ("C.UTF-8", "utf-8");
        var process = Process.Start(start)!;
        // Nobody reads along: a full pipe would hold the program up.
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static ProgramMemory MemoryOf(Process process)
    {
        var (resident, own) = (0.0, 0.0);
        try
        {
            foreach (var line in File.ReadLines($"/proc/{process.Id}/status"))
            {
                // The kernel's own mark of the highest; the parts it tells as they are now.
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal)) resident = Megabytes(line);
                else if (line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal)) own += Megabytes(line);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException or InvalidOperationException) { }
        return new ProgramMemory(resident, own);

        static double Megabytes(string line) =>
            double.Parse(line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).TrimEnd(" kB"), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) / 1024;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
