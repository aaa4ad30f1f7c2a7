using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R4 (Liu, Parkes, Seuken, 2016, figures 4 and 5): by which score does one choose best when some attack?</summary>
internal sealed class StrategicExperiment : Study
{
    private const int Sybils = 5, Candidates = 10, ChoicesEach = 40;
    private const string Hitting = "hitting time", Personal = "personalised PageRank", Global = "global PageRank", Merit = "MeritRank, β = 0.5", Flow = "NetFlow, two hops", Chance = "at random", Best = "the best there is";

    public override string Name => "R4";
    public override string About => "Success of transactions whose partner is chosen by score, against the share of peers that make Sybils.";
    public override StudyNumber Peers { get; } = new("peers", 100, 40, 300);
    public override StudyNumber Strength { get; } = new("per cent of strategic peers", 40, 5, 60);
    public override IReadOnlyList<string> Variants { get; } = ["sparse", "dense"];
    public override double? StopDefault => 0.15;
    protected override int PeersOf(bool full) => full ? 200 : Peers.Default;

    private static readonly int[] Percents = [0, 2, 4, 7, 10, 15, 20, 30, 40, 50, 60];

    private protected override void Play(StudyRun run)
    {
        var curves = new Curves();
        var rounds = run.Full ? 6 : 3;
        int[] percents = [.. Percents.Where(percent => percent <= run.Max)];
        foreach (var percent in percents)
        {
            var sums = new Dictionary<string, double>();
            for (var round = 0; round < rounds; round++)
            {
                run.Step($"{percent} % strategic, graph {round + 1} of {rounds}");
                foreach (var (way, success) in Success(run, percent, round)) sums[way] = sums.GetValueOrDefault(way) + success / rounds;
            }
            foreach (var way in (string[])[Hitting, Personal, Global, Merit, Flow, Chance]) curves.Add(way, percent, sums[way]);
            curves.Bound(Best, percent, sums[Best]);
        }
        run.Panels.Add(new StudyPanel("success", "Success of chosen transactions", "per cent of strategic peers", "share that succeeds", curves.Series)
            { Caption = $"{run.Peers} peers, {run.Variant}; each picks the best of {Candidates} by score. Strategic peers serve badly and have {Sybils} Sybils each. Mean of {rounds} graphs." });
        var from = run.Variant == "sparse" ? 4 : 10;
        var late = percents.Where(percent => percent >= from).ToList();
        var worst = late.Count == 0 ? double.NaN : late.Min(percent => At(curves, Hitting, percent) - Math.Max(At(curves, Personal, percent), At(curves, Global, percent)));
        run.Findings.Add(new Finding($"hitting time chooses best of the walk scores from {from} % strategic peers on", "ahead of both PageRanks, within 1.5 points of chance", $"{Say.Number(worst * 100)} percentage points at the closest", worst >= -0.015, true,
            "Sybils lift their owners by PageRank and not by hitting time"));
        run.Findings.Add(new Finding("without strategic peers PageRank, global or personal, is as good", "no less than hitting time, or within a point", $"{Say.Number(100 * (Math.Max(At(curves, Personal, 0), At(curves, Global, 0)) - At(curves, Hitting, 0)))} percentage points",
            Math.Max(At(curves, Personal, 0), At(curves, Global, 0)) >= At(curves, Hitting, 0) - 0.01, false, "robustness has a price where nobody attacks"));
    }

    private static double At(Curves curves, string way, int percent) => curves.Of(way).Single(point => point.X == percent).Y;

    private static Dictionary<string, double> Success(StudyRun run, int percent, int round)
    {
        var chance = Prng.Derive(run.Seed, $"strategic {round}");
        var n = run.Peers;
        var quality = new double[n];
        for (var i = 0; i < n; i++) quality[i] = chance.NextDouble();
        var order = Enumerable.Range(0, n).ToArray();
        chance.Shuffle<int>(order);
        var strategic = order.Take((int)Math.Round(n * percent / 100.0)).ToHashSet();
        // Who attacks does so because it serves badly.
        foreach (var peer in strategic) quality[peer] *= 0.3;
        var edges = new List<WorkEdge>();
        var meetings = run.Variant == "sparse" ? 8 : 30;
        for (var consumer = 0; consumer < n; consumer++)
            for (var i = 0; i < meetings; i++)
            {
                var contributor = chance.Next(n);
                if (contributor != consumer && chance.Chance(quality[contributor])) edges.Add(new WorkEdge(contributor, consumer, 1));
            }
        var next = n;
        foreach (var peer in order.Where(strategic.Contains))
            for (var i = 0; i < Sybils; i++, next++)
            {
                edges.Add(new WorkEdge(next, peer, 1e4));
                edges.Add(new WorkEdge(peer, next, 1e4));
            }
        var graph = DenseGraph.Of(next, edges);
        var walks = new ExactWalks(graph, run.Stop);
        var global = walks.EigenTrust(Enumerable.Range(0, next).ToArray());
        var honest = Enumerable.Range(0, n).Where(peer => !strategic.Contains(peer)).ToList();
        var sums = new Dictionary<string, double>();
        foreach (var observer in honest.Take(20))
        {
            run.Cancellation.ThrowIfCancellationRequested();
            (string, double[])[] ways =
            [
                (Hitting, walks.HittingTime(observer)), (Personal, walks.PageRankVisits(observer)), (Global, global),
                (Merit, MeritRank.Paper(walks.HittingTime(observer), walks.Necks(observer), 0.5, 1)), (Flow, FlowScores.NetFlow2(graph, observer).Scores), (Best, quality),
            ];
            for (var choice = 0; choice < ChoicesEach; choice++)
            {
                var candidates = Enumerable.Range(0, Candidates).Select(_ => chance.Next(n)).Where(peer => peer != observer).ToList();
                if (candidates.Count == 0) continue;
                foreach (var (way, score) in ways) Count(way, quality[candidates.MaxBy(peer => score[peer])]);
                Count(Chance, candidates.Average(peer => quality[peer]));
            }
        }
        var all = Math.Min(20, honest.Count) * ChoicesEach;
        return sums.ToDictionary(static sum => sum.Key, sum => sum.Value / all);

        void Count(string way, double success) => sums[way] = sums.GetValueOrDefault(way) + success;
    }
}
