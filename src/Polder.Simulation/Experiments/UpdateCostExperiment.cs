using Polder.Ledger.Reputation;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R8 (Bahmani, Chowdhury, Goel, 2010): what keeping the walks up to date costs as records come in random order.</summary>
internal sealed class UpdateCostExperiment : Study
{
    private const int Walks = 2_000;

    public override string Name => "R8";
    public override string About => "Walks that a node draws anew as the t-th record arrives, against t: in all about (walks / a) ln m of them, of 1/a steps each.";
    public override StudyNumber Peers { get; } = new("peers", 100, 20, 500);
    public override StudyNumber Strength { get; } = new("records", 5_000, 500, 50_000);
    protected override int? MaxOf(bool full) => full ? 30_000 : Strength.Default;

    private protected override void Play(StudyRun run)
    {
        var chance = Prng.Derive(run.Seed, "arrivals");
        const int observer = 0;
        var graph = new WorkGraph("MB");
        var walks = new StoredWalks(graph, MadeUpKeys.Of(observer), run.Stop, Walks, Prng.DeriveSeed(run.Seed, "updates"));
        var (each, total) = (new Curves(), new Curves());
        var arrived = Society.Of(run.Peers, observer, 1, []);
        var (sum, window, windowStart, next) = (0L, 0L, 0, 10.0);
        for (var t = 1; t <= run.Max; t++)
        {
            if (t % 500 == 0) run.Step($"record {t} of {run.Max}");
            // Everybody consumes as often as anybody: arrivals in random order, as the theorem asks.
            int consumer = chance.Next(run.Peers), contributor = (int)(run.Peers * Math.Pow(chance.NextDouble(), 1.5));
            if (consumer == contributor) contributor = (contributor + 1) % run.Peers;
            var before = walks.Redrawn;
            if (graph.TryAdd(new WorkRecord(MadeUpKeys.Of(contributor), MadeUpKeys.Of(consumer), 1, MadeUpKeys.Of(consumer), (uint)t, (uint)t, 0), out var change)) walks.Added(change);
            var drawn = walks.Redrawn - before;
            arrived.Record(contributor, consumer, 1);
            (sum, window) = (sum + drawn, window + drawn);
            if (t < next && t < run.Max) continue;
            each.Add("walks a record", (t + windowStart) / 2.0, (double)window / (t - windowStart));
            each.Bound("(walks / a) / t", (t + windowStart) / 2.0, Walks / run.Stop / ((t + windowStart) / 2.0));
            total.Add("walks drawn anew", t, sum);
            total.Bound("(walks / a) ln t + walks", t, Walks / run.Stop * Math.Log(t) + Walks);
            (window, windowStart, next) = (0, t, t * 1.5);
        }
        run.Panels.Add(new StudyPanel("each", "Walks drawn anew by one record", "records so far", "walks", each.Series) { IsXLogarithmic = true, IsYLogarithmic = true, Caption = $"{Walks} walks kept, {run.Peers} peers, a = {Say.Number(run.Stop)}." });
        run.Panels.Add(new StudyPanel("total", "Walks drawn anew in all", "records so far", "walks", total.Series) { IsXLogarithmic = true });

        var bound = total.Series.Single(static series => series.IsBound).Points[^1].Y;
        run.Findings.Add(new Finding("all updates together draw at most about (walks / a) ln m walks anew, (walks / a²) ln m steps", $"≤ {Say.Number(bound)} walks", $"{Say.Number(sum)} walks for {run.Max} records", sum <= bound, true, "the later a record comes, the fewer decisions it changes"));
        var slope = ConvergenceExperiment.Slope([.. each.Of("walks a record").Where(static point => point.X > 200)]);
        run.Findings.Add(new Finding("the t-th record costs in proportion to 1/t", "slope −1", Say.Number(slope), Math.Abs(slope + 1) < 0.25, true));
        var exact = new Scores(arrived, run.Stop).All(ScoreKind.HittingTime);
        var worst = Enumerable.Range(0, run.Peers).Where(peer => peer != arrived.Observer)
            .Max(peer => Math.Abs((graph.Find(MadeUpKeys.Of(peer)) is { } number ? (double)walks.HitsOf(number) / Walks : 0) - exact[peer]) / Math.Max(Math.Sqrt(exact[peer] * (1 - exact[peer]) / Walks), 1.0 / Walks));
        run.Findings.Add(new Finding("after all of them the scores are still exact in distribution", "within 4.5 standard errors, every peer", Say.Number(worst), worst <= 4.5, true, "the increment decides, so nothing drifts"));
    }
}
