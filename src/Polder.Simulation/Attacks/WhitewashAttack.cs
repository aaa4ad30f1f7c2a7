using Polder.Ledger.Reputation;
using Polder.Runtime;

namespace Polder.Simulation.Attacks;

/// <summary>Somebody who takes what newcomers get, throws the key away, and comes back as a newcomer.</summary>
internal sealed class WhitewashAttack : Study
{
    private const int GrantMegabytes = 64, FreeSlots = 4, Days = 30, NewcomersADay = 3;

    public override string Name => "whitewash";
    public override string About => "A cheater comes back every time under a new key: what do newcomers' grants cost, and whom?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("new keys a day", 50, 1, 1000);

    private protected override void Play(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var reputation = new SharedBudgets(society).Reputation;
        const double pool = GrantMegabytes * FreeSlots;
        var (got, honest) = (new Curves(), new Curves());
        const string pooled = "with the shared pool", single = "a grant a key, no pool", balance = "plain balance, credit of one grant", nothing = "by score alone";
        foreach (var keys in run.Strengths())
        {
            run.Step($"{keys} new keys a day");
            var (attacker, newcomers) = Pool(reputation, society.Count, keys, Prng.Derive(run.Seed, $"whitewash {keys}"));
            got.Add(pooled, keys, attacker);
            got.Add(single, keys, (double)keys * GrantMegabytes);
            got.Add(balance, keys, (double)keys * GrantMegabytes);
            got.Add(nothing, keys, keys == 0 ? 0 : keys * NewKeysScore(run, society));
            got.Bound("bound: the pool", keys, pool);
            honest.Add(pooled, keys, newcomers);
            honest.Add(single, keys, 1);
            honest.Add(nothing, keys, 0);
        }
        run.Panels.Add(new StudyPanel("got", "What the whitewasher gets a day", "new keys a day", "MB a day", got.Series)
            { Caption = $"{GrantMegabytes} MB a key; the pool holds {GrantMegabytes} MB for each of {FreeSlots} free slots. Mean of {Days} days." });
        run.Panels.Add(new StudyPanel("newcomers", "What honest newcomers get", "new keys a day of the whitewasher", "share of what they ask", honest.Series)
            { Caption = $"{NewcomersADay} honest newcomers a day, each asking one grant, in random order among the others." });

        var most = got.Highest(pooled);
        run.Findings.Add(new Finding("newcomers' grants cost at most the pool, however many keys there are", $"≤ {Say.Number(pool)} MB a day", $"{Say.Number(most)} MB a day", Theorem.AtMost(most, pool), true,
            "the pool is charged, not the key, so a new key brings nothing more"));
        run.Findings.Add(new Finding("a grant a key without a pool bounds it", "no bound", $"{Say.Number(got.Last(single))} MB a day", false, false, "keys cost nothing"));
        var after = AfterSwarm(reputation, society.Count);
        run.Findings.Add(new Finding("a swarm of keys that take next to nothing shuts newcomers out for the rest of the day only", "served the next day", after ? "served" : "refused", after, false, "what is remembered of keys is bounded, and forgotten with the day when it is full"));
        var score = NewKeysScore(run, society);
        run.Findings.Add(new Finding("a new key has no score, whatever its owner did before", "0", Say.Number(score), score == 0, true, "leaving resets a debt and gives nothing"));
        var share = honest.Last(pooled);
        run.Findings.Add(new Finding("honest newcomers do not suffer", "all they ask", $"{Say.Number(share * 100)} % at {run.Max} keys a day", share > 0.99, false,
            "newcomers and whitewashers cannot be told apart, so they share one pool: the price is theirs (an introduction by somebody known is the way past it)"));
    }

    // Mean over the days of a node's own newcomers' purse: what the whitewasher gets a day, and the share of what honest newcomers ask.
    private static (double Attacker, double Newcomers) Pool(PersonalReputation reputation, int known, int keys, Prng chance)
    {
        var purse = new NewcomerPurse(reputation, perKey: GrantMegabytes, perDay: GrantMegabytes * FreeSlots);
        var (attacker, newcomers, next) = (0.0, 0.0, known);
        for (var day = 0; day < Days; day++)
        {
            var arrivals = new bool[keys + NewcomersADay];
            for (var i = 0; i < NewcomersADay; i++) arrivals[i] = true;
            chance.Shuffle<bool>(arrivals);
            foreach (var isHonest in arrivals)
            {
                var request = new ServiceRequest(MadeUpKeys.Of(next++), GrantMegabytes, DateTimeOffset.UnixEpoch.AddDays(day));
                if (purse.Decide(request)?.Accept() != true) continue;
                if (isHonest) newcomers += GrantMegabytes;
                else attacker += GrantMegabytes;
            }
        }
        return (attacker / Days, newcomers / (Days * NewcomersADay * GrantMegabytes));
    }

    /// <summary>Whether an honest newcomer is served on the day after as many keys as are remembered took one megabyte each.</summary>
    private static bool AfterSwarm(PersonalReputation reputation, int known)
    {
        var purse = new NewcomerPurse(reputation, perKey: GrantMegabytes, perDay: 2 * NewcomerPurse.KeysMax);
        for (var i = 0; i <= NewcomerPurse.KeysMax; i++) purse.Decide(new ServiceRequest(MadeUpKeys.Of(known + i), 1, DateTimeOffset.UnixEpoch))?.Accept();
        return purse.Decide(new ServiceRequest(MadeUpKeys.Of(known + NewcomerPurse.KeysMax + 1), GrantMegabytes, DateTimeOffset.UnixEpoch.AddDays(1)))?.Accept() == true;
    }

    private static double NewKeysScore(StudyRun run, Society society)
    {
        var joined = society.Copy();
        var key = joined.Add();
        var scores = new Scores(joined, run.Stop);
        return Scores.Shown.Max(kind => scores.Of(kind, key));
    }
}
