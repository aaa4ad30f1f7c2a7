namespace Polder.Net;

/// <summary>
/// Further sockets of a node, beside the one that carries everything: for a birthday puncture and for finding out what a router
/// lets in (Overlay OV-2.1). An adapter in production, the world in the simulator.
/// </summary>
public interface IExtraSockets
{
    /// <summary>
    /// Opens a socket on a port of the system's choosing, on the loop; the caller disposes it. It begins to receive when
    /// <see cref="IDatagramSocket.Received"/> is set. Null when the system has no more to give.
    /// </summary>
    IExtraSocket? TryOpen();
}

/// <summary>A socket that is closed when it is no longer wanted.</summary>
public interface IExtraSocket : IDatagramSocket, IDisposable;
