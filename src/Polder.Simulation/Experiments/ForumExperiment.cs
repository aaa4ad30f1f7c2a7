using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R6 (MeritRank's notebook on the MakerDAO forum): what a Sybil attack gains at the end, by β. The data set cannot be passed on; a forum is made up.</summary>
internal sealed class ForumExperiment : Study
{
    private static readonly double[] Betas = [0, 0.25, 0.5, 0.75, 0.9, 1];
    private const int Weeks = 20;

    public override string Name => "R6";
    public override string About => "A made-up forum that grows week by week, 50 Sybils at the end: the gain by MeritRank's connectivity decay β.";
    public override StudyNumber Peers { get; } = new("members at the end", 120, 40, 400);
    public override StudyNumber Strength { get; } = new("Sybils", 50, 5, 100);
    protected override int PeersOf(bool full) => full ? 300 : Peers.Default;

    private protected override void Play(StudyRun run)
    {
        var (observer, attacker) = (0, 1);
        var edges = new List<WorkEdge>();
        var (overTime, byBeta) = (new Curves(), new Curves());
        var chance = Prng.Derive(run.Seed, "forum");
        var likes = new List<int> { observer, attacker };
        for (var week = 1; week <= Weeks; week++)
        {
            run.Step($"week {week} of {Weeks}");
            var members = Math.Max(4, run.Peers * week / Weeks);
            for (var i = 0; i < members * 2; i++)
            {
                // Whoever was thanked before is read more.
                var reader = chance.Next(members);
                var writer = chance.Chance(0.7) ? chance.Pick(likes) : chance.Next(members);
                if (reader == writer) continue;
                edges.Add(new WorkEdge(writer, reader, 1));
                likes.Add(writer);
            }
            if (week < Weeks / 4) continue;
            var graph = DenseGraph.Of(run.Peers, edges);
            // A few more Sybils every week, all of them at the end.
            var sybils = Math.Max(1, run.Max * (week - Weeks / 4) / (Weeks - Weeks / 4));
            var attacked = graph.With(Enumerable.Range(0, sybils).SelectMany(sybil => (WorkEdge[])
                [new WorkEdge(run.Peers + sybil, attacker, 1), new WorkEdge(attacker, run.Peers + sybil, 1)]), sybils);
            var (before, after) = (new ExactWalks(graph, run.Stop), new ExactWalks(attacked, run.Stop));
            var necks = after.Necks(observer);
            foreach (var beta in Betas)
            {
                var hits = Gain(before.HittingTimeShare(observer), after.HittingTimeShare(observer), necks, beta, normalise: true);
                if (beta is 0 or 0.5 or 0.9) overTime.Add($"hitting time, β = {Say.Number(beta)}", week, hits);
                if (week < Weeks) continue;
                byBeta.Add("hitting time", beta, hits);
                byBeta.Add("PageRank (visits)", beta, Gain(before.PageRankVisits(observer), after.PageRankVisits(observer), necks, beta, normalise: true));
                byBeta.Add("hitting time, not made shares again", beta, Gain(before.HittingTimeShare(observer), after.HittingTimeShare(observer), necks, beta, normalise: false));
            }
        }
        run.Panels.Add(new StudyPanel("beta", "Gain at the end, by β", "β", "Sybils' scores ÷ the attacker's before", byBeta.Series)
            { Caption = $"{run.Peers} members, {run.Max} Sybils, a = {Say.Number(run.Stop)}. Published for the real forum: 0.45, 0.36, 0.32, 0.26, 0.14, 0 by hitting time." });
        run.Panels.Add(new StudyPanel("weeks", "Gain over the weeks", "week", "Sybils' scores ÷ the attacker's before", overTime.Series));
        foreach (var way in (string[])["hitting time", "PageRank (visits)"])
        {
            var points = byBeta.Of(way);
            var falls = Enumerable.Range(1, points.Count - 1).All(i => points[i].Y < points[i - 1].Y + 1e-12);
            run.Findings.Add(new Finding($"the gain falls with β and is 0 at β = 1 ({way})", "falling to 0", $"{string.Join(", ", points.Select(static point => Say.Number(point.Y)))}", falls && points[^1].Y < 1e-9, true, "Sybils hang behind one peer: their neck is 1"));
            var slopes = Enumerable.Range(1, points.Count - 1).Select(i => (points[i].Y - points[i - 1].Y) / (points[i].X - points[i - 1].X)).ToList();
            var concave = Enumerable.Range(1, slopes.Count - 1).All(i => slopes[i] <= slopes[i - 1] + 1e-9);
            run.Findings.Add(new Finding($"it falls ever faster (concave, {way})", "slopes that grow", string.Join(", ", slopes.Select(Say.Number)), concave, true, "what is cut from Sybils makes everybody's share larger, theirs too"));
        }
        var plain = byBeta.Of("hitting time, not made shares again");
        run.Findings.Add(new Finding("the decay itself is a straight line", $"(1 − β) × {Say.Number(plain[0].Y)}", string.Join(", ", plain.Select(static point => Say.Number(point.Y))),
            plain.All(point => Theorem.Same(point.Y, (1 - point.X) * plain[0].Y)), false, "the curve comes from making shares again afterwards"));

        double Gain(double[] scoresBefore, double[] scoresAfter, Neck[] necks, double beta, bool normalise)
        {
            var decayed = MeritRank.Paper(scoresAfter, necks, beta, 1);
            var all = normalise ? decayed.Sum() : 1;
            return decayed.Skip(run.Peers).Sum() / all / scoresBefore[attacker];
        }
    }
}
