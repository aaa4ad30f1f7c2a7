using Polder.Ledger.Reputation;

namespace Polder.Simulation.Attacks;

/// <summary>A ring whose members sign work for each other in a circle that nobody did.</summary>
internal sealed class CycleAttack : Study
{
    private const long Amount = 10_000;

    public override string Name => "cycle";
    public override string About => "A ring of colluders sign large amounts for each other in a circle: what is that worth to anybody else?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("members of the ring beside the attacker", 20, 1, 100);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var before = new Scores(society, run.Stop);
        var attacker = society.Attacker;
        var bound = (1 - run.Stop) / run.Stop;
        // Back after at least two steps, each time with (1−a)².
        var lift = 1 / (1 - (1 - run.Stop) * (1 - run.Stop));
        var work = Theorem.Alpha * society.Gave(attacker, peer => peer < society.Honest && peer != attacker);
        var (length, amount, own, flow) = (new Curves(), new Curves(), new Curves(), new Curves());

        foreach (var count in run.Strengths(from: 1))
        {
            run.Step($"a ring of {count + 1}");
            var (scores, group) = Ring(count, Amount);
            foreach (var kind in Scores.Shown)
            {
                length.Add(Scores.NameOf(kind), count, scores.Sum(kind, group) / before.Of(kind, attacker));
                own.Add(Scores.NameOf(kind), count, scores.Of(kind, attacker) / before.Of(kind, attacker));
            }
            length.Bound("bound (1−a)/a", count, bound);
            own.Bound("bound 1/(1−(1−a)²)", count, lift);
        }
        for (var signed = 1L; signed <= 1_000_000; signed *= 10)
        {
            run.Step($"{signed} MB in a circle");
            var (scores, group) = Ring(Math.Min(5, run.Max), signed);
            foreach (var kind in Scores.Shown) amount.Add(Scores.NameOf(kind), signed, scores.Sum(kind, group) / before.Of(kind, attacker));
            amount.Bound("bound (1−a)/a", signed, bound);
            flow.Add("all members together, by maximum flow", signed, scores.GroupFlow([attacker, .. group]));
            flow.Add("served by shared budgets", signed, new SharedBudgets(scores.Society).Collect([attacker, .. group]));
            flow.Add("amount that they claim to have given", signed, (group.Count + 1.0) * signed);
            flow.Bound("bound α × work", signed, work);
        }

        run.Panels.Add(new StudyPanel("length", "The longer the ring", "members beside the attacker", "their scores ÷ the attacker's before", length.Series)
            { Caption = $"{Amount} MB signed from each to the next, a = {Say.Number(run.Stop)}." });
        run.Panels.Add(new StudyPanel("amount", "The more they sign", "MB in a circle", "their scores ÷ the attacker's before", amount.Series) { IsXLogarithmic = true, Caption = $"A ring of {Math.Min(5, run.Max) + 1}." });
        run.Panels.Add(new StudyPanel("own", "What the attacker's own score becomes", "members beside the attacker", "score after ÷ before", own.Series));
        run.Panels.Add(new StudyPanel("work", "Work that the ring can get", "MB in a circle", "MB", flow.Series) { IsXLogarithmic = true, IsYLogarithmic = true });

        var pht = Scores.NameOf(ScoreKind.HittingTime);
        var most = Math.Max(length.Highest(pht), amount.Highest(pht));
        run.Findings.Add(new Finding("the hitting times of all members beside the attacker stay below (1−a)/a of its own", $"≤ {Say.Number(bound)}", Say.Number(most), Theorem.AtMost(most, bound), true,
            "a walk gets to the ring only through the attacker"));
        run.Findings.Add(new Finding("the ring does not lift the attacker's own hitting time", "≤ 1", Say.Number(own.Highest(pht)), Theorem.AtMost(own.Highest(pht), 1), true, "a hit counts once a walk"));
        var visits = own.Highest(Scores.NameOf(ScoreKind.PageRankVisits));
        run.Findings.Add(new Finding("PageRank lifts the attacker by at most 1/(1−(1−a)²)", $"≤ {Say.Number(lift)}", Say.Number(visits), Theorem.AtMost(visits, lift), false,
            "a walk needs two steps at least to come back"));
        var (joint, charged) = (flow.Highest("all members together, by maximum flow"), flow.Highest("served by shared budgets"));
        var alone = before.GroupFlow([attacker]);
        run.Findings.Add(new Finding("the joint NetFlow of the ring is what the attacker's alone was", $"≤ {Say.Number(alone)} MB", $"{Say.Number(joint)} MB", Theorem.AtMost(joint, alone), true,
            "work in a circle leaves the circle nowhere"));
        run.Findings.Add(new Finding("shared budgets serve the ring at most α times its work", $"≤ {Say.Number(work)} MB", $"{Say.Number(charged)} MB", Theorem.AtMost(charged, work), true));
        run.Findings.Add(new Finding("what members claim to have given says something", "no bound", $"{Say.Number(flow.Last("amount that they claim to have given"))} MB signed", false, false,
            "two who collude can sign any number: only records with somebody honest at the other end count"));

        (Scores Scores, IReadOnlyList<int> Group) Ring(int count, long signed)
        {
            var attacked = society.Copy();
            var group = SybilWiring.Attach(attacked, SybilWiring.Ring, count, signed);
            return (new Scores(attacked, run.Stop), group);
        }
    }
}
