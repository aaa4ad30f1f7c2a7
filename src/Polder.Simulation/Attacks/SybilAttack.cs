using Polder.Ledger.Reputation;

namespace Polder.Simulation.Attacks;

/// <summary>One honest worker makes itself helpers out of nothing and has them vouch for each other.</summary>
internal sealed class SybilAttack : Study
{
    private const long Amount = 20, Unlimited = 1_000_000;
    private const string Heavy = "hitting time, records of any size";

    public override string Name => "sybil";
    public override string About => "An honest worker makes false identities that sign for each other: what do they gain?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("false identities", 50, 1, 200);
    public override IReadOnlyList<string> Variants => SybilWiring.Shapes;

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var before = new Scores(society, run.Stop);
        var attacker = society.Attacker;
        var bound = (1 - run.Stop) / run.Stop;
        var work = Theorem.Alpha * society.Gave(attacker, peer => peer < society.Honest && peer != attacker);
        var (gain, sums, own, flow) = (new Curves(), new Curves(), new Curves(), new Curves());
        var (flowBefore, heavyGain) = (before.GroupFlow([attacker]), 0.0);

        foreach (var count in run.Strengths())
        {
            run.Step($"{count} false identities");
            var attacked = society.Copy();
            var sybils = SybilWiring.Attach(attacked, run.Variant, count, Amount);
            var after = new Scores(attacked, run.Stop);
            foreach (var kind in Scores.Shown)
            {
                // Walk scores have a bound; sums of flow scores have none, so they get a picture of their own.
                (kind is ScoreKind.NetFlow2 or ScoreKind.BarterCast2 ? sums : gain).Add(Scores.NameOf(kind), count, after.Sum(kind, sybils) / before.Of(kind, attacker));
                own.Add(Scores.NameOf(kind), count, after.Of(kind, attacker) / before.Of(kind, attacker));
            }
            sums.Add(Scores.Balance, count, sybils.Sum(sybil => Math.Max(0, after.BalanceOf(sybil))) / Math.Max(1, before.BalanceOf(attacker)));

            var heavy = society.Copy();
            var heavySybils = SybilWiring.Attach(heavy, run.Variant, count, Unlimited);
            var most = new Scores(heavy, run.Stop).Sum(ScoreKind.HittingTime, heavySybils) / before.Of(ScoreKind.HittingTime, attacker);
            gain.Add(Heavy, count, most);
            heavyGain = Math.Max(heavyGain, most);
            gain.Bound("bound (1−a)/a", count, bound);

            int[] group = [attacker, .. sybils];
            flow.Add("all identities together, by maximum flow", count, after.GroupFlow(group));
            flow.Add("served by shared budgets", count, new SharedBudgets(attacked).Collect(group));
            flow.Add("scores taken as budgets (wrong)", count, after.Sum(ScoreKind.NetFlow2, group));
            flow.Bound("bound α × work", count, work);
        }

        run.Panels.Add(new StudyPanel("gain", "What the false identities gain by walks", "false identities", "their scores ÷ the attacker's before", gain.Series)
            { Caption = $"Shape {run.Variant}, walks that stop with a = {Say.Number(run.Stop)}. Records of {Amount} MB each, and of any size." });
        run.Panels.Add(new StudyPanel("sums", "Scores that are no budgets: their sums", "false identities", "their scores ÷ the attacker's before", sums.Series)
            { Caption = "By flow every false identity may show a score; behind all of them stands one budget (below)." });
        run.Panels.Add(new StudyPanel("own", "What the attacker's own score becomes", "false identities", "score after ÷ before", own.Series));
        run.Panels.Add(new StudyPanel("work", "Work that the group can get", "false identities", "MB", flow.Series)
            { Caption = $"The attacker worked {Say.Number(work / Theorem.Alpha)} MB for honest peers; α = {Theorem.Alpha}." });

        var walk = Math.Max(gain.Highest(Scores.NameOf(ScoreKind.HittingTime)), heavyGain);
        run.Findings.Add(new Finding("the hitting times of all Sybils together stay below (1−a)/a of the attacker's", $"≤ {Say.Number(bound)}", Say.Number(walk), Theorem.AtMost(walk, bound), true,
            "every visit to a Sybil comes after one to the attacker, and a walk makes at most (1−a)/a further steps on average"));
        Own(run, own, ScoreKind.HittingTime, stated: true, "a walk hits once, and the first hit comes before anything the Sybils can do");
        Own(run, own, ScoreKind.PageRankVisits, stated: false, "a walk that is sent back counts again, and a share grows when others get fewer visits");
        var (joint, charged, summed) = (flow.Highest("all identities together, by maximum flow"), flow.Highest("served by shared budgets"), flow.Highest("scores taken as budgets (wrong)"));
        run.Findings.Add(new Finding("the joint NetFlow of all identities is what the attacker's alone was", $"≤ {Say.Number(flowBefore)} MB", $"{Say.Number(joint)} MB", Theorem.AtMost(joint, flowBefore), true,
            "whatever the Sybils sign must pass through the attacker's own work"));
        run.Findings.Add(new Finding("shared budgets serve the group at most α times its work", $"≤ {Say.Number(work)} MB", $"{Say.Number(charged)} MB", Theorem.AtMost(charged, work), true,
            "every grant is charged to those through whom it came"));
        var generous = Generous(society, run.Max, run.Variant);
        run.Findings.Add(new Finding("they do so too when a helper in between worked a hundred times as much for the observer", $"≤ {Say.Number(work)} MB", $"{Say.Number(generous)} MB", Theorem.AtMost(generous, work), true,
            Theorem.AtMost(generous, work) ? "what counts is the attacker's work for the helper, however often it asks" : "asking again and again takes what the helper earned, as long as service is not recorded"));
        run.Findings.Add(new Finding("the scores of the group, each taken as a budget of its own, keep that bound", $"≤ {Say.Number(work)} MB", $"{Say.Number(summed)} MB", Theorem.AtMost(summed, work), false,
            Theorem.AtMost(summed, work) ? "at this size; each further Sybil adds a score, so it will not for ever" : "the bound is on the group, not on the sum of scores: that is why budgets are shared"));
        var balance = sums.Highest(Scores.Balance);
        run.Findings.Add(new Finding("plain balances (gave less took) bound what Sybils gain", "no bound", $"{Say.Number(balance)} × the attacker's", balance <= 1, false,
            balance <= 1 ? "in this shape what they gave and took cancels; in parallel it does not" : "whoever signs for nobody can write any balance"));
    }

    /// <summary>The same with one helper of the attacker who has much credit with the observer, which the attacker may try to use up.</summary>
    private static double Generous(Society society, int sybils, string shape)
    {
        var rich = society.Copy();
        var helper = society.From(society.Observer).Keys.Where(peer => peer != society.Attacker && society.Work(society.Attacker, peer) > 0).Order().First();
        rich.Record(helper, rich.Observer, 100 * society.Work(helper, society.Observer));
        int[] group = [rich.Attacker, .. SybilWiring.Attach(rich, shape, sybils, Amount)];
        return new SharedBudgets(rich).Collect(group);
    }

    private static void Own(StudyRun run, Curves own, ScoreKind kind, bool stated, string because)
    {
        var most = own.Highest(Scores.NameOf(kind));
        var holds = Theorem.AtMost(most, 1);
        run.Findings.Add(new Finding($"Sybils do not lift the attacker's own score by {Scores.NameOf(kind)}", "≤ 1", Say.Number(most), holds, stated,
            holds == stated ? because : holds ? "in this shape no walk comes back" : because));
    }
}
