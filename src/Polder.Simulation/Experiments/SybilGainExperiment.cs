using Polder.Ledger.Reputation;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R5: the gain against the number of Sybils, for every shape, and the bound (1−a)/a.</summary>
internal sealed class SybilGainExperiment : Study
{
    private static readonly double[] Stops = [0.01, 0.15, 0.4, 0.6];

    public override string Name => "R5";
    public override string About => "Gain against the number of Sybils for path, cycle, parallel and path+cycle, at four probabilities of stopping, beside (1−a)/a.";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 300);
    public override StudyNumber Strength { get; } = new("Sybils", 50, 5, 150);
    public override double? StopDefault => null;

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        foreach (var stop in Stops)
        {
            var before = new Scores(society, stop).Of(ScoreKind.HittingTime, society.Attacker);
            var curves = new Curves();
            var bound = (1 - stop) / stop;
            foreach (var count in run.Strengths(6))
            {
                run.Step($"a = {Say.Number(stop)}, {count} Sybils");
                foreach (var shape in SybilWiring.Shapes)
                {
                    var attacked = society.Copy();
                    var sybils = SybilWiring.Attach(attacked, shape, count, 20);
                    curves.Add(shape, count, new Scores(attacked, stop).Sum(ScoreKind.HittingTime, sybils) / before);
                }
                curves.Bound("bound (1−a)/a", count, bound);
            }
            run.Panels.Add(new StudyPanel($"gain-{(int)(100 * stop)}", $"Gain by hitting time, a = {Say.Number(stop)}", "Sybils", "their scores ÷ the attacker's before", curves.Series));
            var worst = SybilWiring.Shapes.Max(curves.Highest);
            run.Findings.Add(new Finding($"no shape passes (1−a)/a at a = {Say.Number(stop)}", $"≤ {Say.Number(bound)}", Say.Number(worst), Theorem.AtMost(worst, bound), true));
            if (stop >= 0.5) run.Findings.Add(new Finding("from a = 0.5 on, a thousand Sybils are worth less than their owner", "≤ 1", Say.Number(worst), Theorem.AtMost(worst, 1), true));
            if (stop == 0.4)
            {
                string[] order = [SybilWiring.PathCycle, SybilWiring.Cycle, SybilWiring.Parallel, SybilWiring.Path];
                var sorted = order.OrderByDescending(curves.Last).SequenceEqual(order);
                run.Findings.Add(new Finding($"path+cycle gains most, then cycle, parallel, path (a = {Say.Number(stop)})", string.Join(" > ", order), string.Join(" > ", order.OrderByDescending(curves.Last)), sorted, true));
            }
        }
    }
}
