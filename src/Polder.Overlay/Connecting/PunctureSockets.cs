using Polder.Net;

namespace Polder.Overlay.Connecting;

/// <summary>The many sockets of a birthday, on the side whose router draws ports at random (OV-6.5).</summary>
internal sealed class PunctureSockets(NodeHost host)
{
    private readonly List<IExtraSocket> _sockets = [];
    private int _next;

    public int Count => _sockets.Count;

    /// <summary>Opens one more; false when there are no more to have.</summary>
    public bool TryOpen(out IExtraSocket? socket)
    {
        socket = host.Nat.Sockets.TryOpen();
        if (socket is not null) _sockets.Add(socket);
        return socket is not null;
    }

    /// <summary>The next in turn.</summary>
    public IExtraSocket Next() => _sockets[_next++ % _sockets.Count];

    /// <summary>Closes all but the winners.</summary>
    public void CloseLosers()
    {
        foreach (var socket in _sockets)
            if (!host.Nat.Sockets.IsKept(socket)) socket.Dispose();
        _sockets.Clear();
    }
}
