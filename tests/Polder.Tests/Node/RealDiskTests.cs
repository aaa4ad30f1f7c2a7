using System.Diagnostics;
using Polder.Node.Storage;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>
/// The store on file systems that really fail: a tmpfs that is full, and an ext4 whose disk answers EIO. Each test starts itself
/// again in a mount namespace of its own, where it may mount; where that is not allowed, it is skipped.
/// </summary>
public sealed class RealDiskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_full_file_system_fails_the_flush_in_words_and_writing_resumes_when_there_is_room()
    {
        if (InNamespace.Folder is not { } disk)
        {
            await InNamespace.RunAsync(["-m"], "mount -t tmpfs -o size=4m tmpfs \"$D\" && $TEST",
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
        if (InNamespace.Folder is not { } disk)
        {
            // The image lies on a tmpfs that gets full: then the disk that it is cannot take what its file system has room for.
            await InNamespace.RunAsync(["-m"],
                "mount -t tmpfs -o size=12m tmpfs \"$D\" && truncate -s 40m \"$D/image\" && mkfs.ext4 -q -O ^has_journal \"$D/image\" && mkdir \"$D/disk\" && mount -o loop \"$D/image\" \"$D/disk\" && $TEST",
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
}
