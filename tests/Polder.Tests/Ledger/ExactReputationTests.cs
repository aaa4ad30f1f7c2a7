using System.Text.Json;
using Polder.Ledger.Reputation.Exact;

namespace Polder.Tests.Ledger;

public sealed class ExactReputationTests
{
    [Fact]
    public void Every_score_of_reputation_json_is_exact()
    {
        var seen = new HashSet<string>();
        foreach (var vector in LedgerVectors.Open("economy/reputation.json").GetProperty("cases").EnumerateArray())
        {
            var vectors = new ReputationVectors(vector.GetProperty("records"), vector.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()!));
            var observer = vectors[vector.Text("observer")];
            var walks = new Dictionary<double, ExactWalks>();
            foreach (var expected in vector.GetProperty("expected").EnumerateObject())
            {
                seen.Add(expected.Name.Split("_a", 2)[0]);
                Check(vectors, observer, expected.Name, expected.Value, $"{vector.Text("name")}, {expected.Name}", a =>
                    walks.TryGetValue(a, out var known) ? known : walks[a] = new ExactWalks(vectors.Graph, a));
            }
        }
        Assert.True(seen.Count >= 13, string.Join(", ", seen));
    }

    private static void Check(ReputationVectors vectors, int observer, string key, JsonElement expected, string what, Func<double, ExactWalks> walks)
    {
        double A() => ReputationVectors.Parameter(key, "a");
        var graph = vectors.Graph;
        switch (key.Split("_a", 2)[0])
        {
            case "net_contribution": vectors.NearAll(expected, FlowScores.NetContribution(graph), what); break;
            case "bartercast_full" or "bartercast_2hop":
                var scores = FlowScores.BarterCast(graph, observer, twoHops: key.EndsWith("2hop", StringComparison.Ordinal));
                foreach (var row in expected.EnumerateObject())
                {
                    var score = scores[vectors[row.Name]];
                    ReputationVectors.Near(row.Value.GetProperty("in").GetDouble(), score.In, what);
                    ReputationVectors.Near(row.Value.GetProperty("out").GetDouble(), score.Out, what);
                    ReputationVectors.Near(row.Value.GetProperty("score").GetDouble(), score.Score, what);
                }
                break;
            case "netflow" or "netflow2":
                var alpha = ReputationVectors.Parameter(key, "alpha");
                var flow = key.StartsWith("netflow2", StringComparison.Ordinal) ? FlowScores.NetFlow2(graph, observer, alpha) : FlowScores.NetFlow(graph, observer, alpha);
                vectors.NearAll(expected.GetProperty("cap"), flow.Caps, what + " cap");
                vectors.NearAll(expected.GetProperty("score"), flow.Scores, what);
                if (expected.TryGetProperty("informativeness", out var share)) ReputationVectors.Near(share.GetDouble(), flow.Informativeness(observer), what);
                break;
            case "ppr_restart": vectors.NearAll(expected, walks(A()).PageRankRestart(observer), what); break;
            case "ppr_visits": vectors.NearAll(expected, walks(A()).PageRankVisits(observer), what); break;
            case "pht": vectors.NearAll(expected, walks(A()).HittingTime(observer), what); break;
            case "pht_share": vectors.NearAll(expected, walks(A()).HittingTimeShare(observer), what); break;
            case "meritrank_hits": vectors.NearAll(expected, walks(A()).MeritRankHits(observer), what); break;
            case "eigentrust_pretrusted_observer": vectors.NearAll(expected, walks(0.15).EigenTrust([observer]), what); break;
            case "necks":
                foreach (var row in expected.EnumerateObject())
                {
                    var neck = walks(A()).NeckOf(observer, vectors[row.Name]);
                    ReputationVectors.Near(row.Value.GetProperty("neck").GetDouble(), neck.Share, what);
                    Assert.Equal(row.Value.GetProperty("via").GetString(), neck.Via < 0 ? null : vectors.Names[neck.Via]);
                }
                break;
            case "meritrank_pht":
                var (all, beta, tau) = (walks(A()), ReputationVectors.Parameter(key, "b"), ReputationVectors.Parameter(key, "t"));
                var (shares, necks) = (all.HittingTimeShare(observer), all.Necks(observer));
                vectors.NearAll(expected, key.EndsWith("_code", StringComparison.Ordinal) ? MeritRank.Code(shares, necks, beta, tau) : MeritRank.Paper(shares, necks, beta, tau), what);
                break;
            default: Assert.Fail($"No rule for {what}."); break;
        }
    }

    [Fact]
    public void The_worked_example_of_the_thesis_is_exact_where_its_first_step_is_free()
    {
        var vector = LedgerVectors.Open("economy/reputation.json").GetProperty("cases").EnumerateArray().First(one => one.Text("name") == "stannat_pht_after");
        var vectors = new ReputationVectors(vector.GetProperty("records"));
        var walks = new ExactWalks(vectors.Graph, 0.1);
        Assert.Equal(0.12799, walks.Hit(vectors["i"], vectors["k"]) / 0.9, 1e-5);
        Assert.Equal(0.34558, walks.Hit(vectors["i"], vectors["s2"]) / 0.9, 1e-5);
    }

    [Fact]
    public void Scores_after_every_record_are_exact()
    {
        var vector = LedgerVectors.Open("economy/reputation_incremental.json");
        var steps = vector.GetProperty("steps").EnumerateArray().ToList();
        var all = JsonSerializer.SerializeToElement(steps.Select(step => step.GetProperty("record")));
        var vectors = new ReputationVectors(all, vector.Text("observer"));
        var observer = vectors[vector.Text("observer")];
        for (var i = 0; i < steps.Count; i++)
        {
            var graph = DenseGraph.Of(vectors.Names.Count, vectors.Records.Take(i + 1));
            var record = vectors.Records[i];
            foreach (var expected in steps[i].EnumerateObject())
            {
                var what = $"step {i + 1}, {expected.Name}";
                switch (expected.Name.Split(["_a0", "_a1", "_alpha"], 2, StringSplitOptions.None)[0])
                {
                    case "record": break;
                    case "resample_probability_at_consumer": ReputationVectors.Near(expected.Value.GetDouble(), record.Amount / graph.Got(record.Consumer), what); break;
                    case "pht": vectors.NearAll(expected.Value, new ExactWalks(graph, ReputationVectors.Parameter(expected.Name, "a")).HittingTime(observer), what); break;
                    case "ppr_visits": vectors.NearAll(expected.Value, new ExactWalks(graph, ReputationVectors.Parameter(expected.Name, "a")).PageRankVisits(observer), what); break;
                    case "netflow2": vectors.NearAll(expected.Value, FlowScores.NetFlow2(graph, observer, ReputationVectors.Parameter(expected.Name, "alpha")).Scores, what); break;
                    case "netflow": vectors.NearAll(expected.Value, FlowScores.NetFlow(graph, observer, ReputationVectors.Parameter(expected.Name, "alpha")).Scores, what); break;
                    default: Assert.Fail($"No rule for {what}."); break;
                }
            }
        }
    }

    [Fact]
    public void Temporal_PageRank_is_exact()
    {
        var file = LedgerVectors.Open("economy/reputation_temporal.json");
        foreach (var vector in file.GetProperty("cases").EnumerateArray())
        {
            var rows = vector.GetProperty("interactions").EnumerateArray().ToList();
            var vectors = new ReputationVectors(JsonSerializer.SerializeToElement(rows.Select(row => (object[])[row[0], row[2], 1])), vector.Text("observer"));
            var interactions = rows.ConvertAll(row => new Interaction(
                vectors[row[0].GetString()!], row[1].GetInt64(), vectors[row[2].GetString()!], row[3].GetInt64(), row[4].GetDouble(), row[5].GetDouble()));
            foreach (var kind in (string[])["first", "spread"])
            {
                var scores = TemporalPageRank.Scores(vectors.Names.Count, interactions, vectors[vector.Text("observer")], kind == "spread", file.GetProperty("damping").GetDouble());
                vectors.NearAll(vector.GetProperty(kind), scores, kind);
            }
        }
    }

    [Fact]
    public void What_false_identities_gain_is_exact_and_below_the_bound()
    {
        var file = LedgerVectors.Open("economy/reputation_sybil.json");
        var @base = file.GetProperty("base");
        var weight = @base.GetProperty("sybil_edge_weight").GetDouble();
        var vectors = new ReputationVectors(@base.GetProperty("records"));
        Assert.Equal(@base.GetProperty("nodes").GetInt32(), vectors.Names.Count);
        var (observer, attacker, before) = (vectors[@base.Text("observer")], vectors[@base.Text("attacker")], vectors.Graph);
        ReputationVectors.Near(@base.GetProperty("netflow_alpha1_informativeness").GetDouble(), FlowScores.NetFlow(before, observer, 1).Informativeness(observer), "informativeness");
        var necks = new ExactWalks(before, 0.15).Necks(observer);
        foreach (var row in @base.GetProperty("honest_nodes_cut_by_beta").EnumerateObject())
        {
            var tau = ReputationVectors.Parameter(row.Name, "tau");
            ReputationVectors.Near(row.Value.GetDouble(), necks.Where((_, j) => j != observer).Count(neck => MeritRank.Reaches(neck, tau)) / (before.Count - 1.0), row.Name);
        }
        foreach (var row in file.GetProperty("rows").EnumerateArray())
        {
            var graph = Attacked(before, attacker, weight, row.Text("attack"), row.GetProperty("sybils").GetInt32());
            var sybils = Enumerable.Range(before.Count, graph.Count - before.Count).ToList();
            foreach (var expected in row.EnumerateObject())
            {
                if (expected.Name is "attack" or "sybils") continue;
                var what = $"{row.Text("attack")} with {row.GetProperty("sybils")}, {expected.Name}";
                var value = Gain(expected.Name, before, graph, observer, attacker, sybils);
                ReputationVectors.Near(expected.Value.GetDouble(), value, what);
                if (!expected.Name.StartsWith("pht", StringComparison.Ordinal) || !expected.Name.EndsWith("sybils", StringComparison.Ordinal)) continue;
                var a = ReputationVectors.Parameter(expected.Name, "a");
                Assert.True(value <= (1 - a) / a + 1e-9, $"{what} is above (1 − a) / a");
            }
        }
    }

    private static double Gain(string key, DenseGraph before, DenseGraph after, int observer, int attacker, List<int> sybils)
    {
        if (key.StartsWith("netflow", StringComparison.Ordinal))
        {
            var alpha = ReputationVectors.Parameter(key, "alpha");
            var graph = key.EndsWith("before", StringComparison.Ordinal) ? before : after;
            if (key.Contains("_group_", StringComparison.Ordinal))
                return FlowScores.GroupFlow(graph, observer, alpha, key.EndsWith("after", StringComparison.Ordinal) ? [attacker, .. sybils] : [attacker]);
            var scores = FlowScores.NetFlow(graph, observer, alpha).Scores;
            return key.Contains("_sum_of_", StringComparison.Ordinal) ? sybils.Sum(sybil => scores[sybil]) : scores[attacker];
        }
        var a = ReputationVectors.Parameter(key, "a");
        var (walks, own) = (new ExactWalks(after, a), new ExactWalks(before, a));
        if (key.StartsWith("meritrank", StringComparison.Ordinal))
        {
            var beta = ReputationVectors.Parameter(key, "b");
            var now = MeritRank.Paper(walks.HittingTimeShare(observer), walks.Necks(observer), beta, 1);
            return sybils.Sum(sybil => now[sybil]) / MeritRank.Paper(own.HittingTimeShare(observer), own.Necks(observer), beta, 1)[attacker];
        }
        double[] Values(ExactWalks of) => key.StartsWith("pht", StringComparison.Ordinal) ? of.HittingTime(observer) : of.PageRankVisits(observer);
        var values = Values(walks);
        return (key.EndsWith("self", StringComparison.Ordinal) ? values[attacker] : sybils.Sum(sybil => values[sybil])) / Values(own)[attacker];
    }

    /// <summary>The four passive attacks: the attacker signs records with identities of its own.</summary>
    private static DenseGraph Attacked(DenseGraph graph, int attacker, double weight, string attack, int sybils)
    {
        var first = graph.Count;
        var edges = new List<WorkEdge>();
        for (var s = 0; s < sybils; s++)
        {
            if (attack == "serial") edges.Add(new WorkEdge(first + s, s == 0 ? attacker : first + s - 1, weight));
            else edges.Add(new WorkEdge(first + s, attacker, weight));
            if (attack is "cycle" or "path+cycle") edges.Add(new WorkEdge(attacker, first + s, weight));
            if (attack == "path+cycle") edges.Add(new WorkEdge(first + s + 1, first + s, weight));
        }
        return graph.With(edges, sybils + (attack == "path+cycle" ? 1 : 0));
    }

    [Fact]
    public void Competitors_cannot_speak_of_each_other()
    {
        WorkReport[] reports = [new(1, 1, 0, 5), new(0, 1, 0, 5), new(1, 1, 2, 1000), new(2, 1, 2, 7), new(3, 1, 3, 9), new(1, 1, 3, 400), new(3, 3, 4, 50), new(4, 3, 4, 40)];
        var graph = DropEdge.Graph(5, reports, new HashSet<int> { 1, 2 }, observer: 0);
        Assert.Equal(5, graph.Work(1, 0));
        Assert.Equal(0, graph.Work(1, 2));
        Assert.Equal(9, graph.Work(1, 3));
        Assert.Equal(50, graph.Work(3, 4));
    }

    [Fact]
    public void Few_false_identities_become_members()
    {
        // The observer trusts 1 to 3; 3 trusts thirty of its own making, each of which trusts thirty more.
        var edges = new List<WorkEdge> { new(1, 0, 1), new(2, 0, 1), new(3, 0, 1), new(4, 1, 1) };
        for (var s = 0; s < 30; s++)
        {
            edges.Add(new WorkEdge(5 + s, 3, 1));
            for (var t = 0; t < 30; t++) edges.Add(new WorkEdge(35 + 30 * s + t, 5 + s, 1));
        }
        var members = GroupMembership.Members(DenseGraph.Of(940, edges), 0, [40, 10, 4, 1]);
        Assert.All(members.Take(5), Assert.True);
        Assert.InRange(members.Skip(5).Count(member => member), 1, 9);
    }
}
