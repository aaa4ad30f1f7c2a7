using Polder.Simulation.Experiments;

namespace Polder.Simulation.Attacks;

/// <summary>Every attack and every experiment, for <c>polder sim attack</c>, <c>polder sim experiment</c>, the page and the tests.</summary>
public static class Studies
{
    /// <summary>The attacks.</summary>
    public static IReadOnlyList<Study> Attacks { get; } =
        [new SybilAttack(), new CycleAttack(), new WhitewashAttack(), new TraitorAttack(), new SlanderAttack(), new SpamAttack(), new ForkAttack()];

    /// <summary>The experiments of reputation.md §6 whose shapes are reproduced, R1 to R9.</summary>
    public static IReadOnlyList<Study> Experiments { get; } =
    [
        new InformativenessExperiment(), new DetectorExperiment(), new RankGainExperiment(), new StrategicExperiment(), new SybilGainExperiment(),
        new ForumExperiment(), new ConvergenceExperiment(), new UpdateCostExperiment(), new FraudProofExperiment(),
    ];

    /// <summary>An attack by its name, or null.</summary>
    public static Study? FindAttack(string name) => Attacks.FirstOrDefault(study => study.Name == name);

    /// <summary>An experiment by its name, in either case, or null.</summary>
    public static Study? FindExperiment(string name) => Experiments.FirstOrDefault(study => study.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
