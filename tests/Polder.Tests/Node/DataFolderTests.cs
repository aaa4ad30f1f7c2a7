using Polder.Identity;
using Polder.Net;
using Polder.Node;
using Polder.Node.Folders;
using Polder.Overlay.Discovery;

namespace Polder.Tests.Node;

public sealed class DataFolderTests
{
    [Fact]
    public void A_second_node_on_one_folder_is_refused_and_told_the_process()
    {
        using var temporary = new TemporaryFolder();
        using var first = DataFolder.Open(temporary.At("node"));
        var problem = Assert.Throws<NodeStartException>(() => DataFolder.Open(temporary.At("node")));
        Assert.Contains($"process {Environment.ProcessId}", problem.Message, StringComparison.Ordinal);
        Assert.Contains("--data", problem.Message, StringComparison.Ordinal);
        Assert.Equal(Environment.ProcessId, DataFolder.HolderOf(temporary.At("node")));
    }

    [Fact]
    public void A_folder_that_was_let_go_can_be_opened_again()
    {
        using var temporary = new TemporaryFolder();
        DataFolder.Open(temporary.At("node")).Dispose();
        Assert.Null(DataFolder.HolderOf(temporary.At("node")));
        DataFolder.Open(temporary.At("node")).Dispose();
    }

    [Fact]
    public void A_folder_of_a_newer_version_is_refused()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.At("version"), "2\n");
        var problem = Assert.Throws<NodeStartException>(() => DataFolder.Open(temporary.Path));
        Assert.Contains("newer Polder", problem.Message, StringComparison.Ordinal);
        Assert.Null(DataFolder.HolderOf(temporary.Path));
    }

    [Fact]
    public void Looking_creates_nothing()
    {
        using var temporary = new TemporaryFolder();
        Assert.Null(DataFolder.Look(temporary.At("none")));
        Assert.False(Directory.Exists(temporary.At("none")));
    }

    [Fact]
    public void A_key_file_comes_back_and_is_for_its_owner_only()
    {
        using var temporary = new TemporaryFolder();
        using var pair = KeyFile.Create();
        KeyFile.Write(temporary.At("key"), pair);
        using var read = KeyFile.Read(temporary.At("key"));
        Assert.Equal(pair.Public, read.Public);
        Assert.Equal(pair.Export(), File.ReadAllBytes(temporary.At("key")));
        Assert.False(KeyFile.IsSealed(temporary.At("key")));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(temporary.At("key")));
        Assert.Null(KeyFile.Exposure(temporary.At("key")));
        File.SetUnixFileMode(temporary.At("key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", KeyFile.Exposure(temporary.At("key")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_file_of_py_ipv8_is_read_as_it_is()
    {
        // "alice" of tests/vectors/ipv8/ipv8_keys.json, made by py-ipv8 3.2.
        using var temporary = new TemporaryFolder();
        File.WriteAllBytes(temporary.At("key"), Convert.FromHexString(
            "4c69624e61434c534b3a1d67839c4a15d03c85a7be3855e262a65329016ada0dbdc90b593eb27eff0c722cd6175142b33b68f3cc774b98fcbda78e0fc7f822b318aac6b7d00e2e27c199"));
        using var pair = KeyFile.Read(temporary.At("key"));
        Assert.StartsWith("4c69624e61434c504b3a6c6812f0371c24fb0c2a167011286f6c", pair.Public.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sealed_key_needs_its_passphrase()
    {
        using var temporary = new TemporaryFolder();
        using var pair = KeyFile.Create();
        KeyFile.Write(temporary.At("key"), pair, "correct horse");
        Assert.True(KeyFile.IsSealed(temporary.At("key")));
        using var read = KeyFile.Read(temporary.At("key"), "correct horse");
        Assert.Equal(pair.Public, read.Public);
        Assert.Contains("POLDER_PASSPHRASE", Assert.Throws<NodeStartException>(() => KeyFile.Read(temporary.At("key"))).Message, StringComparison.Ordinal);
        Assert.Contains("Wrong passphrase", Assert.Throws<NodeStartException>(() => KeyFile.Read(temporary.At("key"), "battery")).Message, StringComparison.Ordinal);
        Assert.Equal(-1, File.ReadAllBytes(temporary.At("key")).AsSpan().IndexOf(KeyFormat.PrivateTag));
    }

    [Fact]
    public void A_damaged_or_missing_key_file_says_so()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.At("key"), "hello");
        Assert.Contains("no key file that Polder knows", Assert.Throws<NodeStartException>(() => KeyFile.Read(temporary.At("key"))).Message, StringComparison.Ordinal);
        Assert.Contains("There is no key file", Assert.Throws<NodeStartException>(() => KeyFile.Read(temporary.At("none"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_cache_comes_back_without_the_lines_that_are_no_peers()
    {
        using var temporary = new TemporaryFolder();
        using var pair = KeyFile.Create();
        var cache = new PeerCacheFile(temporary.At("peers.cache"));
        Assert.Empty(cache.Load());
        Assert.True(Endpoint.TryParse("127.0.0.1:8090", out var first));
        Assert.True(Endpoint.TryParse("[::1]:8091", out var second));
        CachedPeer[] peers =
        [
            new(first, pair.Public, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), true),
            new(second, pair.Public, DateTimeOffset.FromUnixTimeSeconds(1_700_000_001), false),
        ];
        cache.Save([]);
        cache.Save(peers);
        await cache.WrittenAsync();
        File.AppendAllText(temporary.At("peers.cache"), $"nonsense\n127.0.0.1:0 {pair.Public} 1 -\n127.0.0.1:1 {pair.Public} 99999999999999 -\n");
        Assert.Equal(peers, cache.Load());
    }
}
