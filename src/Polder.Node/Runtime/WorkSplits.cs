using Polder.Ledger.Reputation;

namespace Polder.Node.Runtime;

/// <summary>Spreads heavy work on a graph over the machine's cores.</summary>
internal static class WorkSplits
{
    /// <summary>A part for each core, at most eight.</summary>
    public static WorkSplit AllCores { get; } = new(Math.Clamp(Environment.ProcessorCount, 1, 8), static (parts, part) => Parallel.For(0, parts, part));
}
