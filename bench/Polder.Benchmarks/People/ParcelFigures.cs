using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Polder.Node.Parcels.Native;
using Polder.Overlay.Sessions;

namespace Polder.Benchmarks;

/// <summary>
/// A file sent in our own way within one process, over TCP and over a stream in a UDP session, from the code to the confirmation: read, encrypted, decrypted,
/// checked, written and flushed. Both sides share the processors.
/// </summary>
internal static class ParcelFigures
{
    private const int FileBytes = 300_000_000;
    private const int Rounds = 3;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("polder-bench-parcels").FullName;
        try
        {
            var file = Path.Combine(folder, "file");
            await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(FileBytes), stop).ConfigureAwait(false);
            var tcp = await BestAsync(folder, file, "TCP", new MeetingOptions { Loopback = true }, new MeetingOptions { Loopback = true }, say, stop).ConfigureAwait(false);
            await using var alice = await TransferNode.StartAsync(11).ConfigureAwait(false);
            await using var bob = await TransferNode.StartAsync(12).ConfigureAwait(false);
            await bob.Loop.InvokeAsync(() => bob.Host.Sessions.OpenAsync(alice.Host.Identity.Public, new DirectPath(bob.Host, alice.Socket.LocalEndpoint))).ConfigureAwait(false);
            var words = new ConcurrentDictionary<string, LeftWord>();
            MeetingOptions Of(TransferNode node, NodeMeetingNetwork network) => new() { Loopback = true, Direct = false, Network = new Board(words, network, Convert.ToHexStringLower(node.Host.Identity.Public.Bytes)) };
            var udp = await BestAsync(folder, file, "a UDP session", Of(alice, await NodeMeetingNetwork.OfAsync(alice.Host).ConfigureAwait(false)),
                Of(bob, await NodeMeetingNetwork.OfAsync(bob.Host).ConfigureAwait(false)), say, stop).ConfigureAwait(false);
            using var process = Process.GetCurrentProcess();
            return
            [
                new("parcel over TCP", tcp.Rate, "MB/s", null, null, "at least 200 MB/s", tcp.Rate >= 200),
                new("parcel over a UDP session", udp.Rate, "MB/s", null, null, "at least 100 MB/s", udp.Rate >= 100),
                new("from send to the first byte, 300 MB, TCP", tcp.First * 1000, "ms", null, null),
            ];
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static async Task<(double Rate, double First)> BestAsync(string folder, string file, string way, MeetingOptions sender, MeetingOptions receiver, Action<string> say, CancellationToken stop)
    {
        var rounds = new List<(double Rate, double First)>();
        for (var round = 0; round < Rounds; round++)
        {
            var (from, to, target) = (new ParcelFolder(Path.Combine(folder, "a")), new ParcelFolder(Path.Combine(folder, "b")), Path.Combine(folder, "out"));
            var clock = Stopwatch.StartNew();
            var send = NativeSend.Start(from, [file], null, sender, fresh: true);
            var sending = send.RunAsync(stop);
            var receive = new NativeReceive(to, send.Code, target, receiver, static (_, _) => Task.FromResult(new OfferAnswer(true)));
            var receiving = receive.RunAsync(stop);
            while (receive.Watch.MovedBytes == 0 && !receiving.IsCompleted) await Task.Delay(1, stop).ConfigureAwait(false);
            var first = clock.Elapsed.TotalSeconds;
            await receiving.ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            rounds.Add((receive.Watch.MovedBytes / receive.Watch.Took.TotalSeconds / 1e6, first));
            say($"{way}: {rounds[^1].Rate:0} MB/s, first byte after {first * 1000:0} ms, {Environment.WorkingSet >> 20} MB of memory for both sides and the bench");
            Directory.Delete(target, recursive: true);
        }
        rounds.Sort();
        return rounds[rounds.Count / 2];
    }

    /// <summary>A notice board in the place of a DHT; the streams are real.</summary>
    private sealed class Board(ConcurrentDictionary<string, LeftWord> words, NodeMeetingNetwork network, string self) : IMeetingNetwork
    {
        public Task PublishAsync(byte[] meeting, byte[] value, CancellationToken cancel)
        {
            words[Convert.ToHexString(meeting)] = new LeftWord(self, value);
            return Task.CompletedTask;
        }

        public Task ForgetAsync(byte[] meeting)
        {
            words.TryRemove(Convert.ToHexString(meeting), out _);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<LeftWord>> FindAsync(byte[] meeting, CancellationToken cancel) =>
            Task.FromResult<IReadOnlyList<LeftWord>>(words.TryGetValue(Convert.ToHexString(meeting), out var word) ? [word] : []);

        public Task<Stream?> DialAsync(string peer, byte[] meeting, CancellationToken cancel) => network.DialAsync(peer, meeting, cancel);
        public Task<IAsyncDisposable> ListenAsync(byte[] meeting, Func<Stream, Task> handler, CancellationToken cancel) => network.ListenAsync(meeting, handler, cancel);
    }
}
