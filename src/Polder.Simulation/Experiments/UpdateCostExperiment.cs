using Polder.Ledger.Reputation;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R8 (Bahmani, Chowdhury, Goel, 2010): what keeping the walks up to date costs as records come in random order.</summary>
internal sealed class UpdateCostExperiment : Study
{
    private const int Walks = 2_000;

    public override string Name => "R8";
    public override string About => "Steps drawn anew as the t-th record arrives, against t: in all about (walks / a²) ln m.";
    public override StudyNumber Peers { get; } = new("peers", 100, 20, 500);
    public override StudyNumber Strength { get; } = new("records", 5_000, 500, 50_000);
    protected override int? MaxOf(bool full) => full ? 30_000 : Strength.Default;

    private protected override void Play(StudyRun run)
    {
        var chance = Prng.Derive(run.Seed, "arrivals");
        var society = Society.Generate(run.Peers, 1, run.Seed).Copy();
        var walks = new IncrementalWalks(run.Peers, society.Observer, Walks, run.Stop, Prng.Derive(run.Seed, "updates"));
        var (each, total) = (new Curves(), new Curves());
        var arrived = Society.Of(run.Peers, society.Observer, society.Attacker, []);
        var (sum, window, windowStart, next) = (0L, 0L, 0, 10.0);
        for (var t = 1; t <= run.Max; t++)
        {
            if (t % 500 == 0) run.Step($"record {t} of {run.Max}");
            // Everybody consumes as often as anybody: arrivals in random order, as the theorem asks.
            int consumer = chance.Next(run.Peers), contributor = (int)(run.Peers * Math.Pow(chance.NextDouble(), 1.5));
            if (consumer == contributor) contributor = (contributor + 1) % run.Peers;
            var drawn = walks.Add(contributor, consumer, 1);
            arrived.Record(contributor, consumer, 1);
            (sum, window) = (sum + drawn, window + drawn);
            if (t < next && t < run.Max) continue;
            each.Add("steps a record", (t + windowStart) / 2.0, (double)window / (t - windowStart));
            each.Bound("(walks / a²) / t", (t + windowStart) / 2.0, Walks / (run.Stop * run.Stop) / ((t + windowStart) / 2.0));
            total.Add("steps in all", t, sum);
            total.Bound("(walks / a²) ln t + first walks", t, Walks / (run.Stop * run.Stop) * Math.Log(t) + Walks / run.Stop);
            (window, windowStart, next) = (0, t, t * 1.5);
        }
        run.Panels.Add(new StudyPanel("each", "Steps drawn anew by one record", "records so far", "steps", each.Series) { IsXLogarithmic = true, IsYLogarithmic = true, Caption = $"{Walks} walks kept, {run.Peers} peers, a = {Say.Number(run.Stop)}." });
        run.Panels.Add(new StudyPanel("total", "Steps drawn in all", "records so far", "steps", total.Series) { IsXLogarithmic = true });

        var bound = total.Series.Single(static series => series.IsBound).Points[^1].Y;
        run.Findings.Add(new Finding("all updates together cost at most about (walks / a²) ln m", $"≤ {Say.Number(bound)} steps", $"{Say.Number(sum)} steps for {run.Max} records", sum <= bound, true, "the later a record comes, the fewer decisions it changes"));
        var slope = ConvergenceExperiment.Slope([.. each.Of("steps a record").Where(static point => point.X > 200)]);
        run.Findings.Add(new Finding("the t-th record costs in proportion to 1/t", "slope −1", Say.Number(slope), Math.Abs(slope + 1) < 0.25, true));
        var exact = new Scores(arrived, run.Stop).All(ScoreKind.HittingTime);
        var worst = Enumerable.Range(0, run.Peers).Where(peer => peer != arrived.Observer)
            .Max(peer => Math.Abs((double)walks.HitsOf(peer) / Walks - exact[peer]) / Math.Max(Math.Sqrt(exact[peer] * (1 - exact[peer]) / Walks), 1.0 / Walks));
        run.Findings.Add(new Finding("after all of them the scores are still exact in distribution", "within 4.5 standard errors, every peer", Say.Number(worst), worst <= 4.5, true, "the increment decides, so nothing drifts"));
    }
}
