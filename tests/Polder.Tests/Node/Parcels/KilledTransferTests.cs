using System.Diagnostics;
using System.Security.Cryptography;
using Polder.Tests.Host;

namespace Polder.Tests.Node.Parcels;

/// <summary>Both programs are killed in the middle, as by kill -9, and the same two commands go on where it was.</summary>
public sealed class KilledTransferTests : IDisposable
{
    private const int FileBytes = 250_000_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task After_both_were_killed_the_same_commands_finish_the_transfer()
    {
        var stop = TestContext.Current.CancellationToken;
        var file = _folder.At("film.bin");
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(FileBytes), stop);
        const string code = "8123-amulet-banjo-acme";
        string[] send = ["send", file, "--code", code, "--loopback", "--data", _folder.At("a")], receive = ["receive", code, "--yes", "--out", _folder.At("out"), "--loopback", "--data", _folder.At("b")];
        var (sender, receiver) = (Start(send), Start(receive));
        try
        {
            // The first bits are in the journal once 64 MiB were flushed.
            var journals = _folder.At("b/parcels/in");
            var clock = Stopwatch.StartNew();
            while (!(Directory.Exists(journals) && Directory.EnumerateFiles(journals, "have-0", SearchOption.AllDirectories).Any()))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60) && !receiver.HasExited, "The transfer did not come as far as that.");
                await Task.Delay(5, stop);
            }
        }
        finally
        {
            receiver.Kill();
            sender.Kill();
        }
        await receiver.WaitForExitAsync(stop);
        await sender.WaitForExitAsync(stop);
        Assert.False(File.Exists(_folder.At("out/film.bin")));

        var again = PolderProcess.RunAsync(null, send);
        var rest = await PolderProcess.RunAsync(null, receive);
        Assert.True(rest.Code == 0, rest.Output + rest.Error);
        Assert.Contains("goes on where it broke off", rest.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await again).Code);
        await using var mine = File.OpenRead(file);
        await using var theirs = File.OpenRead(_folder.At("out/film.bin"));
        Assert.Equal(await SHA256.HashDataAsync(mine, stop), await SHA256.HashDataAsync(theirs, stop));
        Assert.Single(Directory.GetFileSystemEntries(_folder.At("out")));
        var (_, list, _) = await PolderProcess.RunAsync(null, "send", "--list", "--data", _folder.At("b"));
        Assert.Contains("Everything is finished", list, StringComparison.Ordinal);
    }

    private static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(PolderProcess.Program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
