using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R3 (Liu, Parkes, Seuken, 2016, figure 3): how many ranks do Sybils lift their owner?</summary>
internal sealed class RankGainExperiment : Study
{
    private static readonly string[] Ways = ["hitting time", "personalised PageRank", "global PageRank", "global hitting time"];

    public override string Name => "R3";
    public override string About => "Ranks that an attacker climbs against its number of Sybils, by hitting time and by PageRank, personal and global.";
    public override StudyNumber Peers { get; } = new("peers", 150, 30, 600);
    public override StudyNumber Strength { get; } = new("Sybils", 20, 1, 60);
    public override double? StopDefault => 0.15;
    protected override int PeersOf(bool full) => full ? 500 : Peers.Default;

    private protected override void Play(StudyRun run)
    {
        var chance = Prng.Derive(run.Seed, "ranks");
        var density = Math.Max(3, run.Peers / 10);
        var edges = new List<WorkEdge>();
        for (var consumer = 0; consumer < run.Peers; consumer++)
            for (var i = 0; i < density; i++)
            {
                // Some are better known than others, so that there are ranks to climb.
                var contributor = (int)(run.Peers * Math.Pow(chance.NextDouble(), 1.5));
                if (contributor != consumer) edges.Add(new WorkEdge(contributor, consumer, chance.Next(1, 100)));
            }
        var graph = DenseGraph.Of(run.Peers, edges);
        const int observer = 0;
        // Attackers from the middle and below.
        var attackers = Enumerable.Range(0, run.Full ? 5 : 4).Select(i => run.Peers / 2 + i * run.Peers / 10).ToList();
        var before = Ranks(graph, run, attackers, observer);
        var curves = new Curves();
        // Whoever sends no walk on to others lowers these a little, by whatever score: that is diversion, and needs one dead end only.
        var diverted = Enumerable.Range(0, attackers.Count).Average(i =>
            before[i][0] - (double)Ranks(graph.With([new WorkEdge(run.Peers, attackers[i], 1e6)], 1), run, [attackers[i]], observer)[0][0]);
        var (own, hits) = (0.0, new ExactWalks(graph, run.Stop));
        foreach (var count in run.Strengths(7))
        {
            var gains = new double[Ways.Length];
            for (var i = 0; i < attackers.Count; i++)
            {
                run.Step($"{count} Sybils, attacker {i + 1} of {attackers.Count}");
                // The attacker sends every walk that it gets to its Sybils, and they send it back.
                var attack = Enumerable.Range(0, count).SelectMany(sybil => (WorkEdge[])
                    [new WorkEdge(run.Peers + sybil, attackers[i], 1e6), new WorkEdge(attackers[i], run.Peers + sybil, 1e6)]);
                var after = Ranks(graph.With(attack, count), run, [attackers[i]], observer)[0];
                own = Math.Max(own, Math.Abs(new ExactWalks(graph.With(attack, count), run.Stop).Hit(observer, attackers[i]) / hits.Hit(observer, attackers[i]) - 1));
                for (var way = 0; way < gains.Length; way++) gains[way] += (before[i][way] - after[way]) / (double)attackers.Count;
            }
            for (var way = 0; way < gains.Length; way++) curves.Add(Ways[way], count, gains[way]);
            curves.Bound("by diversion alone", count, count == 0 ? 0 : diverted);
        }
        run.Panels.Add(new StudyPanel("ranks", "Ranks climbed", "Sybils", "ranks", curves.Series)
            { Caption = $"{run.Peers} peers with {density} edges each, a = {Say.Number(run.Stop)}; mean over {attackers.Count} attackers from the lower half." });
        run.Findings.Add(new Finding("the attacker's own hitting time does not move", "0", Say.Number(own), own < 1e-9, true, "nothing that follows the first visit counts"));
        var beyond = curves.Of(Ways[0]).Where(static point => point.X > 0).Max(point => Math.Abs(point.Y - diverted));
        run.Findings.Add(new Finding("by hitting time Sybils climb no rank beyond what diversion gives", "0 ranks", $"{Say.Number(beyond)} beyond {Say.Number(diverted)}", beyond <= 0.5, true,
            "whoever leads no walk on lowers others, and needs no Sybils for that; with more edges a peer it is less"));
        var one = curves.Of(Ways[1]).FirstOrDefault(static point => point.X > 0).Y;
        run.Findings.Add(new Finding("personalised PageRank rises at once (published: about +70 of 500 with one Sybil)", $"> {Say.Number(0.05 * run.Peers)} ranks", $"{Say.Number(one)} of {run.Peers}", one > 0.05 * run.Peers, true,
            "walks that go round between attacker and Sybil count each time"));
        var global = Math.Max(curves.Last(Ways[2]), curves.Last(Ways[3]));
        run.Findings.Add(new Finding("global scores rise most (published: up to +300 of 500)", $"> {Say.Number(curves.Last(Ways[1]))} ranks or the top", $"{Say.Number(global)} of {run.Peers}", global >= curves.Last(Ways[1]) - 0.5, true,
            "every Sybil begins walks of its own, and all lead to its owner"));
    }

    // The rank of each of the attackers among the honest, 0 for the first, by each way.
    private static List<int[]> Ranks(DenseGraph graph, StudyRun run, IReadOnlyList<int> attackers, int observer)
    {
        var walks = new ExactWalks(graph, run.Stop);
        var everybody = Enumerable.Range(0, graph.Count).ToArray();
        double[][] scores = [walks.HittingTime(observer), walks.PageRankVisits(observer), walks.EigenTrust(everybody), GlobalHits(walks)];
        return [.. attackers.Select(attacker => scores.Select(score => Enumerable.Range(0, run.Peers).Count(peer => peer != observer && peer != attacker && score[peer] > score[attacker])).ToArray())];
    }

    private static double[] GlobalHits(ExactWalks walks)
    {
        var count = walks.Graph.Count;
        var sums = new double[count];
        for (var from = 0; from < count; from++)
            for (var to = 0; to < count; to++)
                if (from != to) sums[to] += walks.Hit(from, to);
        return sums;
    }
}
