using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>How a session's datagrams travel; the better way first.</summary>
public enum PathKind
{
    /// <summary>Our main socket to the peer's address.</summary>
    Direct,
    /// <summary>Another socket of ours, such as a birthday winner, to the peer's address.</summary>
    Extra,
    /// <summary>Through a peer that relays.</summary>
    Relayed,
}

/// <summary>One way on which a session's datagrams travel. Two paths are equal when they lead the same way.</summary>
public abstract class SessionPath : IEquatable<SessionPath>
{
    /// <summary>What is sent unless more was proved to pass (OV-2.3).</summary>
    public const int DatagramBytesDefault = 1200;

    /// <summary>What sort of way it is.</summary>
    public abstract PathKind Kind { get; }

    /// <summary>Where datagrams go: the peer's address, or the relay's.</summary>
    public abstract Endpoint Remote { get; }

    /// <summary>Who relays; null for the other kinds.</summary>
    public virtual Peer? Relay => null;

    /// <summary>The largest datagram that is known to pass: 1200, or what path MTU discovery proved.</summary>
    public int DatagramBytesMax { get; internal protected set; } = DatagramBytesDefault;

    /// <summary>Sends one datagram, best effort.</summary>
    public abstract void Send(ReadOnlySpan<byte> datagram);

    /// <inheritdoc/>
    public abstract bool Equals(SessionPath? other);

    /// <inheritdoc/>
    public abstract override int GetHashCode();

    /// <inheritdoc/>
    public sealed override bool Equals(object? obj) => Equals(obj as SessionPath);

    /// <summary>For people.</summary>
    public override string ToString() => Relay is null ? $"{Kind} {Remote}" : $"{Kind} by {Relay}";
}

/// <summary>The node's main socket, straight to an address.</summary>
public sealed class DirectPath(NodeHost host, Endpoint remote) : SessionPath
{
    /// <inheritdoc/>
    public override PathKind Kind => PathKind.Direct;
    /// <inheritdoc/>
    public override Endpoint Remote => remote;
    /// <inheritdoc/>
    public override void Send(ReadOnlySpan<byte> datagram) => host.TransmitSession(remote, datagram);
    /// <inheritdoc/>
    public override bool Equals(SessionPath? other) => other is DirectPath path && path.Remote == remote;
    /// <inheritdoc/>
    public override int GetHashCode() => remote.GetHashCode();
}

/// <summary>Another socket of ours, straight to an address. Whoever opened the socket hands what it receives to <see cref="SessionTable.Receive(SessionPath, ReadOnlySpan{byte})"/>.</summary>
public sealed class SocketPath(IDatagramSocket socket, Endpoint remote) : SessionPath
{
    /// <inheritdoc/>
    public override PathKind Kind => PathKind.Extra;
    /// <inheritdoc/>
    public override Endpoint Remote => remote;
    /// <summary>The socket.</summary>
    public IDatagramSocket Socket => socket;
    /// <inheritdoc/>
    public override void Send(ReadOnlySpan<byte> datagram) => socket.Send(remote, datagram);
    /// <inheritdoc/>
    public override bool Equals(SessionPath? other) => other is SocketPath path && path.Socket == socket && path.Remote == remote;
    /// <inheritdoc/>
    public override int GetHashCode() => unchecked(remote.GetHashCode() + 1);
}
