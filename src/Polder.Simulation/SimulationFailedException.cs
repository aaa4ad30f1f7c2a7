namespace Polder.Simulation;

/// <summary>A run that broke a rule. The message is the report: what, which seed, the last events, and the command that repeats it.</summary>
public sealed class SimulationFailedException : Exception
{
    /// <summary>With a report.</summary>
    public SimulationFailedException(string report, Exception? cause = null) : base(report, cause) { }

    /// <summary>Without one; for serializers.</summary>
    public SimulationFailedException() { }

    /// <summary>Without a cause.</summary>
    public SimulationFailedException(string report) : base(report) { }
}
