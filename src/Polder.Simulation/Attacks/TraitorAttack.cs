using Polder.Ledger.Reputation;

namespace Polder.Simulation.Attacks;

/// <summary>Somebody who worked honestly, and from one day on only takes.</summary>
internal sealed class TraitorAttack : Study
{
    public override string Name => "traitor";
    public override string About => "An honest worker stops working and only takes: how much does each rule of service let it have?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("requests after the turn", 100, 5, 400);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var (traitor, observer) = (society.Attacker, society.Observer);
        var before = new Scores(society, run.Stop);
        var earned = society.Gave(traitor, peer => peer != traitor);
        // Everything it could ever be worth is asked for several times over.
        var request = Math.Max(1, 8 * earned / run.Max);
        var (got, worth) = (new Curves(), new Curves());

        var budgets = new SharedBudgets(society);
        var byBudget = 0L;
        Rule byHits = new(run, society, ScoreKind.HittingTime), byVisits = new(run, society, ScoreKind.PageRankVisits), byBarter = new(run, society, ScoreKind.BarterCast2);
        var (byBalance, balance) = (0L, before.BalanceOf(traitor));
        const string charged = "budget, charged", balanceOnly = "plain balance above 0";
        foreach (var asked in Enumerable.Range(0, run.Max + 1))
        {
            if (asked % 10 == 0) run.Step($"request {asked} of {run.Max}");
            if (asked > 0)
            {
                var most = (long)Math.Min(request, Math.Floor(budgets.Budget(traitor)));
                if (most > 0 && budgets.TrySpend(traitor, most))
                {
                    budgets.Record(observer, traitor, most);
                    byBudget += most;
                }
                if (balance > 0) (byBalance, balance) = (byBalance + request, balance - request);
                foreach (var rule in (Rule[])[byHits, byVisits, byBarter]) rule.Ask(request);
            }
            var x = (double)asked * request;
            got.Add(charged, x, byBudget);
            got.Add(balanceOnly, x, byBalance);
            foreach (var rule in (Rule[])[byHits, byVisits, byBarter])
            {
                got.Add($"{Scores.NameOf(rule.Kind)} above the median", x, rule.Got);
                worth.Add(Scores.NameOf(rule.Kind), x, rule.Worth);
            }
            worth.Add("budget", x, budgets.Budget(traitor) / Math.Max(1, before.Of(ScoreKind.NetFlow2, traitor)));
            got.Bound("bound α × work", x, Theorem.Alpha * earned);
        }

        run.Panels.Add(new StudyPanel("got", "What the traitor gets", "MB asked for since it turned", "MB served", got.Series) { Caption = $"It had worked {earned} MB for others; α = {Theorem.Alpha}." });
        run.Panels.Add(new StudyPanel("worth", "What its score says meanwhile", "MB asked for since it turned", "score ÷ score before", worth.Series));

        var bound = Theorem.Alpha * earned;
        run.Findings.Add(new Finding("a budget that is charged gives at most α times the work that was done", $"≤ {Say.Number(bound)} MB", $"{Say.Number(got.Last(charged))} MB", Theorem.AtMost(got.Last(charged), bound), true,
            "each grant lowers what is left, for good"));
        Unbounded(byHits, "consuming does not lower the chance to be reached: no walk score bounds work (Stannat, 2020), so it needs a budget beside it");
        Unbounded(byVisits, "what it takes adds no edge that leads away from it");
        run.Findings.Add(new Finding("BarterCast bounds the work", $"≤ {Say.Number(bound)} MB", $"{Say.Number(byBarter.Got)} MB", Theorem.AtMost(byBarter.Got, bound + request), false,
            "what it took flows back and weighs against it, request by request"));

        void Unbounded(Rule rule, string because)
        {
            var all = (double)run.Max * request;
            run.Findings.Add(new Finding($"serving by {Scores.NameOf(rule.Kind)} bounds the work", $"≤ {Say.Number(bound)} MB", $"{Say.Number(rule.Got)} MB of {Say.Number(all)} MB asked for",
                Theorem.AtMost(rule.Got, bound), false, because));
        }
    }

    /// <summary>Serves whoever has at least the median of the positive scores of that day.</summary>
    private sealed class Rule
    {
        private readonly StudyRun _run;
        private readonly Society _society;
        private readonly double _threshold, _before;

        public Rule(StudyRun run, Society society, ScoreKind kind)
        {
            (_run, _society, Kind) = (run, society.Copy(), kind);
            var scores = new Scores(society, run.Stop);
            var positive = Enumerable.Range(0, society.Honest).Where(peer => peer != society.Observer && peer != society.Attacker).Select(peer => scores.Of(kind, peer)).Where(static score => score > 0).Order().ToList();
            _threshold = positive.Count == 0 ? 0 : positive[positive.Count / 2];
            // A traitor that is below the median from the start would show nothing: it is held to half of its own.
            _before = scores.Of(kind, society.Attacker);
            _threshold = Math.Min(_threshold, _before / 2);
            Worth = 1;
        }

        public ScoreKind Kind { get; }
        public long Got { get; private set; }
        public double Worth { get; private set; }

        public void Ask(long amount)
        {
            var now = new Scores(_society, _run.Stop).Of(Kind, _society.Attacker);
            Worth = now / (_before == 0 ? 1 : _before);
            if (now <= 0 || now < _threshold) return;
            _society.Record(_society.Observer, _society.Attacker, amount);
            Got += amount;
        }
    }
}
