using System.Diagnostics;
using System.Globalization;
using Polder.Ledger.Blocks;
using Polder.Node.Operations;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// The store at the published scale, on generated data (seed printed): loading a dump that was verified before into the full
/// index, opening the store again, and asking it. 300,000 blocks in every run, 139 million with --full, or as many as
/// POLDER_BENCH_LEDGER says.
/// </summary>
internal static class LedgerFigures
{
    private const ulong Seed = 2020;
    private const long BlocksSmall = 300_000;
    private const double IngestMin = 100_000, QueryMillisecondsMax = 5, OpenMillisecondsMax = 1000;
    private const int PartBlocks = 4_096, Questions = 2_000, PageBlocks = 15, Pages = 60;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var blocks = BenchScale.Of("LEDGER", BlocksSmall, LedgerLoad.BlocksPublished);
        using var folder = new BenchFolder();
        var path = folder.File("polder.db");
        say(string.Create(CultureInfo.InvariantCulture, $"{blocks:N0} blocks of {LedgerLoad.PeersPublished:N0} peers from seed {Seed}"));
        var load = new LedgerLoad(Seed);
        var owner = load.KeyOf(0).ToArray();
        var figures = new List<Figure>();
        figures.AddRange(await LedgerIngestFigures.RunAsync(say, stop).ConfigureAwait(false));
        figures.Add(await IngestAsync(path, owner, load, blocks, say, stop).ConfigureAwait(false));
        var clock = Stopwatch.StartNew();
        using var store = SqliteBlockStore.Open(path, owner, TimeProvider.System.GetUtcNow());
        var first = store.Latest(load.KeyOf(1)) ?? throw new InvalidOperationException("Nothing was stored.");
        var opened = clock.Elapsed.TotalMilliseconds;
        figures.Add(new("ledger: cold start to the first answer", opened, "ms", null, null, "at most 1,000", opened <= OpenMillisecondsMax));
        figures.Add(new("ledger: bytes of disk a block", store.DiskBytes / (double)store.Count, "bytes", null, null));
        figures.AddRange(Ask(store, load, first, say, stop));
        figures.AddRange(LoadWork(store, say));
        store.Dispose();
        figures.AddRange(await ExploreAsync(folder, load, say, stop).ConfigureAwait(false));
        return figures;
    }

    private static async Task<Figure> IngestAsync(string path, byte[] owner, LedgerLoad load, long blocks, Action<string> say, CancellationToken stop)
    {
        using var store = SqliteBlockStore.Open(path, owner, TimeProvider.System.GetUtcNow(), bulk: true);
        // What is loaded was read and unpacked before: making up blocks is not the store's work, and its time is taken out.
        var (making, placing, clock, cost) = (TimeSpan.Zero, TimeSpan.Zero, Stopwatch.StartNew(), ProcessorTime.OfProcess());
        var told = TimeSpan.Zero;
        var makingCost = TimeSpan.Zero;
        for (var done = 0L; done < blocks;)
        {
            stop.ThrowIfCancellationRequested();
            var began = clock.Elapsed;
            var spent = ProcessorTime.OfThread();
            var part = load.Next((int)Math.Min(PartBlocks, blocks - done));
            makingCost += ProcessorTime.OfThread() - spent;
            making += clock.Elapsed - began;
            spent = ProcessorTime.OfThread();
            store.AddRange(part);
            placing += ProcessorTime.OfThread() - spent;
            done += part.Length;
            if (clock.Elapsed - told < TimeSpan.FromSeconds(10)) continue;
            told = clock.Elapsed;
            say(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {blocks:N0} blocks, {done / told.TotalSeconds:N0} a second, {store.DiskBytes / 1e9:0.0} GB, {Environment.WorkingSet >> 20} MB of memory"));
        }
        await store.FlushAsync().ConfigureAwait(false);
        var passed = clock.Elapsed;
        var ofStore = (ProcessorTime.OfProcess() - cost - makingCost).TotalMicroseconds / blocks;
        say(string.Create(CultureInfo.InvariantCulture,
            $"{blocks / passed.TotalSeconds:N0} a second with making them up ({making.TotalSeconds:0.0} of {passed.TotalSeconds:0.0} s); {ofStore:0.0} µs of a processor a block, of which {placing.TotalMicroseconds / blocks:0.0} before the writing thread; making them up took {makingCost.TotalMicroseconds / blocks:0.0}; {Environment.WorkingSet >> 20} MB of memory"));
        // One core makes and numbers blocks while the other writes: the slower of the two is the rate.
        var rate = blocks / passed.TotalSeconds;
        return new("ledger: verified blocks into the full index", rate, "a second", null, null, "at least 100,000", rate >= IngestMin);
    }

    private static IEnumerable<Figure> Ask(SqliteBlockStore store, LedgerLoad load, HalfBlock first, Action<string> say, CancellationToken stop)
    {
        var random = new Prng(Seed + 1);
        (string Name, Action Ask)[] questions =
        [
            ("balance of a peer", () => _ = store.SumsOf(load.KeyOf(load.Draw(random)), "bytes")),
            ("a page of a chain", () =>
            {
                var peer = random.Chance(0.5) ? load.Draw(random) : random.Next(LedgerLoad.PeersPublished);
                var from = load.LengthOf(peer) is > PageBlocks and var length ? (uint)random.Next((int)length - PageBlocks) + 1 : 1;
                _ = store.Range(load.KeyOf(peer), from, from + PageBlocks, PageBlocks);
            }),
            ("a crawl answer", () =>
            {
                var peer = random.Next(LedgerLoad.PeersPublished);
                var length = Math.Max(1, load.LengthOf(peer));
                var from = (uint)random.Next((int)length) + 1;
                _ = store.Range(load.KeyOf(peer), from, from + 9, 10);
                _ = store.LinkingTo(load.KeyOf(peer), from, from + 9, 10);
            }),
            ("a block by the beginning of its hash", () => _ = store.FindByHash(first.Hash.ToArray().AsSpan(0, 6), 10)),
        ];
        foreach (var (name, ask) in questions)
        {
            var times = new List<double>(Questions);
            for (var i = 0; i < (name.Contains("hash", StringComparison.Ordinal) ? Questions / 10 : Questions); i++)
            {
                stop.ThrowIfCancellationRequested();
                var began = Stopwatch.GetTimestamp();
                ask();
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
            times.Sort();
            var p99 = times[times.Count * 99 / 100];
            say(string.Create(CultureInfo.InvariantCulture, $"{name}: median {times[times.Count / 2]:0.000} ms, 99 of 100 in {p99:0.00} ms"));
            var limit = name.Contains("hash", StringComparison.Ordinal) ? 200 : QueryMillisecondsMax;
            yield return new($"ledger: {name}, 99 of 100 within", p99, "ms", null, null, $"at most {limit:0}", p99 <= limit);
        }
    }

    /// <summary>What the page of a chain asks: 120 stones judged anew, signatures included, and the other halves of the 15 that are listed; and a search.</summary>
    private static async Task<IReadOnlyList<Figure>> ExploreAsync(BenchFolder folder, LedgerLoad load, Action<string> say, CancellationToken stop)
    {
        // A folder is a node's when there is a key; whose it is, the database says.
        await File.WriteAllTextAsync(folder.File("identity.key"), "", stop).ConfigureAwait(false);
        using var node = RestingNode.Open(folder.Path);
        var random = new Prng(Seed + 2);
        var (pages, searches) = (new List<double>(), new List<double>());
        for (var i = 0; i < Pages; i++)
        {
            stop.ThrowIfCancellationRequested();
            var peer = load.Draw(random);
            var began = Stopwatch.GetTimestamp();
            var top = random.Next(1, (int)Math.Max(1, load.LengthOf(peer)));
            var chain = await node.ChainAsync(Convert.ToHexStringLower(load.KeyOf(peer)), Math.Max(1, top - 119), Math.Min(120, top), stop).ConfigureAwait(false);
            foreach (var block in chain.Blocks.TakeLast(PageBlocks))
                if (block.Paired && block.LinkSequence > 0) _ = await node.BlockAsync(string.Create(CultureInfo.InvariantCulture, $"{block.LinkKey}.{block.LinkSequence}"), stop).ConfigureAwait(false);
            pages.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            began = Stopwatch.GetTimestamp();
            _ = await node.Ledger.SearchAsync(chain.Owner.Name[..5], stop).ConfigureAwait(false);
            searches.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        say(string.Create(CultureInfo.InvariantCulture, $"explorer: the first page, which reads everybody's names, took {pages[0]:0} ms"));
        var first = pages[0];
        pages.Sort();
        searches.Sort();
        return
        [
            new("ledger: a page of the explorer, 95 of 100 within", pages[pages.Count * 95 / 100], "ms", null, null, "at most 100", pages[pages.Count * 95 / 100] <= 100),
            new("ledger: its first page", first, "ms", null, null, "at most 1,000", first <= 1000),
            new("ledger: a search by the beginning of a name, 95 of 100 within", searches[searches.Count * 95 / 100], "ms", null, null, "at most 100", searches[searches.Count * 95 / 100] <= 100),
        ];
    }

    private static IEnumerable<Figure> LoadWork(SqliteBlockStore store, Action<string> say)
    {
        var clock = Stopwatch.StartNew();
        var (records, amount) = (0L, 0L);
        store.ReadWork("bytes", some =>
        {
            records += some.Length;
            foreach (var record in some) amount += record.Amount;
        });
        var keys = store.WorkKeys().Count();
        var rate = records / clock.Elapsed.TotalSeconds;
        say(string.Create(CultureInfo.InvariantCulture, $"{records:N0} agreed records and {keys:N0} keys read in {clock.Elapsed.TotalSeconds:0.00} s"));
        yield return new("ledger: agreed records read for the graph", rate, "a second", null, null, "at least 10,000,000", rate >= 10_000_000);
    }
}
