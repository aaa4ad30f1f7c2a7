using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class WorkGraphLoaderTests
{
    private static readonly WorkSplit ThreeThreads = new(3, static (parts, part) => Parallel.For(0, parts, part));

    [Theory]
    [InlineData(1 << 25, true)]
    [InlineData(700, true)]
    [InlineData(700, false)]
    public void Records_in_bulk_make_the_same_graph_as_one_by_one(int batch, bool threads)
    {
        var random = new Prng(77);
        var peers = Enumerable.Range(0, 150).Select(i => ReputationTests.Named($"p{i}")).ToArray();
        var (plain, bulk) = (new WorkGraph("bytes"), new WorkGraph("bytes"));
        // Some are there before, one is a cheater, and some come twice.
        var records = new List<WorkRecord>();
        for (var n = 1u; n <= 6000; n++)
        {
            var (a, b) = (random.Next(150), random.Next(n % 3 == 0 ? 150 : 12));
            records.Add(new WorkRecord(peers[a], peers[b], n % 500 == 0 ? WorkGraph.RecordMax + 1 : 1 + random.Next(10_000), n % 2 == 0 ? peers[a] : peers[b], n, n, 0));
            if (n % 40 == 0) records.Add(records[random.Next(records.Count)]);
        }
        foreach (var graph in (WorkGraph[])[plain, bulk])
        {
            foreach (var peer in peers) graph.Number(peer);
            foreach (var record in records.Take(100)) graph.Add(record);
            graph.Remove(peers[3]);
        }
        foreach (var record in records) plain.Add(record);
        using (var loader = new WorkGraphLoader(bulk, threads ? ThreeThreads : WorkSplit.None, batch))
        {
            foreach (var piece in records.Chunk(1000))
            {
                loader.Add(piece.Select(record => new NumberedRecord(
                    loader.Number(record.Contributor), loader.Number(record.Consumer), record.Amount, record.ProposalSequence, record.Proposer == record.Consumer)).ToArray());
            }
            loader.Finish();
        }
        Assert.Equal((plain.RecordCount, plain.PairCount), (bulk.RecordCount, bulk.PairCount));
        for (var j = 0; j < plain.Count; j++)
        {
            Assert.Equal(plain.SumsOf(j), bulk.SumsOf(j));
            Assert.Equal(plain.WorkOf(j).Contributors, bulk.WorkOf(j).Contributors);
            Assert.Equal(plain.WorkOf(j).Until, bulk.WorkOf(j).Until);
            Assert.Equal(plain.WorkOf(j).RecordCounts, bulk.WorkOf(j).RecordCounts);
            Assert.Equal(plain.WorkOf(j).Consumers, bulk.WorkOf(j).Consumers);
            Assert.Equal(plain.WorkOf(j).Given, bulk.WorkOf(j).Given);
        }
        // What came in bulk is known one by one, and goes on one by one.
        Assert.False(bulk.Add(records[4000]));
        Assert.True(bulk.Add(new WorkRecord(peers[1], peers[2], 7, peers[1], 9000, 1, 0)));

        // The same scores whatever the threads, also where each peer adds up its own.
        var scores = new[] { WorkSplit.None, ThreeThreads }.Select(split => new PersonalReputation(bulk, peers[1], split: split).Top(200, ScoreKind.NetFlow2)).ToList();
        Assert.Equal(scores[0], scores[1]);
        Assert.Equal(PageRank.Restart(bulk, peers[1], 0.15), PageRank.Restart(bulk, peers[1], 0.15, ThreeThreads));
    }

    [Fact]
    public void What_a_store_gives_in_bulk_is_taken_by_all_threads_alike()
    {
        var random = new Prng(12);
        var peers = Enumerable.Range(0, 90).Select(i => ReputationTests.Named($"p{i}")).ToArray();
        // The store numbers from 1 and has forgotten some; whoever is unknown is left out, and a cheater too.
        var work = new AgreedWork[70_000];
        for (var n = 0; n < work.Length; n++) work[n] = new AgreedWork(1 + random.Next(95), 1 + random.Next(90), 1 + random.Next(1000));
        var graphs = new List<WorkGraph>();
        foreach (var (split, batch) in ((WorkSplit, int)[])[(WorkSplit.None, 1 << 25), (ThreeThreads, 20_000)])
        {
            var graph = new WorkGraph("bytes");
            graph.Remove(peers[7]);
            using var loader = new WorkGraphLoader(graph, split, batch);
            var numbers = new int[96];
            Array.Fill(numbers, -1);
            for (var i = 0; i < 90; i++) numbers[i + 1] = loader.Number(peers[i]);
            for (var piece = 0; piece < work.Length; piece += 35_000) loader.Add(work.AsSpan(piece, 35_000), numbers);
            loader.Finish();
            graphs.Add(graph);
        }
        var expected = new WorkGraph("bytes");
        expected.Remove(peers[7]);
        for (var n = 0; n < work.Length; n++)
            if (work[n].Contributor <= 90) expected.Add(new WorkRecord(peers[work[n].Contributor - 1], peers[work[n].Consumer - 1], work[n].Amount, peers[work[n].Consumer - 1], (uint)n + 1, 1, 0));
        foreach (var graph in graphs)
        {
            Assert.Equal((expected.RecordCount, expected.PairCount), (graph.RecordCount, graph.PairCount));
            foreach (var peer in peers)
            {
                Assert.Equal(expected.SumsOf(peer), graph.SumsOf(peer));
                foreach (var other in peers) Assert.Equal(expected.Work(peer, other), graph.Work(peer, other));
            }
        }
    }

    [Fact]
    public void Amounts_without_end_stay_within_bounds()
    {
        var graph = new WorkGraph("bytes");
        var (a, b) = (ReputationTests.Named("a"), ReputationTests.Named("b"));
        using (var loader = graph.Load())
        {
            var (x, y) = (loader.Number(a), loader.Number(b));
            loader.Add([new(x, y, long.MaxValue, 1, true), new(x, y, -5, 2, true), new(x, y, WorkGraph.RecordMax, uint.MaxValue, true), new(x, y, 1, 0, false)]);
            Assert.Throws<ArgumentOutOfRangeException>(() => loader.Add([new(7, y, 1, 1, true)]));
            loader.Finish();
        }
        Assert.Equal(WorkGraph.RecordMax + 1, graph.Work(a, b));
        var full = new PeerWork();
        for (var i = 0; i < 10; i++) full.AddFrom(i, PeerWork.SumMax / 4);
        Assert.Equal(PeerWork.SumMax, full.Got);
        Assert.InRange(full.Step(ulong.MaxValue), 0, 3);
        Assert.Equal(0, full.Step(0));
    }

    [Fact]
    public void A_set_of_places_takes_each_once_however_far_apart()
    {
        var (set, mirror, random) = (new NumberSet(), new HashSet<ulong>(), new Prng(2));
        for (var i = 0; i < 20_000; i++)
        {
            var number = (i % 5) switch { 0 => random.NextUInt64() >> 31, 1 => (ulong)random.Next(1 << 20), _ => (ulong)i };
            Assert.Equal(mirror.Contains(number), set.Contains(number));
            Assert.Equal(mirror.Add(number), set.Add(number));
        }
    }
}
