using Polder.Graph.Model;
using Polder.Graph.Store;

namespace Polder.Node.Graph;

/// <summary>What one commit of a graph store does.</summary>
internal enum GraphStep : byte { Write, Remove, Hold, Release, Touch, Archive }

/// <summary>One step: for a touch the peer's name stands in the key.</summary>
internal readonly record struct GraphOperation(GraphStep Step, GraphWrite Write, GraphRank Rank = GraphRank.Own);

/// <summary>Steps that are committed together.</summary>
internal sealed class GraphBatch(long serial)
{
    public long Serial => serial;
    public List<GraphOperation> Operations { get; } = [];

    /// <summary>Completed on the loop when it is durable, where somebody waits.</summary>
    public TaskCompletionSource? Safe { get; set; }
}
