using Polder.Node;
using Polder.Node.Operations;

namespace Polder.Host;

/// <summary>Starts a node in this process.</summary>
internal static class NodeLaunch
{
    /// <summary>Opens folder, database and socket, and joins. What is given back is disposed by the caller.</summary>
    /// <exception cref="NodeStartException">It cannot start; the message says what to do.</exception>
    public static Task<IRunningNode> StartAsync(NodeOptions options, CancellationToken cancellation) =>
        throw new NotImplementedException($"{options} {cancellation}");
}

/// <summary>A node that runs in this process.</summary>
internal interface IRunningNode : IAsyncDisposable
{
    /// <summary>What people and programs do with it.</summary>
    INodeOperations Operations { get; }
}
