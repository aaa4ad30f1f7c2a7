using Polder.Ledger.Reputation;

namespace Polder.Simulation.Attacks;

/// <summary>Others say of somebody honest that it took and never gave.</summary>
internal sealed class SlanderAttack : Study
{
    private const long Claimed = 10_000;

    public override string Name => "slander";
    public override string About => "Peers claim that an honest worker took much and gave nothing: what does its score lose?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("slanderers", 20, 1, 100);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var victim = society.Attacker;
        var observer = society.Observer;
        var before = new Scores(society, run.Stop);
        // The observer's own helpers first, for they are believed most; then others; never the victim.
        var slanderers = society.From(observer).Keys.Order().Concat(Enumerable.Range(0, society.Honest)).Where(peer => peer != victim && peer != observer).Distinct().ToList();
        var (alone, together) = (new Curves(), new Curves());
        const string believed = "BarterCast, unsigned reports believed";
        foreach (var count in run.Strengths().Select(count => Math.Min(count, slanderers.Count)).Distinct())
        {
            run.Step($"{count} slanderers");
            // Alone: a half block that the victim never signed weighs against its signer only, so the graph of records stays what it is.
            var signed = new Scores(society, run.Stop);
            var unsigned = society.Copy();
            foreach (var slanderer in slanderers.Take(count)) unsigned.Record(slanderer, victim, Claimed);
            foreach (var kind in Scores.Shown) alone.Add(Scores.NameOf(kind), count, signed.Of(kind, victim) / before.Of(kind, victim));
            alone.Add(believed, count, new Scores(unsigned, run.Stop).Signed(ScoreKind.BarterCast2, victim) / before.Signed(ScoreKind.BarterCast2, victim));
            alone.Bound("no effect", count, 1);

            // Together with false identities: nothing is said of the victim; their walks are led elsewhere.
            var diverted = society.Copy();
            foreach (var slanderer in slanderers.Take(count)) diverted.Record(diverted.Add(), slanderer, Claimed);
            var after = new Scores(diverted, run.Stop);
            foreach (var kind in Scores.Shown) together.Add(Scores.NameOf(kind), count, after.Of(kind, victim) / before.Of(kind, victim));
            together.Bound("what reaches it without them", count, Without(society, slanderers.Take(count).ToHashSet(), run.Stop, victim) / before.Of(ScoreKind.HittingTime, victim));
        }
        run.Panels.Add(new StudyPanel("reports", "Reports that the victim never signed", "slanderers", "victim's score ÷ before", alone.Series)
            { Caption = $"Each claims to have given the victim {Claimed} MB. The observer's own helpers slander first." });
        run.Panels.Add(new StudyPanel("diversion", "Diversion: slanderers vouch for false identities instead", "slanderers", "victim's score ÷ before", together.Series)
            { Caption = $"Each signs {Claimed} MB with a false identity, so that walks through it hardly reach the victim any more." });

        var worst = Scores.Shown.Max(kind => alone.Of(Scores.NameOf(kind)).Max(static point => Math.Abs(point.Y - 1)));
        run.Findings.Add(new Finding("reports that the victim did not sign change no score", "1", Say.Number(1 - worst), worst == 0, true, "there are no negative edges, and half a record counts against its signer only"));
        run.Findings.Add(new Finding("BarterCast without signatures withstands slander", "1", Say.Number(alone.Last(believed)), Theorem.Same(alone.Last(believed), 1), false,
            "a report of one side is believed: this is what the second signature removes"));
        var flow = Math.Max(Math.Abs(1 - together.Last(Scores.NameOf(ScoreKind.NetFlow2))), Math.Abs(1 - together.Last(Scores.NameOf(ScoreKind.BarterCast2))));
        run.Findings.Add(new Finding("diversion changes no flow score", "1", Say.Number(1 - flow), flow < 1e-9, true, "a new edge elsewhere takes nothing from the paths that are there"));
        var hits = together.Last(Scores.NameOf(ScoreKind.HittingTime));
        var least = together.Series.Single(static series => series.IsBound).Points[^1].Y;
        run.Findings.Add(new Finding("diversion leaves the walks that do not pass through slanderers", $"≥ {Say.Number(least)}", Say.Number(hits), Theorem.AtMost(least, hits), false,
            "who vouches for others takes from those for whom it vouched before: a helper of the observer can do that, a stranger cannot"));
    }

    /// <summary>The chance to reach the victim by walks that end at a slanderer.</summary>
    private static double Without(Society society, HashSet<int> slanderers, double stop, int victim)
    {
        var cut = society.Copy();
        foreach (var slanderer in slanderers)
        {
            // All that leaves a slanderer goes to one sink.
            var row = cut.From(slanderer).ToList();
            var sink = cut.Add();
            foreach (var (contributor, _) in row) cut.Withdraw(contributor, slanderer);
            cut.Record(sink, slanderer, 1);
        }
        return new Scores(cut, stop).Of(ScoreKind.HittingTime, victim);
    }
}
