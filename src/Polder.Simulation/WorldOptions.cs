namespace Polder.Simulation;

/// <summary>How a world is run. What happens in it is in its seed, links and nodes.</summary>
public sealed record WorldOptions
{
    /// <summary>The scenario's name, for the report of a failure. Default "world".</summary>
    public string Scenario { get; init; } = "world";

    /// <summary>The seed that the report names, where a scenario made several worlds from one; null for the world's own.</summary>
    public ulong? RepeatSeed { get; init; }

    /// <summary>Real Ed25519 and session ciphers instead of the stand-ins. Slower by a factor of some ten. Default false.</summary>
    public bool RealSignatures { get; init; }

    /// <summary>Whether rare things happen in the nodes' code (<see cref="Polder.Runtime.Mischief"/>), until the faults end. Default false.</summary>
    public bool Mischief { get; init; }

    /// <summary>Virtual time that a piece of work takes on the workers. Default 1 ms.</summary>
    public TimeSpan WorkDelay { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Events kept for the report of a failure. At least 1, default 50.</summary>
    public int EventsKept { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 50;

    /// <summary>Further arguments of the command that repeats the run, such as "--nodes 12". Default none.</summary>
    public string RepeatArguments { get; init; } = "";
}
