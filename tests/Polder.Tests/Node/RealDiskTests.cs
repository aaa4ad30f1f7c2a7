using System.Diagnostics;
using System.Globalization;
using Polder.Node.Storage;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>
/// The store on file systems that really fail: a tmpfs that is full, and an ext4 whose disk answers EIO. Each test starts itself
/// again in a mount namespace of its own, where it may mount; where that is not allowed, it is skipped.
/// </summary>
public sealed class RealDiskTests
{
    private const string InsideVariable = "POLDER_REAL_DISK";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_full_file_system_fails_the_flush_in_words_and_writing_resumes_when_there_is_room()
    {
        if (Inside is not { } disk)
        {
            await InNamespaceAsync("mount -t tmpfs -o size=4m tmpfs \"$D\"",
                nameof(A_full_file_system_fails_the_flush_in_words_and_writing_resumes_when_there_is_room));
            return;
        }
        var path = Path.Combine(disk, "chain.db");
        var filler = Path.Combine(disk, "filler");
        var store = SqliteBlockStore.Open(path, Chains.Key(1).Public.Bytes, DateTimeOffset.UnixEpoch);
        var chain = Chains.Of(Chains.Key(1), 3_000, Chains.Key(2));
        store.AddRange(chain[..100]);
        await store.FlushAsync();
        Fill(filler);

        store.AddRange(chain[100..]);
        var problem = await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
        Assert.Contains("full", problem.Message, StringComparison.Ordinal);
        Assert.NotNull(store.WriteFailure);
        // Nothing is lost meanwhile, and all can be read.
        Assert.Equal(3_000, store.Count);
        Assert.Equal(chain[2_999], store.Get(chain[2_999].PublicKey, 3_000));

        File.Delete(filler);
        await ResumesAsync(store);
        Assert.Null(store.WriteFailure);
        store.Dispose();
        using var again = SqliteBlockStore.Open(path, Chains.Key(1).Public.Bytes, DateTimeOffset.UnixEpoch);
        Assert.Null(again.SetAside);
        Assert.Equal(chain, again.All());
    }

    [Fact]
    public async Task A_disk_that_answers_EIO_promises_nothing_and_what_was_promised_before_can_be_read()
    {
        if (Inside is not { } disk)
        {
            // The image lies on a tmpfs that gets full: then the disk that it is cannot take what its file system has room for.
            await InNamespaceAsync(
                "mount -t tmpfs -o size=12m tmpfs \"$D\" && truncate -s 40m \"$D/image\" && mkfs.ext4 -q -O ^has_journal \"$D/image\" && mkdir \"$D/disk\" && mount -o loop \"$D/image\" \"$D/disk\"",
                nameof(A_disk_that_answers_EIO_promises_nothing_and_what_was_promised_before_can_be_read));
            return;
        }
        var path = Path.Combine(disk, "disk", "chain.db");
        var store = SqliteBlockStore.Open(path, Chains.Key(1).Public.Bytes, DateTimeOffset.UnixEpoch);
        var chain = Chains.Of(Chains.Key(1), 10_000, Chains.Key(2));
        store.AddRange(chain[..100]);
        await store.FlushAsync();
        Fill(Path.Combine(disk, "filler"));

        store.AddRange(chain[100..]);
        var problem = await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
        Assert.Matches("reports an error|cannot be written|damaged|fails", problem.Message);
        await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
        Assert.Equal(10_000, store.Count);
        Assert.Equal(chain[50], store.Get(chain[50].PublicKey, 51));
        Assert.Equal(chain[9_999], store.Get(chain[9_999].PublicKey, 10_000));
    }

    private static string? Inside => Environment.GetEnvironmentVariable(InsideVariable) is { Length: > 0 } disk ? disk : null;

    private static void Fill(string path)
    {
        var block = new byte[64 * 1024];
        block.AsSpan().Fill(0x5A);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException) { }
        // Down to the last page: a write of less may still fit.
        try
        {
            while (true) file.Write(block.AsSpan(0, 512));
        }
        catch (IOException) { }
    }

    private static async Task ResumesAsync(SqliteBlockStore store)
    {
        var began = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await store.FlushAsync();
                return;
            }
            catch (IOException) when (began.Elapsed < Patience) { await Task.Delay(200, TestContext.Current.CancellationToken); }
        }
    }

    private static async Task InNamespaceAsync(string mount, string test)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Needs Linux, to mount in a namespace.");
        using var folder = new TemporaryFolder();
        var disk = folder.At("disk");
        Directory.CreateDirectory(disk);
        var (code, said) = await RunAsync("unshare", ["-m", "sh", "-c", mount], disk, null);
        if (code != 0) Assert.Skip($"Mounting in a namespace is not allowed here: {said.Trim()}");
        (code, said) = await RunAsync("unshare", ["-m", "sh", "-c",
            $"{mount} && exec \"{Environment.ProcessPath}\" {(Path.GetFileName(Environment.ProcessPath) == "dotnet" ? $"\"{typeof(RealDiskTests).Assembly.Location}\"" : "")} --filter-method \"*{test}\""], disk, disk);
        Assert.True(code == 0, string.Create(CultureInfo.InvariantCulture, $"Inside it ended with {code}:\n{said}"));
        Assert.Matches(@"succeeded: *1", said);
    }

    private static async Task<(int Code, string Said)> RunAsync(string program, string[] arguments, string disk, string? inside)
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
            catch (OperationCanceledException) { process.Kill(entireProcessTree: true); throw; }
            return (process.ExitCode, await output + await error);
        }
        catch (System.ComponentModel.Win32Exception problem) { return (-1, problem.Message); }
    }
}
