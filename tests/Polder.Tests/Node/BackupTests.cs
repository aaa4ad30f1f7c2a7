using Polder.Ledger.Stores;
using Polder.Node;
using Polder.Node.Backups;
using Polder.Node.Folders;
using Polder.Node.Operations;
using Polder.Node.Storage;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

public sealed class BackupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_comes_back_into_an_empty_folder()
    {
        var key = Chains.Key(1);
        var chain = Chains.Of(key, 30, Chains.Key(2));
        var others = Chains.Agree(Chains.Key(2), chain);
        var fraud = new FraudProof(FraudKind.DoubleSign, Chains.Of(Chains.Key(3), 1, key)[0], Chains.Of(Chains.Key(3), 1, Chains.Key(2))[0]);
        Directory.CreateDirectory(_folder.At("node"));
        KeyFile.Write(_folder.At("node/identity.key"), key);
        using (var store = SqliteBlockStore.Open(_folder.At("node/polder.db"), key.Public.Bytes, DateTimeOffset.UnixEpoch))
        {
            store.AddRange([.. chain, .. others]);
            store.AddFraud(fraud);
            store.AddRefusal(others[3].Hash);
        }
        var made = await Backup.WriteAsync(_folder.At("node"), _folder.At("file"), cancellation: Stop);
        Assert.Equal((60, 30, 1, false), (made.Blocks, made.BlocksOwn, made.Frauds, made.KeyIsSealed));
        Assert.Contains("private key in the open", made.Advice[0], StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.At("file")));

        var restored = await Backup.RestoreAsync(_folder.At("file"), _folder.At("new"), cancellation: Stop);
        Assert.Equal((60, 30, 1, key.Public), (restored.Blocks, restored.BlocksOwn, restored.Frauds, restored.Owner));
        using var again = SqliteBlockStore.OpenReadOnly(_folder.At("new/polder.db"));
        Assert.Equal([.. chain, .. others], again.All());
        Assert.True(again.IsRefused(others[3].Hash));
        Assert.True(Assert.Single(again.Frauds()).SameBlocks(fraud));
        Assert.Contains("restored from a backup", again.SigningRefused, StringComparison.Ordinal);
        using var pair = KeyFile.Read(_folder.At("new/identity.key"));
        Assert.Equal(key.Public, pair.Public);
        Assert.Contains("holds a node already", (await Assert.ThrowsAsync<NodeStartException>(
            () => Backup.RestoreAsync(_folder.At("file"), _folder.At("new"), cancellation: Stop))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sealed_key_stays_sealed_and_a_damaged_file_restores_nothing()
    {
        await using (await new NodeBuilder(NodeTests.Quick(_folder.At("node"))).StartAsync(Stop)) { }
        var made = await Backup.WriteAsync(_folder.At("node"), _folder.At("file"), "correct horse", cancellation: Stop);
        Assert.True(made.KeyIsSealed);
        var bytes = File.ReadAllBytes(_folder.At("file"));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("LibNaCLSK:"u8));
        Assert.Contains("Wrong passphrase", (await Assert.ThrowsAsync<NodeStartException>(
            () => Backup.RestoreAsync(_folder.At("file"), _folder.At("wrong"), "battery", cancellation: Stop))).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.At("wrong/identity.key")));
        // After the wrong passphrase the right one still works, in the same folder.
        await Backup.RestoreAsync(_folder.At("file"), _folder.At("wrong"), "correct horse", cancellation: Stop);

        for (var i = 0; i < bytes.Length; i += 7)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[i] ^= 0x10;
            File.WriteAllBytes(_folder.At("damaged"), damaged);
            await Assert.ThrowsAsync<NodeStartException>(() => Backup.RestoreAsync(_folder.At("damaged"), _folder.At("none"), cancellation: Stop));
        }
        File.WriteAllBytes(_folder.At("damaged"), bytes[..^1]);
        Assert.Contains("cut off", (await Assert.ThrowsAsync<NodeStartException>(
            () => Backup.RestoreAsync(_folder.At("damaged"), _folder.At("none"), cancellation: Stop))).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("none")));
    }

    [Fact]
    public async Task An_old_backup_does_not_make_the_node_fork_itself()
    {
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).StartAsync(Stop);
        string[] join = [alice.UdpEndpoint.ToString()];
        var bob = await new NodeBuilder(NodeTests.Quick(_folder.At("bob"), join)).StartAsync(Stop);
        await NodeTests.MeetAsync(alice, bob);
        RecordRequest Record(long megabytes) => new(alice.Identity.ToString(), false, megabytes << 20, "bytes", "", TimeSpan.FromSeconds(20));
        await bob.Operations.RecordAsync(Record(2), Stop);
        // Beside the running node.
        Assert.Equal(1, (await Backup.WriteAsync(_folder.At("bob"), _folder.At("file"), cancellation: Stop)).BlocksOwn);
        await bob.Operations.RecordAsync(Record(3), Stop);
        await bob.DisposeAsync();

        await Backup.RestoreAsync(_folder.At("file"), _folder.At("restored"), cancellation: Stop);
        await using var again = await new NodeBuilder(NodeTests.Quick(_folder.At("restored"))).StartAsync(Stop);
        Assert.NotNull((await again.Operations.StatusAsync(Stop)).SigningRefused);
        var refused = await Assert.ThrowsAsync<OperationRefusedException>(() => again.Operations.RecordAsync(Record(4), Stop));
        Assert.Equal(RefusalKind.Conflict, refused.Kind);
        await again.Operations.WalkToAsync(alice.UdpEndpoint, Stop);
        await NodeTests.UntilAsync(async () => (await again.Operations.StatusAsync(Stop)) is { SigningRefused: null, BlocksOwn: 2 }, "the rest of the chain comes");
        Assert.EndsWith(".3", (await again.Operations.RecordAsync(Record(4), Stop)).Block, StringComparison.Ordinal);
        Assert.Empty(await alice.Operations.FraudsAsync(Stop));
    }
}
