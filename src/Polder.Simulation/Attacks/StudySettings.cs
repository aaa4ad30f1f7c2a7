using System.Globalization;
using System.Text;

namespace Polder.Simulation.Attacks;

/// <summary>What a study runs with. What is null is the study's own default.</summary>
/// <param name="Seed">Where everything random comes from.</param>
public sealed record StudySettings(ulong Seed)
{
    /// <summary>Honest peers.</summary>
    public int? Peers { get; init; }
    /// <summary>How far the attacker's strength grows: Sybils, rounds, records.</summary>
    public int? Max { get; init; }
    /// <summary>One of the study's variants, for example the shape in which Sybils are wired.</summary>
    public string? Variant { get; init; }
    /// <summary>Probability that a walk stops at a step, a of reputation.md §3: above 0, below 1.</summary>
    public double? Stop { get; init; }
    /// <summary>At the published size instead of a small one.</summary>
    public bool Full { get; init; }

    /// <summary>The options of the command line that give these settings.</summary>
    public string Arguments()
    {
        var text = new StringBuilder();
        if (Variant is not null) text.Append(" --variant ").Append(Variant);
        text.Append(CultureInfo.InvariantCulture, $" --seed {Seed}");
        if (Peers is { } peers) text.Append(CultureInfo.InvariantCulture, $" --peers {peers}");
        if (Max is { } max) text.Append(CultureInfo.InvariantCulture, $" --max {max}");
        if (Stop is { } stop) text.Append(CultureInfo.InvariantCulture, $" --stop {stop}");
        if (Full) text.Append(" --full");
        return text.ToString();
    }
}

/// <summary>A number that a study takes, with its range.</summary>
/// <param name="What">What it is, in words.</param>
/// <param name="Default">When nobody says another.</param>
/// <param name="Min">Smallest.</param>
/// <param name="Max">Largest.</param>
public sealed record StudyNumber(string What, int Default, int Min, int Max);
