using System.Globalization;

namespace Polder.Simulation.Attacks;

/// <summary>
/// An attack or an experiment: builds a society from a seed, does something to it in growing strength, and holds what comes out against what is
/// claimed. Pure: the same settings give the same report.
/// </summary>
public abstract class Study
{
    /// <summary>By which it is called.</summary>
    public abstract string Name { get; }
    /// <summary>One sentence for people.</summary>
    public abstract string About { get; }
    /// <summary>How many honest peers.</summary>
    public abstract StudyNumber Peers { get; }
    /// <summary>How far the strength grows; null where there is none to choose.</summary>
    public virtual StudyNumber? Strength => null;
    /// <summary>Variants, the default first; empty where there is one only.</summary>
    public virtual IReadOnlyList<string> Variants => [];
    /// <summary>The default of <see cref="StudySettings.Stop"/>; null where walks play no part.</summary>
    public virtual double? StopDefault => 0.4;

    /// <summary>What is wrong with settings; null when they can be run.</summary>
    public StudyComplaint? Complaint(StudySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (Outside(settings.Peers, Peers) is { } peers) return new("peers", $"The number of {Peers.What} is {peers}.");
        if (settings.Max is not null && Strength is null) return new("max", $"Nothing grows in {Name}.");
        if (Strength is { } strength && Outside(settings.Max, strength) is { } max) return new("max", $"The number of {strength.What} is {max}.");
        if (settings.Variant is { } variant && !Variants.Contains(variant))
            return new("variant", Variants.Count == 0 ? $"{Name} has no variants." : $"A variant is one of {string.Join(", ", Variants)}.");
        if (settings.Stop is not null && StopDefault is null) return new("stop", $"No walk of a chosen length plays a part in {Name}.");
        if (settings.Stop is { } stop && !(stop is >= 0.01 and <= 0.95)) return new("stop", "The probability that a walk ends at a step is 0.01 to 0.95.");
        return null;

        static string? Outside(int? value, StudyNumber range) =>
            value < range.Min || value > range.Max ? string.Create(CultureInfo.InvariantCulture, $"{range.Min} to {range.Max}") : null;
    }

    /// <summary>Runs it.</summary>
    /// <param name="settings">With what; must have no <see cref="Complaint"/>.</param>
    /// <param name="progress">Told what is being done; may be null.</param>
    /// <param name="cancellation">Ends the run.</param>
    public StudyReport Run(StudySettings settings, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (Complaint(settings) is { } complaint) throw new ArgumentException(complaint.Message, nameof(settings));
        settings = settings with
        {
            Peers = settings.Peers ?? PeersOf(settings.Full), Max = settings.Max ?? MaxOf(settings.Full),
            Variant = settings.Variant ?? (Variants.Count > 0 ? Variants[0] : null), Stop = settings.Stop ?? StopDefault,
        };
        var run = new StudyRun(settings, progress, cancellation);
        Play(run);
        return new StudyReport(Name, About, settings, run.Panels, run.Findings, run.Lines);
    }

    /// <summary>The default number of peers.</summary>
    protected virtual int PeersOf(bool full) => Peers.Default;

    /// <summary>The default strength.</summary>
    protected virtual int? MaxOf(bool full) => Strength?.Default;

    /// <summary>The study itself.</summary>
    private protected abstract void Play(StudyRun run);
}

/// <summary>What is wrong with the settings of a study.</summary>
/// <param name="Field">Where: peers, max, variant or stop.</param>
/// <param name="Message">One sentence.</param>
public sealed record StudyComplaint(string Field, string Message);

/// <summary>One run of a study, as the study sees it.</summary>
internal sealed class StudyRun(StudySettings settings, Action<string>? progress, CancellationToken cancellation)
{
    public ulong Seed => settings.Seed;
    public int Peers => settings.Peers!.Value;
    public int Max => settings.Max!.Value;
    public string Variant => settings.Variant!;
    public double Stop => settings.Stop!.Value;
    public bool Full => settings.Full;
    public CancellationToken Cancellation => cancellation;

    public List<StudyPanel> Panels { get; } = [];
    public List<Finding> Findings { get; } = [];
    public List<string> Lines { get; } = [];

    /// <summary>Says what comes next, and ends the run when somebody wants that.</summary>
    public void Step(string what)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Invoke(what);
    }

    /// <summary>About <paramref name="count"/> strengths from 0 to <see cref="Max"/>, both among them.</summary>
    public IReadOnlyList<int> Strengths(int count = 11, int from = 0) =>
        [.. Enumerable.Range(0, count).Select(i => from + (int)Math.Round((double)i * (Max - from) / (count - 1))).Distinct()];
}
