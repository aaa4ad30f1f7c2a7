using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>Finds the node of a data folder.</summary>
internal static class NodeAccess
{
    /// <summary>The running node behind its API; where none runs, the folder at rest.</summary>
    public static async Task<INodeOperations> OpenAsync(string folder, CancellationToken cancellation)
    {
        if (await TryFindRunningAsync(folder, cancellation).ConfigureAwait(false) is { } running) return running;
        // The folder itself answers what only needs reading, and says "start it" to the rest.
        return RestingNode.Open(folder, Environment.GetEnvironmentVariable("POLDER_PASSPHRASE"));
    }

    /// <summary>The running node behind its API, or null.</summary>
    public static async Task<ApiNode?> TryFindRunningAsync(string folder, CancellationToken cancellation)
    {
        if (ApiFiles.TryRead(folder) is not { } file) return null;
        var node = new ApiNode(file);
        if (await node.IsThereAsync(cancellation).ConfigureAwait(false)) return node;
        node.Dispose();
        return null;
    }
}
