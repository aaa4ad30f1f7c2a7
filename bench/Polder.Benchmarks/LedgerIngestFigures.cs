using System.Diagnostics;
using System.Globalization;
using Polder.Cryptography;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Node.Dumps;
using Polder.Node.Runtime;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Records of bandwidth of the published shape with real signatures: all rules, all accounts, as a share of what both cores verify;
/// a week of 250,000 blocks a day on one core with flat memory (whole with --full, else a fortieth); and a dump that was verified
/// before, from its file.
/// </summary>
internal static class LedgerIngestFigures
{
    private const ulong Seed = 7;
    private const long WeekBlocks = 1_750_000, WeekSmall = 43_750;
    /// <summary>Fewer peers with fewer blocks, so that chains are about as long as the published ones are.</summary>
    private const int PeersSmall = 600, RoundBlocks = 12_288, Rounds = 3, PartBlocks = 4_096;
    private const double ShareMin = 0.85, DumpMin = 100_000, GrowthMax = 64;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop) =>
        [await ValidatedAsync(say, stop).ConfigureAwait(false), .. await WeekAsync(say, stop).ConfigureAwait(false), await DumpAsync(say, stop).ConfigureAwait(false)];

    private static async Task<Figure> ValidatedAsync(Action<string> say, CancellationToken stop)
    {
        var load = new LedgerLoad(Seed, PeersSmall, isSigned: true);
        var raw = new RawSignatures(350);
        using var folder = new BenchFolder();
        using var store = SqliteBlockStore.Open(folder.File("validated.db"), load.KeyOf(0), TimeProvider.System.GetUtcNow());
        var shares = new List<Round>();
        await TakeInAsync(store, load.Next(PartBlocks), PartBlocks, workers: 2).ConfigureAwait(false);
        for (var round = 0; round < Rounds; round++)
        {
            stop.ThrowIfCancellationRequested();
            var packed = load.Next(RoundBlocks).Select(static block => block.Packed.ToArray()).ToList();
            var before = BothCores(raw);
            var (rate, cost) = await TakeInAsync(store, Unpacked(packed), packed.Count, workers: 2).ConfigureAwait(false);
            var limit = (before + BothCores(raw)) / 2;
            shares.Add(new(rate, limit));
            say(string.Create(CultureInfo.InvariantCulture, $"{rate:0} blocks a second through all rules; both cores verify {limit:0}; {cost:0.0} µs of a processor a block, {raw.VerifyMicroseconds(1000):0.0} a verification"));
        }
        var median = Benchmarks.Rounds.Median(shares);
        return new("ledger: bandwidth records with full validation, both cores", median.Path, "a second", median.Raw, median.Share, "at least 0.85 of what both cores verify", median.Share >= ShareMin);
    }

    /// <summary>What both cores verify at this moment, each on a thread of its own.</summary>
    private static double BothCores(RawSignatures raw)
    {
        var rates = new double[2];
        Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => rates[i] = raw.VerifiesPerSecond(TimeSpan.FromMilliseconds(200)));
        return rates[0] + rates[1];
    }

    private static async Task<IReadOnlyList<Figure>> WeekAsync(Action<string> say, CancellationToken stop)
    {
        var blocks = BenchScale.Of("WEEK", WeekSmall, WeekBlocks);
        var load = new LedgerLoad(Seed + 1, PeersSmall, blocksADay: blocks / 7.0, isSigned: true);
        using var folder = new BenchFolder();
        using var store = SqliteBlockStore.Open(folder.File("week.db"), load.KeyOf(0), TimeProvider.System.GetUtcNow());
        var (taken, memory) = (TimeSpan.Zero, new List<long>());
        for (var day = 0; day < 7; day++)
        {
            stop.ThrowIfCancellationRequested();
            for (var done = 0L; done < blocks / 7;)
            {
                var part = load.Next((int)Math.Min(50_000, (blocks / 7) - done)).Select(static block => block.Packed.ToArray()).ToList();
                done += part.Count;
                var began = Stopwatch.GetTimestamp();
                // Making them up and signing them is not the ledger's work. One worker, and the processor's time, not the wall's: one core.
                var cost = ProcessorTime.OfProcess();
                await TakeInAsync(store, Unpacked(part), part.Count, workers: 1).ConfigureAwait(false);
                taken += ProcessorTime.OfProcess() - cost;
            }
            GC.Collect();
            memory.Add(GC.GetTotalMemory(forceFullCollection: true) >> 20);
            say(string.Create(CultureInfo.InvariantCulture, $"day {day + 1}: {store.Count:N0} blocks, {taken.TotalSeconds:0} s of one core so far, {memory[^1]} MB of objects, {Environment.WorkingSet >> 20} MB in all"));
        }
        var growth = memory[^1] - memory[0];
        var week = taken.TotalMinutes * WeekBlocks / blocks;
        return
        [
            new("ledger: a week of 250,000 blocks a day, one core", week, "minutes", null, null, "at most 10", week <= 10),
            new("ledger: memory grown from the first day to the seventh", growth, "MB", null, null, "at most 64", growth <= GrowthMax),
        ];
    }

    private static async Task<Figure> DumpAsync(Action<string> say, CancellationToken stop)
    {
        const int blocks = 100_000;
        var load = new LedgerLoad(Seed + 2);
        using var folder = new BenchFolder();
        var path = folder.File("dump.csv");
        using (var stream = File.Create(path))
        using (var writer = new DumpWriter(stream, DumpFormat.Csv))
        {
            for (var done = 0; done < blocks; done += PartBlocks)
                foreach (var block in load.Next(Math.Min(PartBlocks, blocks - done))) writer.Write(block);
            writer.Finish();
        }
        using var store = SqliteBlockStore.Open(folder.File("dump.db"), load.KeyOf(0), TimeProvider.System.GetUtcNow(), bulk: true);
        using var dump = File.OpenRead(path);
        var (clock, cost) = (Stopwatch.StartNew(), ProcessorTime.OfProcess());
        var report = await LedgerImport.RunAsync(store, null, dump, new ImportOptions { IsVerified = true }, cancellation: stop).ConfigureAwait(false);
        var rate = blocks / clock.Elapsed.TotalSeconds;
        if (report.Kept != blocks) throw new InvalidOperationException($"Of {blocks} good blocks {report.Kept} were kept: {string.Join(' ', report.Problems)}");
        say(string.Create(CultureInfo.InvariantCulture, $"{rate:N0} blocks a second from a CSV dump; {(ProcessorTime.OfProcess() - cost).TotalMicroseconds / blocks:0.0} µs of a processor a block"));
        return new("ledger: verified dump (CSV) into the full index", rate, "a second", null, null, "at least 100,000", rate >= DumpMin);
    }

    private static IEnumerable<HalfBlock> Unpacked(List<byte[]> packed) =>
        packed.Select(static bytes => HalfBlock.TryUnpack(bytes, out var block) ? block : throw new InvalidOperationException("A block of ours is unreadable."));

    private static async Task<(double PerSecond, double Microseconds)> TakeInAsync(IBlockStore store, IEnumerable<HalfBlock> blocks, int count, int workers)
    {
        await using var loop = new ThreadLoop("bench ledger");
        var environment = new NodeEnvironment(
            loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(1), NoSocket.Instance, new ThreadPoolWorkers(loop, workers), Ed25519Signatures.Instance);
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        var (cost, began) = (ProcessorTime.OfProcess(), Stopwatch.GetTimestamp());
        string? problem = null;
        var result = await loop.InvokeAsync(() => new BlockIngest(environment, store, validator, null, null, (_, reason) => problem = reason).RunAsync(blocks)).ConfigureAwait(false);
        if (result.Kept != count) throw new InvalidOperationException($"Of {count} good blocks {result.Kept} were kept: {result}, {problem}.");
        var passed = Stopwatch.GetElapsedTime(began);
        return (count / passed.TotalSeconds, (ProcessorTime.OfProcess() - cost).TotalMicroseconds / count);
    }
}
