using Polder.Host.Commands;
using Polder.Node;
using Polder.Node.Folders;
using Polder.Tests.Node;

namespace Polder.Tests.Host;

public sealed class SealTests
{
    [Fact]
    public void A_key_is_sealed_later_and_back_whole_and_for_the_owner_only()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("identity.key");
        using var pair = KeyFile.Create();
        KeyFile.Write(path, pair);
        var plain = File.ReadAllBytes(path);

        KeyFile.Reseal(path, null, "correct horse");
        Assert.True(KeyFile.IsSealed(path));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.False(File.Exists(path + ".new"));
        Assert.Contains("sealed", Assert.Throws<NodeStartException>(() => KeyFile.Read(path)).Message, StringComparison.Ordinal);
        using (var again = KeyFile.Read(path, "correct horse")) Assert.Equal(pair.Public, again.Public);

        Assert.Throws<NodeStartException>(() => KeyFile.Reseal(path, "wrong", null));
        Assert.True(KeyFile.IsSealed(path));
        KeyFile.Reseal(path, "correct horse", null);
        Assert.Equal(plain, File.ReadAllBytes(path));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task The_commands_say_what_they_did_and_refuse_what_makes_no_sense()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((3, true), await RunAsync("id", "seal", "--data", folder.At("none"), "no identity"));
        // A folder that a node began.
        using (DataFolder.Open(folder.At("node"))) { }
        using (var pair = KeyFile.Create()) KeyFile.Write(Path.Combine(folder.At("node"), "identity.key"), pair);
        Assert.Equal((4, true), await RunAsync("id", "unseal", "--data", folder.At("node"), "is not sealed"));
        Assert.Equal((2, true), await RunAsync("id", "seal", "--data", folder.At("node"), "POLDER_PASSPHRASE"));

        static async Task<(int Code, bool Said)> RunAsync(string command, string what, string option, string data, string words)
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            var surroundings = new Surroundings(new Terminal(output, error, interactive: false, errorInteractive: false),
                (_, _) => throw new InvalidOperationException("A node was asked."));
            var code = await CommandLine.RunAsync([command, what, option, data], surroundings, TestContext.Current.CancellationToken);
            return (code, (output.ToString() + error).Contains(words, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Another_users_file_is_left_alone()
    {
        // Root may give files away; others cannot try.
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root") Assert.Skip("Needs root, to make a file of another user.");
        using var folder = new TemporaryFolder();
        var path = folder.At("identity.key");
        using (var pair = KeyFile.Create()) KeyFile.Write(path, pair);
        using (var chown = System.Diagnostics.Process.Start("chown", ["65534", path])) chown.WaitForExit();
        Assert.Contains("another user", Assert.Throws<NodeStartException>(() => KeyFile.Reseal(path, null, "x")).Message, StringComparison.Ordinal);
        Assert.False(KeyFile.IsSealed(path));
    }
}
