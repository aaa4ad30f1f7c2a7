using Microsoft.Extensions.Logging;

namespace Polder.Node;

internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Error, "Work on the node's loop failed")]
    public static partial void WorkFailed(ILogger log, Exception problem);

    [LoggerMessage(2, LogLevel.Warning, "The database was damaged; it was set aside as {File}, and {Blocks} blocks were taken over")]
    public static partial void DatabaseSetAside(ILogger log, string file, int blocks);
}
