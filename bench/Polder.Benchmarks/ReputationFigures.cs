using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;

namespace Polder.Benchmarks;

/// <summary>
/// Trust at the published scale, on made-up records (seed printed): making the graph, its memory, everybody's standing by each of
/// the two recommended ways, and keeping it fresh record by record. A million records in every run, 139 million with --full, or
/// as many as POLDER_BENCH_GRAPH says.
/// </summary>
internal static class ReputationFigures
{
    private const ulong Seed = 2020;
    private const long RecordsSmall = 1_000_000, RecordsPublished = 139_000_000;
    private const int PieceRecords = 1 << 21, Walks = 10_000, RecordsOneByOne = 3_000;

    /// <summary>The observer: not the busiest, yet with some ten thousand partners at full scale.</summary>
    private const int Observer = 1_000;

    private static readonly WorkSplit Cores = new(Environment.ProcessorCount, static (parts, part) => Parallel.For(0, parts, part));

    public static Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var records = BenchScale.Of("GRAPH", RecordsSmall, RecordsPublished);
        say(string.Create(CultureInfo.InvariantCulture, $"{records:N0} records of {ZipfRecords.Peers:N0} peers, Zipf, seed {Seed}"));
        var source = new ZipfRecords(Seed);
        var graph = new WorkGraph("bytes");
        var figures = new List<Figure>();
        figures.AddRange(Load(graph, source, records, say, stop));

        var observer = ZipfRecords.KeyOf(Observer);
        // The first run compiles; the best of three is the path's own.
        var pageRank = Best("PageRank", records > RecordsSmall ? 1 : 3, say, () => _ = PageRank.Restart(graph, observer, 0.15, Cores, 1e-9));
        figures.Add(AtMost("trust: PageRank of everybody, to 1e-9", pageRank, 5, "s"));
        var netFlow = Best("two-hop NetFlow", 3, say, () => _ = new TwoHopNetFlow(graph, observer, 2, Cores).Scores());
        figures.Add(AtMost("trust: two-hop NetFlow of everybody", netFlow, 1.5, "s"));
        var walks = Best("walks", 5, say, () => _ = new StoredWalks(graph, observer, 0.15, Walks, 0, Cores));
        figures.Add(AtMost("trust: 10,000 walks, a = 0.15", walks * 1000, 50, "ms"));
        stop.ThrowIfCancellationRequested();
        figures.AddRange(OneByOne(graph, source, say));
        return Task.FromResult<IReadOnlyList<Figure>>(figures);
    }

    private static List<Figure> Load(WorkGraph graph, ZipfRecords source, long records, Action<string> say, CancellationToken stop)
    {
        // As a store gives them at the start of a node: each once, by its own numbers.
        var piece = new AgreedWork[(int)Math.Min(records, PieceRecords)];
        var numbers = new int[ZipfRecords.Peers];
        var before = Resident();
        var (clock, cost) = (new Stopwatch(), TimeSpan.Zero);
        var busiest = 0L;
        using (var loader = graph.Load(Cores))
        {
            for (var i = 0; i < ZipfRecords.Peers; i++) numbers[i] = loader.Number(ZipfRecords.KeyOf(i));
            for (var done = 0L; done < records; done += piece.Length)
            {
                stop.ThrowIfCancellationRequested();
                // Making up records is not the graph's work: its time is not counted.
                var part = piece.AsSpan(0, (int)Math.Min(piece.Length, records - done));
                source.Fill(part);
                var began = ProcessorTime.OfProcess();
                clock.Start();
                loader.Add(part, numbers);
                clock.Stop();
                cost += ProcessorTime.OfProcess() - began;
                busiest = Math.Max(busiest, Resident() - before);
            }
            var last = ProcessorTime.OfProcess();
            clock.Start();
            loader.Finish();
            clock.Stop();
            cost += ProcessorTime.OfProcess() - last;
            busiest = Math.Max(busiest, Resident() - before);
        }
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var (after, gigabyte) = ((double)(Resident() - before), (double)(1L << 30));
        say(string.Create(CultureInfo.InvariantCulture,
            $"{graph.RecordCount:N0} records between {graph.PairCount:N0} pairs in {clock.Elapsed.TotalSeconds:0.00} s ({cost.TotalSeconds:0.00} s of the processors); {after / graph.PairCount:0} bytes a pair"));
        return
        [
            AtMost("trust: graph made of all records", clock.Elapsed.TotalSeconds, 15, "s"),
            AtMost("trust: memory of the graph", after / gigabyte, 4, "GB"),
            AtMost("trust: memory while it is made", busiest / gigabyte, 4, "GB"),
        ];
    }

    /// <summary>Each record is taken in, and the scores of its contributor read by both recommended kinds.</summary>
    private static List<Figure> OneByOne(WorkGraph graph, ZipfRecords source, Action<string> say)
    {
        var reputation = new PersonalReputation(graph, ZipfRecords.KeyOf(Observer), null, Cores);
        _ = (reputation.Score(ZipfRecords.KeyOf(1), ScoreKind.NetFlow2), reputation.Score(ZipfRecords.KeyOf(1), ScoreKind.MeritRank));
        var keys = Enumerable.Range(0, ZipfRecords.Peers).Select(ZipfRecords.KeyOf).ToArray();
        var figures = new List<Figure>();
        foreach (var (name, next) in ((string, Func<NumberedRecord>)[])
        [
            ("one new record to updated scores", source.Next),
            ("the same, for records of the observer itself", () =>
            {
                var other = source.Next().Contributor;
                if (other == Observer) other++;
                return other % 2 == 0 ? source.Between(Observer, other) : source.Between(other, Observer);
            }),
        ])
        {
            var (times, costs) = (new List<double>(), new List<double>());
            for (var i = 0; i < RecordsOneByOne + 200; i++)
            {
                var record = next();
                var (contributor, consumer) = (keys[record.Contributor], keys[record.Consumer]);
                var work = new WorkRecord(contributor, consumer, record.Amount, consumer, record.ProposalSequence, 1, 0);
                var (cost, began) = (ProcessorTime.OfThread(), Stopwatch.GetTimestamp());
                if (!reputation.Add(work)) throw new InvalidOperationException("A new record was not taken.");
                _ = (reputation.Score(contributor, ScoreKind.NetFlow2), reputation.Score(contributor, ScoreKind.MeritRank));
                if (i < 200) continue;
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                costs.Add((ProcessorTime.OfThread() - cost).TotalMilliseconds);
            }
            times.Sort();
            costs.Sort();
            say(string.Create(CultureInfo.InvariantCulture, $"{name}: median {times[times.Count / 2]:0.000} ms, 99 of 100 {times[times.Count * 99 / 100]:0.000} ms, most {times[^1]:0.0} ms; of the processor {costs[costs.Count / 2]:0.000}, {costs[costs.Count * 99 / 100]:0.000} and {costs[^1]:0.0} ms"));
            figures.Add(AtMost($"trust: {name}, median", times[times.Count / 2], 1, "ms"));
            // By the clock one in a hundred is the scheduler's doing whenever anything else runs.
            figures.Add(AtMost($"trust: {name}, 99 of 100, of the processor", costs[costs.Count * 99 / 100], 1, "ms"));
        }
        return figures;
    }

    private static double Best(string name, int runs, Action<string> say, Action work)
    {
        var (best, least) = (double.MaxValue, double.MaxValue);
        for (var run = 0; run < runs; run++)
        {
            var (cost, began) = (ProcessorTime.OfProcess(), Stopwatch.GetTimestamp());
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
            least = Math.Min(least, (ProcessorTime.OfProcess() - cost).TotalSeconds);
        }
        say(string.Create(CultureInfo.InvariantCulture, $"{name}: {best:0.000} s, and {least:0.000} s of the processors"));
        return best;
    }

    private static Figure AtMost(string name, double value, double limit, string unit) =>
        new(name, value, unit, limit, value / limit, string.Create(CultureInfo.InvariantCulture, $"at most {limit:0.#} {unit}"), value <= limit);

    /// <summary>What the process holds of the machine's memory, whoever allocated it.</summary>
    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
