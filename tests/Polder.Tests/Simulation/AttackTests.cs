using System.Text.Json;
using Polder.Ledger.Reputation;
using Polder.Simulation.Attacks;
using Polder.Tests.Ledger;

namespace Polder.Tests.Simulation;

/// <summary>The attack laboratory: bounds that are stated hold, the same settings give the same report, and the published figures come out.</summary>
public sealed class AttackTests
{
    public static TheoryData<string> Attacks => [.. Studies.Attacks.Select(study => study.Name)];
    public static TheoryData<string> Experiments => [.. Studies.Experiments.Select(study => study.Name)];

    [Theory]
    [MemberData(nameof(Attacks))]
    public void Every_stated_bound_holds_from_any_seed(string name)
    {
        foreach (var seed in name == "spam" ? (ulong[])[7] : [1, 7])
        {
            var report = Studies.FindAttack(name)!.Run(Small(name, seed), cancellation: TestContext.Current.CancellationToken);
            Assert.All(report.Findings, finding => Assert.True(finding.Holds || !finding.IsStated, $"seed {seed}: {finding}"));
            Assert.NotEmpty(report.Panels);
        }
    }

    [Theory]
    [InlineData("sybil")]
    [InlineData("cycle")]
    [InlineData("slander")]
    [InlineData("traitor")]
    public void Small_societies_of_any_seed_keep_them_too(string name)
    {
        for (var seed = 1ul; seed <= 40; seed++)
        {
            var report = Studies.FindAttack(name)!.Run(new StudySettings(seed) { Peers = 12, Max = 5 }, cancellation: TestContext.Current.CancellationToken);
            Assert.All(report.Findings, finding => Assert.True(finding.Holds || !finding.IsStated, $"seed {seed}: {finding}"));
            Assert.All(report.Panels.SelectMany(panel => panel.Series), series => Assert.All(series.Points, point => Assert.True(double.IsFinite(point.Y), $"seed {seed}: {series.Name}")));
        }
    }

    [Theory]
    [MemberData(nameof(Experiments))]
    public void Every_published_shape_comes_out(string name)
    {
        var report = Studies.FindExperiment(name)!.Run(new StudySettings(7), cancellation: TestContext.Current.CancellationToken);
        Assert.All(report.Findings, finding => Assert.True(finding.Holds || !finding.IsStated, finding.ToString()));
        Assert.Contains(report.Findings, finding => finding.IsStated);
        if (name is "R7" or "R8") Assert.Equal(report.ToCsv(), Studies.FindExperiment(name)!.Run(new StudySettings(7), cancellation: TestContext.Current.CancellationToken).ToCsv());
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public void The_same_settings_give_the_same_report(string name)
    {
        var study = Studies.FindAttack(name)!;
        Assert.Equal(study.Run(Small(name, 3), cancellation: TestContext.Current.CancellationToken).ToCsv(), study.Run(Small(name, 3), cancellation: TestContext.Current.CancellationToken).ToCsv());
        if (name != "spam") Assert.NotEqual(study.Run(Small(name, 3), cancellation: TestContext.Current.CancellationToken).ToCsv(), study.Run(Small(name, 4), cancellation: TestContext.Current.CancellationToken).ToCsv());
    }

    [Theory]
    [InlineData("serial", SybilWiring.Path)]
    [InlineData("parallel", SybilWiring.Parallel)]
    [InlineData("cycle", SybilWiring.Cycle)]
    [InlineData("path+cycle", SybilWiring.PathCycle)]
    public void The_published_attacks_gain_what_the_vectors_say(string attack, string shape)
    {
        var vectors = LedgerVectors.Open("economy/reputation_sybil.json");
        var (baseline, names) = (vectors.GetProperty("base"), new Dictionary<string, int>());
        var records = baseline.GetProperty("records").EnumerateArray().Select(row => (Index(row[0]), Index(row[1]), row[2].GetInt64())).ToList();
        var society = Society.Of(names.Count, Index(baseline.GetProperty("observer")), Index(baseline.GetProperty("attacker")), records);
        foreach (var row in vectors.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("attack").GetString() == attack))
        {
            var attacked = society.Copy();
            var sybils = SybilWiring.Attach(attacked, shape, row.GetProperty("sybils").GetInt32(), baseline.GetProperty("sybil_edge_weight").GetInt64());
            foreach (var stop in (double[])[0.01, 0.15, 0.4, 0.6])
            {
                var (before, after) = (new Scores(society, stop), new Scores(attacked, stop));
                foreach (var (kind, name) in ((ScoreKind, string)[])[(ScoreKind.HittingTime, "pht"), (ScoreKind.PageRankVisits, "ppr_visits")])
                {
                    var gain = after.Sum(kind, sybils) / before.Of(kind, society.Attacker);
                    Assert.Equal(row.GetProperty(FormattableString.Invariant($"{name}_a{stop}_sybils")).GetDouble(), gain, 1e-9);
                    Assert.Equal(row.GetProperty(FormattableString.Invariant($"{name}_a{stop}_self")).GetDouble(), after.Of(kind, society.Attacker) / before.Of(kind, society.Attacker), 1e-9);
                    if (name == "pht") Assert.True(Theorem.AtMost(gain, (1 - stop) / stop));
                }
            }
            if (!row.TryGetProperty("netflow_alpha2_group_after", out var group)) continue;
            Assert.Equal(group.GetDouble(), new Scores(attacked, 0.4).GroupFlow([society.Attacker, .. sybils]), 1e-6);
        }

        int Index(JsonElement name)
        {
            if (!names.TryGetValue(name.GetString()!, out var index)) names[name.GetString()!] = index = names.Count;
            return index;
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void No_wiring_of_Sybils_at_all_passes_the_bound(double stop)
    {
        for (var seed = 0ul; seed < 20; seed++)
        {
            var chance = Polder.Runtime.Prng.Derive(seed, "wiring");
            var society = Society.Generate(30, 5, seed);
            var before = new Scores(society, stop).Of(ScoreKind.HittingTime, society.Attacker);
            List<int> sybils = [.. Enumerable.Range(0, chance.Next(1, 25)).Select(_ => society.Add())];
            int[] group = [society.Attacker, .. sybils];
            for (var i = 0; i < 80; i++) society.Record(chance.Pick(group), chance.Pick(group), chance.Next(1, 1_000_000));
            var after = new Scores(society, stop);
            Assert.True(Theorem.AtMost(after.Sum(ScoreKind.HittingTime, sybils), before * (1 - stop) / stop), $"seed {seed}");
            Assert.Equal(before, after.Of(ScoreKind.HittingTime, society.Attacker), 1e-9);
        }
    }

    [Fact]
    public void No_wiring_of_Sybils_gets_more_than_alpha_times_the_work_from_charged_budgets()
    {
        for (var seed = 0ul; seed < 20; seed++)
        {
            var chance = Polder.Runtime.Prng.Derive(seed, "budgets");
            var society = Society.Generate(30, 5, seed);
            var work = society.Gave(society.Attacker, peer => peer < society.Honest && peer != society.Attacker);
            // Helpers with much credit of their own are no way to more.
            foreach (var helper in society.From(society.Observer).Keys.Where(peer => peer != society.Attacker).ToList())
                if (chance.Chance(0.5)) society.Record(helper, society.Observer, 10_000);
            int[] group = [society.Attacker, .. Enumerable.Range(0, chance.Next(1, 25)).Select(_ => society.Add())];
            for (var i = 0; i < 80; i++) society.Record(chance.Pick(group), chance.Pick(group), chance.Next(1, 1_000_000));
            Assert.True(new SharedBudgets(society).Collect(group) <= Theorem.Alpha * work, $"seed {seed}");
        }
    }

    [Fact]
    public void Nor_by_signing_some_of_the_service_in_any_order()
    {
        for (var seed = 0ul; seed < 20; seed++)
        {
            var chance = Polder.Runtime.Prng.Derive(seed, "signing");
            var society = Society.Generate(30, 5, seed);
            var work = society.Gave(society.Attacker, peer => peer < society.Honest && peer != society.Attacker);
            foreach (var helper in society.From(society.Observer).Keys.Where(peer => peer != society.Attacker).ToList()) society.Record(helper, society.Observer, 10_000);
            int[] group = [society.Attacker, .. Enumerable.Range(0, 10).Select(_ => society.Add())];
            for (var i = 0; i < 40; i++) society.Record(chance.Pick(group), chance.Pick(group), chance.Next(1, 1_000_000));
            var (budgets, served) = (new SharedBudgets(society), 0L);
            var owed = new long[society.Count];
            for (var i = 0; i < 2_000; i++)
            {
                var member = chance.Pick(group);
                switch (chance.Next(3))
                {
                    case 0 when (long)budgets.Budget(member) is > 0 and var most:
                        var wanted = chance.Chance(0.5) ? most : chance.Next(1, (int)most);
                        Assert.True(budgets.TrySpend(member, wanted));
                        (served, owed[member]) = (served + wanted, owed[member] + wanted);
                        break;
                    case 1 when owed[member] > 0:
                        // It signs for a part of what it got.
                        var signed = chance.Next(1, (int)owed[member]);
                        budgets.Record(society.Observer, member, signed);
                        owed[member] -= signed;
                        break;
                    case 2:
                        budgets.Record(chance.Pick(group), chance.Pick(group), chance.Next(1, 1000));
                        break;
                }
            }
            Assert.True(served <= Theorem.Alpha * work, $"seed {seed}: {served} of {Theorem.Alpha * work}");
        }
    }

    [Fact]
    public void A_swarm_of_keys_does_not_shut_the_newcomers_purse_for_good() =>
        Assert.Contains(Studies.FindAttack("whitewash")!.Run(new StudySettings(7) { Max = 5 }, cancellation: TestContext.Current.CancellationToken).Findings, finding => finding.Claim.Contains("swarm", StringComparison.Ordinal) && finding.Holds);

    [Theory]
    [InlineData("sybil", 5, null, null, null, "peers")]
    [InlineData("sybil", null, 0, null, null, "max")]
    [InlineData("sybil", null, null, "star", null, "variant")]
    [InlineData("sybil", null, null, null, 1.5, "stop")]
    [InlineData("sybil", null, null, null, double.NaN, "stop")]
    [InlineData("fork", null, null, null, 0.5, "stop")]
    [InlineData("cycle", null, null, "path", null, "variant")]
    public void Settings_out_of_range_are_refused_with_words(string name, int? peers, int? max, string? variant, double? stop, string field)
    {
        var settings = new StudySettings(1) { Peers = peers, Max = max, Variant = variant, Stop = stop };
        Assert.Equal(field, Studies.FindAttack(name)!.Complaint(settings)!.Field);
        Assert.Throws<ArgumentException>(() => Studies.FindAttack(name)!.Run(settings, cancellation: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_study_can_be_ended()
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Studies.FindExperiment("R3")!.Run(new StudySettings(1), _ => stop.Cancel(), stop.Token));
    }

    // Spam plays whole worlds; small ones do for a test.
    private static StudySettings Small(string name, ulong seed) => new(seed) { Max = name == "spam" ? 40 : null, Peers = name == "fork" ? 200 : null };
}
