using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Polder.Node.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;
using Polder.Overlay.Sessions;

namespace Polder.Benchmarks;

/// <summary>
/// A file sent by a code: by programs as people start them, Debian's magic-wormhole and ours by turns; and within one process, over TCP and over a stream
/// in a UDP session, from the code to the confirmation: read, encrypted, decrypted, checked, written and flushed. Both sides share the processors.
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
            var tcp = await MedianAsync(folder, file, "TCP", new MeetingOptions { Loopback = true }, new MeetingOptions { Loopback = true }, say, stop).ConfigureAwait(false);
            await using var alice = await TransferNode.StartAsync(11).ConfigureAwait(false);
            await using var bob = await TransferNode.StartAsync(12).ConfigureAwait(false);
            await bob.Loop.InvokeAsync(() => bob.Host.Sessions.OpenAsync(alice.Host.Identity.Public, new DirectPath(bob.Host, alice.Socket.LocalEndpoint))).ConfigureAwait(false);
            var words = new ConcurrentDictionary<string, LeftWord>();
            MeetingOptions Of(TransferNode node, NodeMeetingNetwork network) => new() { Loopback = true, Direct = false, Network = new Board(words, network, Convert.ToHexStringLower(node.Host.Identity.Public.Bytes)) };
            var udp = await MedianAsync(folder, file, "a UDP session", Of(alice, await NodeMeetingNetwork.OfAsync(alice.Host).ConfigureAwait(false)),
                Of(bob, await NodeMeetingNetwork.OfAsync(bob.Host).ConfigureAwait(false)), say, stop).ConfigureAwait(false);
            return
            [
                .. await ProgramsAsync(folder, file, say, stop).ConfigureAwait(false),
                new("parcel over TCP, both sides in one process", tcp.Rate, "MB/s", null, null),
                new("parcel over a UDP session, both sides in one process", udp.Rate, "MB/s", null, null, "at least 100 MB/s", udp.Rate >= 100),
                new("from send to the first byte, both sides in one process", tcp.First * 1000, "ms", null, null),
            ];
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    /// <summary>As people start them: Debian's magic-wormhole beside ours, by turns.</summary>
    private static async Task<IReadOnlyList<Figure>> ProgramsAsync(string folder, string file, Action<string> say, CancellationToken stop)
    {
        if (ProgramFigures.OurProgram() is not { } program)
        {
            say("This is not the program polder; say where it is with POLDER_PROGRAM.");
            return [];
        }
        if (SendingPrograms.Stock is null) say("Debian's magic-wormhole is not installed: ours stands alone (apt-get install magic-wormhole).");
        using var programs = new SendingPrograms(program, folder);
        await programs.ReadyAsync(stop).ConfigureAwait(false);
        var (stock, ours, native) = (new List<ProgramTransfer>(), new List<ProgramTransfer>(), new List<ProgramTransfer>());
        for (var round = 0; round < Rounds; round++)
        {
            if (SendingPrograms.Stock is not null) stock.Add(Tell("magic-wormhole on both sides", await programs.StockAsync(file, stop).ConfigureAwait(false)));
            ours.Add(Tell("polder on both sides, Magic Wormhole's wire", await programs.OursAsync(file, stop).ConfigureAwait(false)));
            native.Add(Tell("polder on both sides, our own way", await programs.NativeAsync(file, stop).ConfigureAwait(false)));
        }
        var (wire, own) = (Median(ours), Median(native));
        var figures = new List<Figure>();
        if (stock.Count > 0)
        {
            var debian = Median(stock);
            var (theirs, mine) = (debian.Sender + debian.Receiver, wire.Sender + wire.Receiver);
            figures.Add(new("receive command of Debian's magic-wormhole, 300 MB, both sides", debian.Rate, "MB/s", null, null));
            figures.Add(new("receive command on its wire, ours on both sides", wire.Rate, "MB/s", debian.Rate, wire.Rate / debian.Rate, "at least 1.20", wire.Rate >= 1.2 * debian.Rate));
            figures.Add(new("receive command in our own way over TCP", own.Rate, "MB/s", debian.Rate, own.Rate / debian.Rate, "at least 1.00", own.Rate >= debian.Rate));
            figures.Add(new("memory of both sides at the highest, its wire", mine.Resident, "MB", theirs.Resident, mine.Resident / theirs.Resident, "below 1.00", mine.Resident < theirs.Resident));
            figures.Add(new("the same without the code of runtime and libraries", mine.Own, "MB", theirs.Own, mine.Own / theirs.Own));
        }
        var largest = Math.Max(own.Sender.Resident, own.Receiver.Resident);
        figures.Add(new("memory of the larger side at the highest, our own way, all counted", largest, "MB", 100, largest / 100, "below 100 MB", largest < 100));
        figures.Add(new("from receive to the first byte, our own way", own.FirstSeconds * 1000, "ms", null, null));
        return figures;

        ProgramTransfer Tell(string what, ProgramTransfer one)
        {
            say(FormattableString.Invariant($"{what}: {one.Rate:0} MB/s, first byte after {one.FirstSeconds * 1000:0} ms, memory {one.Sender.Resident:0} and {one.Receiver.Resident:0} MB, of their own {one.Sender.Own:0} and {one.Receiver.Own:0} MB"));
            return one;
        }

        static ProgramTransfer Median(List<ProgramTransfer> rounds) => rounds.OrderBy(static one => one.Rate).ElementAt(rounds.Count / 2);
    }

    private static async Task<(double Rate, double First)> MedianAsync(string folder, string file, string way, MeetingOptions sender, MeetingOptions receiver, Action<string> say, CancellationToken stop)
    {
        var rounds = new List<(double Rate, double First)>();
        for (var round = 0; round < Rounds; round++)
        {
            var (from, to, target) = (new ParcelFolder(Path.Combine(folder, "a")), new ParcelFolder(Path.Combine(folder, "b")), Path.Combine(folder, "out"));
            var clock = Stopwatch.StartNew();
            var processor = Environment.CpuUsage.TotalTime;
            var send = NativeSend.Start(from, [file], null, sender, fresh: true);
            var sending = send.RunAsync(stop);
            var receive = new NativeReceive(to, send.Code, target, receiver, static (_, _) => Task.FromResult(new OfferAnswer(true)));
            var receiving = receive.RunAsync(stop);
            while (receive.Watch.MovedBytes == 0 && !receiving.IsCompleted) await Task.Delay(1, stop).ConfigureAwait(false);
            var first = clock.Elapsed.TotalSeconds;
            await receiving.ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            rounds.Add((receive.Watch.MovedBytes / receive.Watch.Took.TotalSeconds / 1e6, first));
            say($"{way}: {rounds[^1].Rate:0} MB/s, first byte after {first * 1000:0} ms, {(Environment.CpuUsage.TotalTime - processor).TotalSeconds:0.0} s of processors, {Environment.WorkingSet >> 20} MB of memory for both sides and the bench");
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
