using Microsoft.Extensions.Logging;

namespace Polder.Overlay;

internal static partial class OverlayLog
{
    [LoggerMessage(1, LogLevel.Error, "A handler failed on a datagram from {From}. This is a bug in Polder. Datagram: {Datagram}")]
    public static partial void HandlerFailed(ILogger log, Exception problem, string from, string datagram);

    [LoggerMessage(2, LogLevel.Error, "Background work of {Community} failed. This is a bug in Polder.")]
    public static partial void WorkFailed(ILogger log, Exception problem, string community);
}
