using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R2 (Stannat and Pouwelse, 2018/19): does personalised PageRank tell Sybils from honest peers?</summary>
internal sealed class DetectorExperiment : Study
{
    private static readonly double[] Resets = [0.1, 0.3, 0.5, 0.7];
    private const int Walks = 200;

    public override string Name => "R2";
    public override string About => "Personalised PageRank as a Sybil detector: area under the ROC curve against the number of attack edges.";
    public override StudyNumber Peers { get; } = new("honest peers", 200, 50, 1_000);
    public override StudyNumber Strength { get; } = new("attack edges", 200, 10, 1_000);
    public override double? StopDefault => null;
    protected override int PeersOf(bool full) => full ? 500 : Peers.Default;
    protected override int? MaxOf(bool full) => full ? 500 : Strength.Default;

    private protected override void Play(StudyRun run)
    {
        var (away, touching, refused) = (new Curves(), new Curves(), new Curves());
        var rounds = run.Full ? 20 : 5;
        foreach (var attack in run.Strengths(9))
        {
            run.Step($"{attack} attack edges");
            foreach (var reset in Resets)
            {
                var name = $"reset {Say.Number(reset)}";
                var (far, near, lost) = (0.0, 0.0, 0.0);
                for (var round = 0; round < rounds; round++)
                {
                    var (areaFar, lostFar) = Measure(run, attack, reset, round, atSeed: false);
                    var (areaNear, _) = Measure(run, attack, reset, round, atSeed: true);
                    (far, near, lost) = (far + areaFar / rounds, near + areaNear / rounds, lost + lostFar / rounds);
                }
                away.Add(name, attack, far);
                touching.Add(name, attack, near);
                refused.Add(name, attack, lost);
            }
        }
        run.Panels.Add(new StudyPanel("area", "Attack edges anywhere but at the seed", "attack edges", "area under the ROC curve", away.Series)
            { Caption = $"{run.Peers} honest peers with 4 edges each, {2 * run.Peers} Sybils with 10, {Walks} walks; 1 is a perfect detector, 0.5 a coin. Mean of {rounds} graphs." });
        run.Panels.Add(new StudyPanel("area-seed", "One of them at the seed itself", "attack edges", "area under the ROC curve", touching.Series));
        run.Panels.Add(new StudyPanel("refused", "Honest peers that no walk came to", "attack edges", "share of honest peers", refused.Series));

        var first = Resets.Average(reset => touching.First($"reset {Say.Number(reset)}"));
        var last = Resets.Average(reset => touching.Last($"reset {Say.Number(reset)}"));
        var safe = Resets.Average(reset => away.Last($"reset {Say.Number(reset)}"));
        run.Findings.Add(new Finding("the area falls once an attack edge touches the seed", $"below {Say.Number(first)} without attack edges", $"{Say.Number(last)}; {Say.Number(safe)} when none touches it", last < first && last < safe, true,
            "walks fall into the Sybils' region at the first step"));
        var lostShare = Resets.Select(reset => refused.First($"reset {Say.Number(reset)}")).ToList();
        run.Findings.Add(new Finding("many honest peers are refused (published: 0.35 to 0.45)", "a range around 0.35 to 0.45", $"{Say.Number(lostShare.Min())} (reset 0.1) to {Say.Number(lostShare.Max())} (reset 0.7)",
            lostShare.Min() <= 0.45 && lostShare.Max() >= 0.35, true, "200 short walks do not get everywhere: no score is not a verdict"));
        run.Findings.Add(new Finding("PageRank alone is a Sybil detector", "area near 1", Say.Number(last), last > 0.95, false, "it ranks; who is false it cannot say (the specification says so too)"));
    }

    private static (double Area, double Lost) Measure(StudyRun run, int attack, double reset, int round, bool atSeed)
    {
        // The same graph for every number of attack edges, to which the edges are added one after the other.
        var chance = Prng.Derive(run.Seed, $"detector {round}");
        var (honest, sybils) = (run.Peers, 2 * run.Peers);
        var edges = new List<WorkEdge>();
        for (var i = 0; i < 4 * honest; i++) Link(chance.Next(honest), chance.Next(honest));
        for (var i = 0; i < 10 * sybils; i++) Link(honest + chance.Next(sybils), honest + chance.Next(sybils));
        for (var i = 0; i < attack; i++)
        {
            var (from, to) = (chance.Next(1, honest - 1), honest + chance.Next(sybils));
            Link(atSeed && i == 0 ? 0 : from, to);
        }
        var (_, visits) = new RandomWalks(DenseGraph.Of(honest + sybils, edges)).Count(0, Walks, reset, Prng.Derive(run.Seed, $"walks {round} {reset} {attack} {atSeed}"));
        return (Area(visits, honest), Enumerable.Range(1, honest - 1).Count(peer => visits[peer] == 0) / (honest - 1.0));

        void Link(int consumer, int contributor) => edges.Add(new WorkEdge(contributor, consumer, 1));
    }

    // The chance that an honest peer has more visits than a Sybil, ties counting half.
    private static double Area(int[] visits, int honest)
    {
        var sybils = visits[honest..];
        Array.Sort(sybils);
        var sum = 0.0;
        for (var peer = 1; peer < honest; peer++)
        {
            var below = LowerBound(sybils, visits[peer]);
            sum += below + (LowerBound(sybils, visits[peer] + 1) - below) / 2.0;
        }
        return sum / ((honest - 1.0) * sybils.Length);
    }

    private static int LowerBound(int[] sorted, int value)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < value) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
