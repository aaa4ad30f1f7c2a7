using System.Text;
using System.Text.Json;
using Polder.Identity;
using Polder.Ledger.Reputation;
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
            var scores = new NetFlow(graph, Named(vector.Text("observer")), alpha);
            var expected = vector.GetProperty("expected").GetProperty($"netflow2_alpha{alpha}");
            foreach (var row in expected.GetProperty("score").EnumerateObject())
            {
                var score = scores.Of(Named(row.Name));
                Assert.Equal(row.Value.GetDouble(), score.Value, 1e-9);
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
                var (gave, got, _, _) = graph.SumsOf(Named(row.Name));
                Assert.Equal(row.Value.GetDouble(), gave - got, 1e-9);
            }
        }
    }

    [Fact]
    public void A_score_is_explained_by_its_parts()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var observer = Named(vector.Text("observer"));
            var scores = new NetFlow(Graph(vector), observer);
            foreach (var (peer, score) in scores.Ranking())
            {
                var why = scores.Explain(peer, int.MaxValue);
                Assert.Equal(score.Value, Math.Min(score.Cap, why.Score.Direct + why.Paths.Sum(path => path.Flow)), 1e-9);
                Assert.Equal(scores.Graph.SumsOf(peer).Records, why.Records.Count);
            }
        }
    }

    [Fact]
    public void The_order_of_records_does_not_matter_and_scores_follow_each_one()
    {
        foreach (var vector in Vectors.GetProperty("cases").EnumerateArray())
        {
            var observer = Named(vector.Text("observer"));
            var all = Graph(vector);
            var expected = new NetFlow(all, observer);
            var records = all.Records.ToArray();
            new Prng(3).Shuffle(records.AsSpan());
            var graph = new WorkGraph("bytes");
            var scores = new NetFlow(graph, observer);
            foreach (var record in records)
            {
                graph.Add(record);
                _ = scores.Ranking();
            }
            foreach (var (peer, score) in expected.Ranking()) Assert.Equal(score, scores.Of(peer));
        }
    }

    [Fact]
    public void A_cheater_is_taken_out_with_all_its_records()
    {
        var vector = Vectors.GetProperty("cases").EnumerateArray().First(one => one.Text("name") == "random24");
        var observer = Named(vector.Text("observer"));
        var culprit = Named("n05");
        var graph = Graph(vector);
        graph.Remove(culprit);
        var without = new WorkGraph("bytes");
        foreach (var record in Graph(vector).Records)
            if (record.Contributor != culprit && record.Consumer != culprit) without.Add(record);
        var (scores, expected) = (new NetFlow(graph, observer), new NetFlow(without, observer));
        Assert.Equal(default, scores.Of(culprit));
        Assert.Equal(without.Records.Count, graph.Records.Count);
        foreach (var peer in without.Peers)
        {
            Assert.Equal(expected.Of(peer).Value, scores.Of(peer).Value, 1e-9);
            Assert.Equal(without.SumsOf(peer).Records, graph.SumsOf(peer).Records);
        }
        Assert.False(graph.Add(new WorkRecord(culprit, observer, 5, culprit, 1, 1, 0)));
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
        var scores = new NetFlow(graph, me);
        Assert.All(sybils, sybil => Assert.Equal(100, scores.Of(sybil).Value));
        Assert.True(scores.TrySpend(sybils[0], 60));
        Assert.Equal(40, scores.Budget(sybils[1]));
        Assert.False(scores.TrySpend(sybils[1], 41));
        Assert.True(scores.TrySpend(sybils[1], 40));
        Assert.All([.. sybils, a], one => Assert.Equal(0, scores.Budget(one)));
    }

    private static WorkGraph Graph(JsonElement vector)
    {
        var graph = new WorkGraph("bytes");
        var time = 0ul;
        foreach (var record in vector.GetProperty("records").EnumerateArray())
        {
            var (from, to) = (Named(record[0].GetString()!), Named(record[1].GetString()!));
            Assert.True(graph.Add(new WorkRecord(from, to, record[2].GetInt64(), to, 1, 1, time++)));
        }
        return graph;
    }

    private static PublicKey Named(string name)
    {
        var seed = Prng.DeriveSeed(0, Encoding.UTF8.GetByteCount(name) + name);
        return Chains.Key(seed).Public;
    }
}
