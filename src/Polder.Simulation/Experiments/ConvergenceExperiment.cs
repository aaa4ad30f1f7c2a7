using Polder.Ledger.Reputation;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R7: how fast sampled scores come near the exact ones.</summary>
internal sealed class ConvergenceExperiment : Study
{
    public override string Name => "R7";
    public override string About => "The largest error of sampled hitting times against the exact ones, for 10 to 100,000 walks.";
    public override StudyNumber Peers { get; } = new("peers", 100, 10, 500);
    public override StudyNumber Strength { get; } = new("walks", 100_000, 1_000, 1_000_000);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var exact = new Scores(society, run.Stop);
        var graph = new SharedBudgets(society).Reputation.Graph;
        var hits = exact.All(ScoreKind.HittingTime);
        var curves = new Curves();
        // Some runs of each size, so that the slope is not one run's luck.
        const int rounds = 5;
        for (var count = 10; count <= run.Max; count = count < 30 || count.ToString(System.Globalization.CultureInfo.InvariantCulture)[0] == '1' ? count * 3 : count / 3 * 10)
        {
            run.Step($"{count} walks");
            var sum = 0.0;
            for (var round = 0; round < rounds; round++)
            {
                // The walks that a node keeps.
                var walks = new StoredWalks(graph, MadeUpKeys.Of(society.Observer), run.Stop, count, Prng.DeriveSeed(run.Seed, $"walks {count} {round}"));
                sum += Enumerable.Range(0, society.Count).Where(peer => peer != society.Observer)
                    .Max(peer => Math.Abs((graph.Find(MadeUpKeys.Of(peer)) is { } number ? (double)walks.HitsOf(number) / count : 0) - hits[peer]));
            }
            curves.Add("largest error", count, sum / rounds);
            curves.Bound("0.5 / √walks", count, 0.5 / Math.Sqrt(count));
        }
        run.Panels.Add(new StudyPanel("error", "Largest error of a hitting time", "walks", "error", curves.Series) { IsXLogarithmic = true, IsYLogarithmic = true, Caption = $"Mean of {rounds} runs; {run.Peers} peers, a = {Say.Number(run.Stop)}." });
        var slope = Slope(curves.Of("largest error"));
        run.Findings.Add(new Finding("the error falls as one over the root of the walks", "slope −0.5", Say.Number(slope), Math.Abs(slope + 0.5) < 0.08, true, "walks are independent draws"));
    }

    /// <summary>Least squares on logarithms.</summary>
    internal static double Slope(IReadOnlyList<StudyPoint> points)
    {
        var logs = points.Where(static point => point.X > 0 && point.Y > 0).Select(static point => (X: Math.Log(point.X), Y: Math.Log(point.Y))).ToList();
        var (x, y) = (logs.Average(static log => log.X), logs.Average(static log => log.Y));
        return logs.Sum(log => (log.X - x) * (log.Y - y)) / logs.Sum(log => (log.X - x) * (log.X - x));
    }
}
