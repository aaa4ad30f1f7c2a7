using System.Text;
using System.Text.Json;
using Polder.Identity;
using Polder.Ledger.Reputation;
using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class ReputationTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("economy/reputation.json");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Two_hop_NetFlow_is_exact(double alpha)
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var graph = Graph(vector);
            var scores = new PersonalReputation(graph, Named(vector.Text("observer")), new ReputationOptions { Alpha = alpha });
            var expected = vector.GetProperty("expected").GetProperty($"netflow2_alpha{alpha}");
            foreach (var row in expected.GetProperty("score").EnumerateObject())
            {
                var score = scores.Explain(Named(row.Name)).Score;
                Assert.Equal(row.Value.GetDouble(), score.Value, 1e-9);
                Assert.Equal(row.Value.GetDouble(), scores.Score(Named(row.Name), ScoreKind.NetFlow2), 1e-9);
                Assert.Equal(expected.GetProperty("cap").GetProperty(row.Name).GetDouble(), score.Cap, 1e-9);
            }
        }
    }

    [Fact]
    public void Sums_are_those_of_the_records()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var graph = Graph(vector);
            foreach (var row in vector.GetProperty("expected").GetProperty("net_contribution").EnumerateObject())
            {
                var sums = graph.SumsOf(Named(row.Name));
                Assert.Equal(row.Value.GetDouble(), sums.Gave - sums.Got, 1e-9);
            }
        }
    }

    [Fact]
    public void Every_kind_of_flow_score_is_exact_in_the_live_graph_too()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var scores = new PersonalReputation(Graph(vector), Named(vector.Text("observer")));
            var expected = vector.GetProperty("expected");
            foreach (var row in expected.GetProperty("bartercast_2hop").EnumerateObject())
                Assert.Equal(row.Value.GetProperty("score").GetDouble(), scores.Score(Named(row.Name), ScoreKind.BarterCast2), 1e-9);
            foreach (var row in expected.GetProperty("netflow_alpha2").GetProperty("score").EnumerateObject())
                Assert.Equal(row.Value.GetDouble(), scores.Score(Named(row.Name), ScoreKind.NetFlow), 1e-9);
            foreach (var a in (double[])[0.1, 0.15, 0.4])
            {
                var shares = PageRank.Restart(scores.Graph, scores.Observer, a, tolerance: 1e-15).ToDictionary(row => row.Peer, row => row.Score, PublicKey.Comparer);
                foreach (var row in expected.GetProperty(FormattableString.Invariant($"ppr_restart_a{a}")).EnumerateObject())
                    Assert.Equal(row.Value.GetDouble(), shares.GetValueOrDefault(Named(row.Name)), 1e-11);
            }
        }
    }

    [Fact]
    public void A_score_is_explained_by_its_parts()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var scores = new PersonalReputation(Graph(vector), Named(vector.Text("observer")));
            foreach (var (peer, score) in scores.Top(int.MaxValue, ScoreKind.NetFlow2))
            {
                var why = scores.Explain(peer);
                Assert.Equal(score, Math.Min(why.Score.Cap, why.Score.Direct + why.Paths.Sum(path => path.Flow)), 1e-9);
                Assert.Equal(why.Score.Cap, Math.Max(0, why.Score.Gave - why.Score.Took), 1e-9);
                Assert.Equal(why.PathCount, why.Paths.Count);
                Assert.All(why.Paths, path => Assert.True(path.FirstRecords > 0 && path.SecondRecords > 0));
            }
        }
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void Scores_follow_each_record_exactly_in_any_order(double alpha, bool unconfirmedToo)
    {
        // Fewer peers than records many times over, so that every way in which a record can matter comes up, the observer's own too.
        var random = new Prng(31);
        var peers = Enumerable.Range(0, 12).Select(i => Named($"p{i}")).ToArray();
        var (graph, options) = (new WorkGraph("bytes"), new ReputationOptions { Alpha = alpha });
        var live = new PersonalReputation(graph, peers[0], options);
        var records = new List<WorkRecord>();
        for (var turn = 0u; turn < 400; turn++)
        {
            var (a, b) = (random.Next(peers.Length), random.Next(peers.Length));
            if (unconfirmedToo && turn % 3 == 0) live.AddUnconfirmed(peers[a], peers[b], turn % 2 == 0 ? 1 + random.Next(50) : -1 - random.Next(50));
            var record = new WorkRecord(peers[a], peers[b], 1 + random.Next(turn % 7 == 0 ? 1000 : 30), peers[b], turn + 1, turn + 1, turn);
            Assert.Equal(a != b, live.Add(record));
            Assert.False(live.Add(record));
            if (a != b) records.Add(record);
            var fresh = new PersonalReputation(graph, peers[0], options);
            foreach (var peer in peers)
            {
                Assert.Equal(fresh.Score(peer, ScoreKind.NetFlow2), live.Score(peer, ScoreKind.NetFlow2), 1e-6);
                Assert.Equal(fresh.Score(peer, ScoreKind.BarterCast2), live.Score(peer, ScoreKind.BarterCast2), 1e-6);
            }
            if (turn % 20 == 0)
            {
                var whole = live.Top(100, ScoreKind.NetFlow2);
                Assert.All(whole, row => Assert.Equal(live.Score(row.Peer, ScoreKind.NetFlow2), row.Score, 1e-6));
                if (!unconfirmedToo) AssertExact(records, peers, live, alpha);
            }
        }
        var shuffled = records.ToArray();
        new Prng(5).Shuffle(shuffled.AsSpan());
        var other = new WorkGraph("bytes");
        foreach (var record in shuffled) Assert.True(other.Add(record));
        foreach (var peer in peers) Assert.Equal(graph.SumsOf(peer) with { Unconfirmed = 0 }, other.SumsOf(peer));
    }

    private static void AssertExact(List<WorkRecord> records, PublicKey[] peers, PersonalReputation live, double alpha)
    {
        var exact = FlowScores.NetFlow2(DenseGraph.Of(peers.Length, records.Select(record =>
            new WorkEdge(Array.IndexOf(peers, record.Contributor), Array.IndexOf(peers, record.Consumer), record.Amount))), 0, alpha);
        for (var j = 1; j < peers.Length; j++) Assert.Equal(exact.Scores[j], live.Score(peers[j], ScoreKind.NetFlow2), 1e-6);
    }

    [Fact]
    public void What_nobody_confirmed_counts_only_against_its_signer()
    {
        var graph = new WorkGraph("bytes");
        var (me, a, b) = (Named("me"), Named("a"), Named("b"));
        var scores = new PersonalReputation(graph, me, new ReputationOptions { Alpha = 1 });
        scores.Add(new WorkRecord(a, me, 100, me, 1, 1, 0));
        scores.Add(new WorkRecord(b, me, 100, me, 2, 1, 0));
        Assert.Equal(100, scores.Score(a, ScoreKind.NetFlow2));
        scores.AddUnconfirmed(a, me, 30);
        Assert.Equal(70, scores.Score(a, ScoreKind.NetFlow2));
        Assert.Equal(70, new PersonalReputation(graph, me, scores.Options).Score(a, ScoreKind.NetFlow2));
        scores.AddUnconfirmed(b, Named("c"), 500);
        Assert.Equal(100, scores.Score(b, ScoreKind.NetFlow2));
        Assert.Equal(0, scores.Score(Named("c"), ScoreKind.NetFlow2));
        scores.AddUnconfirmed(a, me, -30);
        Assert.Equal(100, scores.Score(a, ScoreKind.NetFlow2));
    }

    [Fact]
    public void A_cheater_is_taken_out_with_all_its_records()
    {
        var vector = Vectors.GetProperty("cases").EnumerateArray().First(one => one.Text("name") == "random24");
        var observer = Named(vector.Text("observer"));
        var culprit = Named("n05");
        var graph = Graph(vector);
        var scores = new PersonalReputation(graph, observer);
        _ = (scores.Score(culprit, ScoreKind.MeritRank), scores.Score(culprit, ScoreKind.NetFlow2));
        scores.Remove(culprit);
        var without = new WorkGraph("bytes");
        foreach (var record in Records(vector))
            if (record.Contributor != culprit && record.Consumer != culprit) without.Add(record);
        var expected = new PersonalReputation(without, observer);
        foreach (var kind in Enum.GetValues<ScoreKind>()) Assert.Equal(0, scores.Score(culprit, kind));
        Assert.True(scores.Explain(culprit).IsRemoved);
        Assert.Equal((without.RecordCount, without.PairCount), (graph.RecordCount, graph.PairCount));
        foreach (var peer in without.Peers)
        {
            Assert.Equal(expected.Score(peer, ScoreKind.NetFlow2), scores.Score(peer, ScoreKind.NetFlow2), 1e-9);
            Assert.Equal(expected.Score(peer, ScoreKind.NetFlow), scores.Score(peer, ScoreKind.NetFlow), 1e-9);
            Assert.Equal(without.SumsOf(peer), graph.SumsOf(peer));
        }
        Assert.False(scores.Add(new WorkRecord(culprit, observer, 5, culprit, 1, 1, 0)));
        Assert.DoesNotContain(scores.Top(100, ScoreKind.MeritRank), row => row.Peer == culprit);
    }

    [Fact]
    public void Nothing_above_the_limit_or_for_oneself_enters()
    {
        var graph = new WorkGraph("bytes");
        var (a, b) = (Named("a"), Named("b"));
        Assert.False(graph.Add(new WorkRecord(a, b, WorkGraph.RecordMax + 1, a, 1, 1, 0)));
        Assert.False(graph.Add(new WorkRecord(a, b, 0, a, 1, 1, 0)));
        Assert.False(graph.Add(new WorkRecord(a, a, 1, a, 1, 1, 0)));
        Assert.True(graph.Add(new WorkRecord(a, b, WorkGraph.RecordMax, a, 1, 1, 0)));
    }

    [Fact]
    public void A_group_shares_one_budget()
    {
        // a did 100 for the observer; s1 to s3 "did" 1,000 each for a, which a's honest work limits.
        var graph = new WorkGraph("bytes");
        var (me, a) = (Named("me"), Named("a"));
        graph.Add(new WorkRecord(a, me, 100, a, 1, 1, 0));
        PublicKey[] sybils = [Named("s1"), Named("s2"), Named("s3")];
        for (var i = 0; i < sybils.Length; i++) graph.Add(new WorkRecord(sybils[i], a, 1000, a, (uint)i + 2, 1, 0));
        var scores = new PersonalReputation(graph, me);
        Assert.All(sybils, sybil => Assert.Equal(100, scores.Score(sybil, ScoreKind.NetFlow2)));
        Assert.True(scores.TrySpend(sybils[0], 60));
        Assert.Equal(40, scores.Budget(sybils[1]));
        Assert.False(scores.TrySpend(sybils[1], 41));
        Assert.True(scores.TrySpend(sybils[1], 40));
        Assert.All([.. sybils, a], one => Assert.Equal(0, scores.Budget(one)));
    }

    [Fact]
    public void What_was_served_is_charged_until_its_record_is_signed_and_counts_then()
    {
        var (me, a) = (Named("me"), Named("a"));
        var scores = new PersonalReputation(new WorkGraph("bytes"), me);
        scores.Add(new WorkRecord(a, me, 100, a, 1, 1, 0));
        Assert.True(scores.TrySpend(a, 100));
        Assert.False(scores.TrySpend(a, 1));
        scores.Add(new WorkRecord(me, a, 100, a, 2, 2, 0));
        Assert.Equal(50, scores.Score(a, ScoreKind.NetFlow2));
        // Its direct work is used up; alpha 2 says what it could still get through others.
        Assert.Equal(0, scores.Budget(a));
    }

    private static WorkGraph Graph(JsonElement vector)
    {
        var graph = new WorkGraph("bytes");
        foreach (var record in Records(vector)) Assert.True(graph.Add(record));
        return graph;
    }

    private static IEnumerable<WorkRecord> Records(JsonElement vector)
    {
        var number = 0u;
        foreach (var record in vector.GetProperty("records").EnumerateArray())
        {
            var (from, to) = (Named(record[0].GetString()!), Named(record[1].GetString()!));
            yield return new WorkRecord(from, to, record[2].GetInt64(), to, ++number, number, number);
        }
    }

    internal static PublicKey Named(string name)
    {
        var seed = Prng.DeriveSeed(0, Encoding.UTF8.GetByteCount(name) + name);
        return Chains.Key(seed).Public;
    }
}
