#pragma warning disable CA1822, IDE0060 // a skeleton: the bodies are on their way
using Polder.Identity;

namespace Polder.Overlay.Sessions;

/// <summary>Takes one frame of a session. False: malformed, which no honest peer sends. The span is valid only during the call.</summary>
public delegate bool FrameHandler(Session session, ReadOnlySpan<byte> body);

/// <summary>All secure sessions of a node. Used on its loop.</summary>
public sealed class SessionTable
{
    private readonly NodeHost _host;

    internal SessionTable(NodeHost host) => _host = host;

    /// <summary>A session opened.</summary>
    public event Action<Session>? Opened;

    /// <summary>A session ended: closed, given up, or replaced because the peer started again.</summary>
    public event Action<Session>? Closed;

    /// <summary>A session moved; the second is the path before.</summary>
    public event Action<Session, SessionPath>? Moved;

    /// <summary>The sessions that are open.</summary>
    public IReadOnlyList<Session> All => [];

    /// <summary>The open session with that peer, or null.</summary>
    public Session? Find(Peer peer) => null;

    /// <summary>The open session with that key, or null.</summary>
    public Session? Find(PublicKey key) => null;

    /// <summary>
    /// Makes a handshake on that path. Gives the session that is open already, if there is one; null when nobody answered there or
    /// the peer has no sessions. Cancelling gives null to this asker only.
    /// </summary>
    public Task<Session?> OpenAsync(PublicKey key, SessionPath path, CancellationToken cancel = default) => Task.FromResult<Session?>(null);

    /// <summary>
    /// Takes a datagram of a session or handshake that came on <paramref name="via"/>. The node does it for its own socket; relays and
    /// further sockets do it for theirs.
    /// </summary>
    public void Receive(SessionPath via, ReadOnlySpan<byte> datagram) { }

    /// <summary>Handles frames of one type. A second handler for a type throws.</summary>
    public void OnFrame(FrameType type, FrameHandler handler) { }

    /// <summary>Whether this key had a session with us within 30 days: plain application messages from it are refused.</summary>
    public bool IsSticky(PublicKey key) => false;

    /// <summary>What we know of this key.</summary>
    public SessionState StateOf(PublicKey key) => SessionState.Unknown;

    internal void Receive(Net.Endpoint from, ReadOnlySpan<byte> datagram) { }

    internal void Raise(Session session, SessionPath? before)
    {
        _ = _host;
        if (before is not null) Moved?.Invoke(session, before);
        else if (session.IsOpen) Opened?.Invoke(session);
        else Closed?.Invoke(session);
    }
}
