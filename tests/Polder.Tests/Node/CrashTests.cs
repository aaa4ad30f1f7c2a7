using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Polder.Ledger.Blocks;
using Polder.Node.Storage;
using Polder.Runtime;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>kill −9 at random moments of a process that writes: what was acknowledged is there, whole and in order.</summary>
public sealed class CrashTests : IDisposable
{
    private const string ChildVariable = "CRASH_CHILD_OF_POLDER_TESTS";
    private const int Kills = 8;
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_acknowledged_survives_kill_9_at_any_moment()
    {
        var random = new Prng(9);
        var path = _folder.At("polder.db");
        var acknowledged = 0u;
        for (var kill = 0; kill < Kills; kill++)
        {
            using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
            {
                RedirectStandardOutput = true, RedirectStandardError = true, Environment = { [ChildVariable] = path },
                // Where the runner is "dotnet", the test assembly is its first argument.
                ArgumentList = { Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? typeof(CrashTests).Assembly.Location : "--help" },
            })!;
            try
            {
                var wanted = acknowledged + (uint)random.Next(1, 40);
                while (acknowledged < wanted && await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                    acknowledged = uint.Parse(line, CultureInfo.InvariantCulture);
                if (acknowledged < wanted) Assert.Fail(await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
                Thread.SpinWait(random.Next(200_000));
            }
            finally
            {
                child.Kill();
                await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
            // What it said before it died counts too.
            foreach (var line in (await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n')[..^1])
                acknowledged = uint.Parse(line, CultureInfo.InvariantCulture);

            using var store = SqliteBlockStore.Open(path, Chains.Key(1).Public.Bytes, Now);
            Assert.Null(store.SetAside);
            var chain = store.Range(Chains.Key(1).Public.Bytes, 1, uint.MaxValue, int.MaxValue);
            Assert.True(chain.Count >= acknowledged, $"{acknowledged} were acknowledged, {chain.Count} are there.");
            for (var i = 0; i < chain.Count; i++)
            {
                Assert.Equal((uint)i + 1, chain[i].Sequence);
                Assert.Equal(i == 0 ? HalfBlock.GenesisHash : chain[i - 1].Hash, chain[i].PreviousHash);
            }
            acknowledged = (uint)chain.Count;
        }
    }

    [ModuleInitializer]
    internal static void ActAsChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { Length: > 0 } path) return;
        // On this thread alone: others would wait for this initializer before they run code of this assembly.
        try { WriteForEver(path); }
        catch (Exception problem)
        {
            Console.Error.WriteLine(problem);
            Environment.Exit(1);
        }
    }

    private static void WriteForEver(string path)
    {
        var key = Chains.Key(1);
        using var store = SqliteBlockStore.Open(path, key.Public.Bytes, Now);
        var output = Console.OpenStandardOutput();
        for (var latest = store.Latest(key.Public.Bytes); ;)
        {
            // Sometimes several share a commit.
            for (var i = 0; i <= (latest?.Sequence ?? 0) % 3; i++)
            {
                latest = Chains.Block(key, (latest?.Sequence ?? 0) + 1, Chains.Key(2).Public.Bytes, 0, latest?.Hash ?? HalfBlock.GenesisHash);
                Assert.True(store.Add(latest));
            }
            store.FlushAsync().GetAwaiter().GetResult();
            output.Write(System.Text.Encoding.ASCII.GetBytes(latest!.Sequence.ToString(CultureInfo.InvariantCulture) + "\n"));
        }
    }
}
