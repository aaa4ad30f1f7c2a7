using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>How a session's way was made, in the words of the doctor.</summary>
public enum PathOrigin
{
    /// <summary>At an address at which the peer lets strangers in, or already was a neighbour.</summary>
    Direct,
    /// <summary>We let strangers in; the peer dialled when a helper told it to.</summary>
    Reverse,
    /// <summary>Both sent at the same moment.</summary>
    Simultaneous,
    /// <summary>The next port of one router was guessed.</summary>
    Predicted,
    /// <summary>Many sockets on one side met many guesses on the other.</summary>
    Birthday,
    /// <summary>In our own network.</summary>
    Lan,
    /// <summary>Both are behind the same router, and it let us out and in again.</summary>
    Hairpin,
    /// <summary>Through a peer.</summary>
    Relayed,
    /// <summary>The peer came to us.</summary>
    Incoming,
}

/// <summary>A way that probes went there and back.</summary>
internal sealed record FoundPath(SessionPath Path, PathOrigin Origin);
