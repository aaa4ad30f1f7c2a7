using Polder.Ledger.Reputation;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R9: a proof of fraud against a hub takes away, at once, everybody whose merit came through it.</summary>
internal sealed class FraudProofExperiment : Study
{
    public override string Name => "R9";
    public override string About => "A hub is proven a forker: what becomes of the scores behind it, and of all others?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 300);
    public override StudyNumber Strength { get; } = new("peers behind the hub", 20, 2, 100);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var (hub, chance) = (society.Attacker, Prng.Derive(run.Seed, "region"));
        var region = new List<int>();
        for (var i = 0; i < run.Max; i++)
        {
            var peer = society.Add();
            // Whoever is in the region works for the hub or for one of the region, and for nobody else.
            society.Record(peer, i == 0 || chance.Chance(0.5) ? hub : chance.Pick(region), chance.Next(10, 100));
            region.Add(peer);
        }
        var after = society.Copy();
        after.Remove(hub);
        var (was, now) = (new Scores(society, run.Stop), new Scores(after, run.Stop));
        var curves = new List<StudySeries>();
        foreach (var kind in Scores.Shown)
        {
            run.Step(Scores.NameOf(kind));
            var (before, left) = (was.Sum(kind, region), now.Sum(kind, region));
            curves.Add(new StudySeries(Scores.NameOf(kind), [new StudyPoint(0, 1), new StudyPoint(1, before > 0 ? left / before : 0)]));
            run.Findings.Add(new Finding($"everybody behind the hub falls to 0 ({Scores.NameOf(kind)})", "0", $"{Say.Number(left)} of {Say.Number(before)}", left == 0, true));
            run.Findings.Add(new Finding($"the hub itself falls to 0 ({Scores.NameOf(kind)})", "0", Say.Number(now.Of(kind, hub)), now.Of(kind, hub) == 0, true));
        }
        run.Panels.Add(new StudyPanel("region", "Scores behind the hub, before and after the proof", "proofs", "their sum ÷ before", curves) { Caption = $"{run.Max} peers whose work reaches the observer through one peer only." });

        // A node's own reputation: one call, then the next question is answered by the new state, walks that it keeps included.
        var live = new SharedBudgets(society, walks: 2_000);
        ScoreKind[] kinds = [ScoreKind.NetFlow2, ScoreKind.HittingTime, ScoreKind.PageRankVisits, ScoreKind.MeritRank];
        var held = kinds.Sum(kind => region.Sum(peer => live.Score(peer, kind)));
        live.Remove(hub);
        var rest = kinds.Sum(kind => region.Append(hub).Sum(peer => live.Score(peer, kind))) + region.Append(hub).Sum(peer => live.Budget(peer));
        run.Findings.Add(new Finding("in a node's own reputation one update is enough, for every score, budget and kept walk", "0", $"{Say.Number(rest)} of {Say.Number(held)}", rest == 0 && held > 0, true));
        var others = Enumerable.Range(0, run.Peers).Where(peer => peer != hub && peer != society.Observer).ToList();
        var kept = others.Count(peer => now.Of(ScoreKind.HittingTime, peer) > 0);
        var had = others.Count(peer => was.Of(ScoreKind.HittingTime, peer) > 0);
        run.Findings.Add(new Finding("honest peers with other ways to the observer keep a score", $"{had} peers", $"{kept} peers", kept >= had * 0.9, false, kept == had ? "" : "those who hung behind the hub alone went with it: the price of a hub"));
    }
}
