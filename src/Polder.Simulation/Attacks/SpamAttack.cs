using System.Globalization;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Identity;
using Polder.Runtime;
using Polder.Simulation.Scenarios;

namespace Polder.Simulation.Attacks;

/// <summary>Very many records that are worth nothing: in the score, and at a real node's door.</summary>
internal sealed class SpamAttack : Study
{
    private const string ToVictim = "proposals", ToOthers = "foreign";
    // As much as is agreed to unasked.
    private const long Amount = 1L << 20;
    private const int BlocksMax = 1_000, FloodSeconds = 20, Keys = 50, Nodes = 4;

    public override string Name => "spam";
    public override string About => "A flood of tiny records: does it pay in score, and what does it cost whoever receives it?";
    public override StudyNumber Peers { get; } = new("honest peers", 60, 10, 400);
    public override StudyNumber Strength { get; } = new("blocks a second thrown at one node", 500, 10, 2000);
    public override IReadOnlyList<string> Variants { get; } = [ToOthers, ToVictim];

    private protected override void Play(StudyRun run)
    {
        Split(run);
        Flood(run);
    }

    /// <summary>The same work in ever more records.</summary>
    private static void Split(StudyRun run)
    {
        var society = Society.Generate(run.Peers, 7, run.Seed);
        var before = new Scores(society, run.Stop);
        var curves = new Curves();
        const long work = 10_000;
        var helper = society.From(society.Observer).Keys.Where(peer => peer != society.Attacker).Min();
        for (var records = 1; records <= work; records *= 10)
        {
            run.Step($"{records} records");
            var split = society.Copy();
            for (var i = 0; i < records; i++) split.Record(society.Attacker, helper, work / records);
            var after = new Scores(split, run.Stop);
            foreach (var kind in Scores.Shown) curves.Add(Scores.NameOf(kind), records, after.Of(kind, society.Attacker) / before.Of(kind, society.Attacker));
        }
        run.Panels.Add(new StudyPanel("split", $"{work} MB of real work, in one record or in many", "records", "score ÷ before", curves.Series) { IsXLogarithmic = true });
        var spread = curves.Series.Max(static series => series.Points.Max(static point => point.Y) - series.Points.Min(static point => point.Y));
        run.Findings.Add(new Finding("the same work in more records is worth the same", "difference 0", Say.Number(spread), spread < 1e-9, true, "scores are made from sums of amounts, never from counts of records"));
    }

    /// <summary>The very code of a node, in a world, with a flooder at its door.</summary>
    private static void Flood(StudyRun run)
    {
        var (kept, honest) = (new Curves(), new Curves());
        foreach (var rate in run.Strengths(5))
        {
            run.Step($"{rate} blocks a second at a node");
            var (sent, held, agreed) = Play(run, rate);
            kept.Add("blocks sent", rate, sent);
            kept.Add("blocks that the node still holds", rate, held);
            kept.Bound("bound: its quota", rate, BlocksMax + Ledger.Limits.BlocksAboveMax);
            honest.Add("honest records agreed", rate, agreed);
        }
        run.Panels.Add(new StudyPanel("flood", "What a flood leaves behind", "blocks a second", "blocks", kept.Series)
            { Caption = $"{FloodSeconds} virtual seconds of well-signed blocks by {Keys} keys, {(run.Variant == ToVictim ? "proposals to the node itself," : "about each other,")} at a node with a quota of {BlocksMax}: the node's own code in the simulator." });
        run.Panels.Add(new StudyPanel("honest", "Honest work meanwhile", "blocks a second", "records agreed", honest.Series) { Caption = $"{Nodes} honest nodes, one of them flooded." });
        var bound = BlocksMax + Ledger.Limits.BlocksAboveMax;
        var most = kept.Highest("blocks that the node still holds");
        run.Findings.Add(new Finding(run.Variant == ToVictim ? "a flood of proposals to the node itself stays within the quota" : "a flood of valid foreign blocks stays within the quota", $"≤ {bound} blocks",
            $"{Say.Number(most)} of {Say.Number(kept.Highest("blocks sent"))}", most <= bound, true,
            most <= bound ? "what came first of strangers goes first; own blocks and partners' stay, and of proposals few are agreed to without the owner once the own chain takes a quarter of the quota"
            : "own blocks and partners' never go"));
        var (without, with) = (honest.First("honest records agreed"), honest.Of("honest records agreed").Min(static point => point.Y));
        run.Findings.Add(new Finding("honest work goes on under the flood", $"≥ 80 % of {Say.Number(without)}", Say.Number(with), with >= 0.8 * without, false, "each address has a rate of its own, and checking stops at the first failure"));
    }

    private static (long Sent, long Held, int Agreed) Play(StudyRun run, int rate)
    {
        var world = new World(Prng.DeriveSeed(run.Seed, "spam"), LinkModel.Calm, new WorldOptions { Scenario = "attack spam" }) { Cancellation = run.Cancellation };
        var society = new LedgerSociety(world) { KnowsOnlyHonest = true };
        var options = new TrustChainOptions { CrawlEverything = true, CrawlInterval = TimeSpan.FromSeconds(20), BlocksMax = BlocksMax };
        for (var i = 0; i < Nodes; i++) society.Add(string.Create(CultureInfo.InvariantCulture, $"n{i}"), options: options);
        var mallory = society.AddCheater("mallory", static (node, context) => new Cheater(node, context));
        world.RunUntil(() => society.Honest.All(static node => node.Ledger!.Peers.Count >= Nodes - 1), TimeSpan.FromMinutes(3), "everybody meets everybody");
        society.Work(Prng.Derive(run.Seed, "owners"), TimeSpan.FromSeconds(0.5));
        var (sent, before) = (0L, society.Agreed);
        var chance = Prng.Derive(run.Seed, "flood");
        // Chains in good order: what is wrong with a block stops it at the first check and costs nothing further.
        var keys = new KeyPair[Keys];
        var last = new HalfBlock?[Keys];
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        for (var i = 0; i < keys.Length; i++)
        {
            chance.Fill(entropy);
            keys[i] = KeyPair.FromEntropy(entropy);
        }
        var victim = society.Honest[0];
        var end = world.Now + TimeSpan.FromSeconds(FloodSeconds);
        if (rate > 0) Next();
        world.RunFor(TimeSpan.FromSeconds(FloodSeconds));
        society.Rest();
        world.RunFor(TimeSpan.FromSeconds(15));
        return (sent, victim.Ledger!.Store.Count, society.Agreed - before);

        void Next() => world.At(world.Now + TimeSpan.FromSeconds(0.1), () =>
        {
            if (world.Now > end) return;
            mallory.Run(() =>
            {
                var cheater = mallory.Get<Cheater>();
                for (var i = 0; i < Math.Max(1, rate / 10); i++)
                {
                    var key = chance.Next(keys.Length);
                    var sequence = (last[key]?.Sequence ?? 0) + 1;
                    var link = run.Variant == ToVictim ? victim.Identity.Public : keys[(key + 1) % keys.Length].Public;
                    last[key] = cheater.Sign(keys[key], sequence, link, 0, last[key], new BandwidthEntry(0, Amount, 0, sequence * (long)Amount, ""));
                    cheater.Throw(victim, last[key]!);
                    sent++;
                }
            });
            Next();
        });
    }
}
