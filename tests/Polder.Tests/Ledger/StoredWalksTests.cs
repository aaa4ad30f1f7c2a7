using System.Text.Json;
using Polder.Identity;
using Polder.Ledger.Reputation;
using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class StoredWalksTests
{
    private const int Walks = 100_000;
    private static readonly JsonElement Incremental = LedgerVectors.Open("economy/reputation_incremental.json");

    [Theory]
    [InlineData(0)]
    [InlineData(2018)]
    public void After_every_record_scores_are_within_four_standard_errors(ulong seed)
    {
        var observer = ReputationTests.Named(Incremental.Text("observer"));
        var scores = new PersonalReputation(new WorkGraph("bytes"), observer, new ReputationOptions { Stop = 0.15, Walks = Walks, Seed = seed });
        _ = scores.Score(observer, ScoreKind.HittingTime);
        var step = 0u;
        foreach (var vector in Incremental.GetProperty("steps").EnumerateArray())
        {
            var record = vector.GetProperty("record");
            var (from, to) = (ReputationTests.Named(record[0].GetString()!), ReputationTests.Named(record[1].GetString()!));
            Assert.True(scores.Add(new WorkRecord(from, to, record[2].GetInt64(), to, ++step, step, step)));
            foreach (var row in vector.GetProperty("pht_a0.15").EnumerateObject())
                Within(row.Value.GetDouble(), scores.Score(ReputationTests.Named(row.Name), ScoreKind.HittingTime), $"step {step}, {row.Name}, seed {seed}");
        }
        Assert.True(scores.Walks.Redrawn > 0);
    }

    [Fact]
    public void All_scores_by_walks_come_near_the_exact_ones()
    {
        foreach (var vector in LedgerVectors.Open("economy/reputation.json").GetProperty("cases").EnumerateArray())
        {
            var vectors = new ReputationVectors(vector.GetProperty("records"), vector.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()!));
            var observer = vector.Text("observer");
            var scores = new PersonalReputation(new WorkGraph("bytes"), ReputationTests.Named(observer), new ReputationOptions { Stop = 0.15, Walks = Walks, Tau = 1 });
            var number = 0u;
            foreach (var (from, to, amount) in vectors.Records)
            {
                Assert.True(scores.Add(new WorkRecord(Named(from), Named(to), (long)amount, Named(to), ++number, number, 0)));
                // Kept up record by record, not drawn at the end.
                _ = scores.Score(Named(from), ScoreKind.MeritRank);
            }
            var exact = new ExactWalks(vectors.Graph, 0.15);
            var i = vectors[observer];
            var (reach, necks) = (exact.HittingTime(i), exact.Necks(i));
            var what = vector.Text("name");
            for (var j = 0; j < vectors.Names.Count; j++)
            {
                if (j == i) continue;
                Within(reach[j], scores.Score(Named(j), ScoreKind.HittingTime), $"{what}, {vectors.Names[j]}");
                Assert.Equal(exact.HittingTimeShare(i)[j], scores.Score(Named(j), ScoreKind.HittingTimeShare), 0.006);
                Assert.Equal(exact.PageRankVisits(i)[j], scores.Score(Named(j), ScoreKind.PageRankVisits), 0.006);
                Assert.Equal(exact.PageRankRestart(i)[j], scores.Score(Named(j), ScoreKind.PageRankRestart), 0.006);
                var hits = exact.MeritRankHits(i)[j];
                Assert.Equal(MeritRank.Reaches(necks[j], 1) ? hits / 2 : hits, scores.Score(Named(j), ScoreKind.MeritRank), 0.006);
                if (reach[j] > 0.02) Assert.Equal(necks[j].Share, scores.Explain(Named(j)).NeckShare, 0.03);
            }

            PublicKey Named(int peer) => ReputationTests.Named(vectors.Names[peer]);
        }
    }

    [Fact]
    public void Removing_a_peer_leaves_walks_as_if_it_had_never_been()
    {
        var vector = LedgerVectors.Open("economy/reputation.json").GetProperty("cases").EnumerateArray().First(one => one.Text("name") == "random40");
        var vectors = new ReputationVectors(vector.GetProperty("records"));
        var i = vectors[vector.Text("observer")];
        // A peer that few walks meet is taken out walk by walk; one that many meet makes all be drawn anew. Both are right.
        var reach = new ExactWalks(vectors.Graph, 0.4).HittingTime(i);
        var byReach = Enumerable.Range(0, reach.Length).Where(j => j != i && reach[j] > 0).OrderBy(j => reach[j]).ToList();
        foreach (var culprit in (int[])[byReach[^1], byReach.Last(j => reach[j] < 0.045)])
        {
            var scores = new PersonalReputation(new WorkGraph("bytes"), Named(i), new ReputationOptions { Walks = Walks });
            var number = 0u;
            foreach (var (from, to, amount) in vectors.Records) scores.Add(new WorkRecord(Named(from), Named(to), (long)amount, Named(to), ++number, number, 0));
            _ = scores.Score(Named(culprit), ScoreKind.HittingTime);
            scores.Remove(Named(culprit));
            var exact = new ExactWalks(vectors.Graph.Without(culprit), 0.4).HittingTime(i);
            for (var j = 0; j < exact.Length; j++)
                if (j != i) Within(exact[j], scores.Score(Named(j), ScoreKind.HittingTime), $"{vectors.Names[j]} without {vectors.Names[culprit]}");
        }

        PublicKey Named(int peer) => ReputationTests.Named(vectors.Names[peer]);
    }

    [Fact]
    public void The_share_of_walks_that_stop_at_a_hub_stays_what_it_is_while_edges_come()
    {
        // Published code drifts to 0.848 here after twenty edges (reputation_sybil.json, last block).
        var (me, hub) = (ReputationTests.Named("me"), ReputationTests.Named("hub"));
        var scores = new PersonalReputation(new WorkGraph("bytes"), me, new ReputationOptions { Stop = 0.15, Walks = Walks });
        scores.Add(new WorkRecord(hub, me, 1, me, 1, 1, 0));
        _ = scores.Score(hub, ScoreKind.HittingTime);
        for (var leaf = 0u; leaf < 20; leaf++) scores.Add(new WorkRecord(ReputationTests.Named($"leaf{leaf}"), hub, 1, hub, leaf + 1, 1, 0));
        var leaves = Enumerable.Range(0, 20).Sum(leaf => scores.Score(ReputationTests.Named($"leaf{leaf}"), ScoreKind.HittingTime));
        var atHub = scores.Score(hub, ScoreKind.HittingTime);
        Assert.Equal(0.85, leaves / atHub, 4 * Math.Sqrt(0.85 * 0.15 / (Walks * atHub)));
        // And a heavier edge is drawn as often as its weight says: 3 of 4.
        var (d, e, other) = (ReputationTests.Named("d"), ReputationTests.Named("e"), new PersonalReputation(new WorkGraph("bytes"), me, new ReputationOptions { Walks = Walks }));
        other.Add(new WorkRecord(d, me, 1, me, 1, 1, 0));
        other.Add(new WorkRecord(e, me, 1, me, 2, 1, 0));
        _ = other.Score(d, ScoreKind.HittingTime);
        other.Add(new WorkRecord(d, me, 2, me, 3, 2, 0));
        var (ofD, ofE) = (other.Score(d, ScoreKind.HittingTime), other.Score(e, ScoreKind.HittingTime));
        Assert.Equal(0.75, ofD / (ofD + ofE), 4 * Math.Sqrt(0.75 * 0.25 / (Walks * 0.6)));
    }

    [Fact]
    public void The_same_records_and_seed_give_the_same_scores()
    {
        var random = new Prng(9);
        var peers = Enumerable.Range(0, 30).Select(i => ReputationTests.Named($"p{i}")).ToArray();
        var records = Enumerable.Range(1, 300).Select(n => (A: random.Next(30), B: random.Next(30), n)).Where(row => row.A != row.B)
            .Select(row => new WorkRecord(peers[row.A], peers[row.B], 1 + row.n % 17, peers[row.B], (uint)row.n, (uint)row.n, 0)).ToList();
        var rankings = new List<IReadOnlyList<(PublicKey, double)>>();
        foreach (var seed in (ulong[])[4, 4, 5])
        {
            var scores = new PersonalReputation(new WorkGraph("bytes"), peers[0], new ReputationOptions { Seed = seed, Walks = 2000 });
            foreach (var record in records)
            {
                scores.Add(record);
                _ = scores.Score(peers[1], ScoreKind.MeritRank);
            }
            rankings.Add(scores.Top(30, ScoreKind.MeritRank));
        }
        Assert.Equal(rankings[0], rankings[1]);
        Assert.NotEqual(rankings[0], rankings[2]);
    }

    [Fact]
    public void Epochs_fade()
    {
        var (me, a) = (ReputationTests.Named("me"), ReputationTests.Named("a"));
        var scores = new PersonalReputation(new WorkGraph("bytes"), me, new ReputationOptions { Gamma = 0.5, Walks = 1000 });
        scores.Add(new WorkRecord(a, me, 1, me, 1, 1, 0));
        var now = scores.Score(a, ScoreKind.MeritRank);
        scores.EndEpoch();
        Assert.Equal(1.5 * now, scores.Score(a, ScoreKind.MeritRank), 1e-9);
        scores.EndEpoch();
        Assert.Equal(1.75 * now, scores.Score(a, ScoreKind.MeritRank), 1e-9);
    }

    private static void Within(double expected, double value, string what) =>
        Assert.True(Math.Abs(expected - value) <= 4 * Math.Sqrt(expected * (1 - expected) / Walks) + 1e-12, $"{what}: {value} instead of {expected}");
}
