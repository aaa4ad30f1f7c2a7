using System.Diagnostics;
using System.Globalization;

namespace Polder.Tests.Node;

/// <summary>
/// A test that starts itself again inside namespaces of its own (mounts, network), where it may change what a test must not touch on
/// the machine. Where that is not allowed, it is skipped, which counts.
/// </summary>
internal static class InNamespace
{
    private const string InsideVariable = "POLDER_INSIDE";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>The folder of this run when the test is inside; null outside.</summary>
    public static string? Folder => Environment.GetEnvironmentVariable(InsideVariable) is { Length: > 0 } folder ? folder : null;

    /// <summary>Runs this test inside, and fails if it fails there.</summary>
    /// <param name="flags">Of unshare: which namespaces.</param>
    /// <param name="script">Shell lines that prepare them; "$D" is an empty folder, "$TEST" the command that runs the test, to be called by it.</param>
    /// <param name="test">Name of the test's method.</param>
    /// <param name="probe">Shell lines that show whether it is allowed at all; the preparing ones without.</param>
    public static async Task RunAsync(string[] flags, string script, string test, string? probe = null)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Needs Linux and its namespaces.");
        using var folder = new TemporaryFolder();
        var disk = folder.At("disk");
        Directory.CreateDirectory(disk);
        var host = Environment.ProcessPath!;
        var command = $"\"{host}\" {(Path.GetFileName(host) == "dotnet" ? $"\"{typeof(InNamespace).Assembly.Location}\"" : "")} --filter-method \"*{test}\"";
        var (code, said) = await StartAsync([.. flags, "sh", "-c", probe ?? script.Replace("$TEST", "true", StringComparison.Ordinal)], disk, null);
        if (code != 0) Assert.Skip($"Namespaces, or what is done in them, are not allowed here: {said.Trim()}");
        (code, said) = await StartAsync([.. flags, "sh", "-c", script.Replace("$TEST", command, StringComparison.Ordinal)], disk, disk);
        Assert.True(code == 0, string.Create(CultureInfo.InvariantCulture, $"Inside it ended with {code}:\n{said}"));
        Assert.Matches(@"succeeded: *1", said);
    }

    /// <summary>Runs a program to its end; −1 when it cannot be started.</summary>
    public static async Task<(int Code, string Said)> StartAsync(string program, string[] arguments, string disk, string? inside)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["D"] = disk;
        if (inside is not null) start.Environment[InsideVariable] = inside;
        try
        {
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            using var limit = new CancellationTokenSource(Patience);
            try { await process.WaitForExitAsync(limit.Token); }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
            return (process.ExitCode, await output + await error);
        }
        catch (System.ComponentModel.Win32Exception problem) { return (-1, problem.Message); }
    }

    private static Task<(int Code, string Said)> StartAsync(string[] arguments, string disk, string? inside) => StartAsync("unshare", arguments, disk, inside);
}
