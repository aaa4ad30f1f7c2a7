using Polder.Net;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Nat;

/// <summary>Opens further sockets, hands what they receive to whom it is for, and closes those that no session uses any more (OV-6.7).</summary>
internal sealed class ExtraSocketKeeper(NodeHost host)
{
    private static readonly TimeSpan UnusedFor = TimeSpan.FromSeconds(30);

    private readonly List<(IExtraSocket Socket, TimeSpan UsedAt)> _kept = [];

    /// <summary>Winners of birthdays that are held for their sessions.</summary>
    public int Kept => _kept.Count;

    public IExtraSocket? TryOpen()
    {
        if (host.Environment.ExtraSockets?.TryOpen() is not { } socket) return null;
        socket.Received = (from, datagram) => host.Reception.ReceiveExtra(socket, from, datagram);
        return socket;
    }

    /// <summary>The socket found a way: it stays open as long as a session uses it.</summary>
    public void Keep(IExtraSocket socket)
    {
        foreach (var (kept, _) in _kept)
            if (kept == socket) return;
        _kept.Add((socket, host.Now));
    }

    public bool IsKept(IExtraSocket socket)
    {
        foreach (var (kept, _) in _kept)
            if (kept == socket) return true;
        return false;
    }

    public void Beat(TimeSpan now)
    {
        for (var i = _kept.Count - 1; i >= 0; i--)
        {
            var (socket, usedAt) = _kept[i];
            if (IsUsed(socket)) _kept[i] = (socket, now);
            else if (now - usedAt > UnusedFor)
            {
                socket.Dispose();
                _kept.RemoveAt(i);
            }
        }
    }

    public void Stop()
    {
        foreach (var (socket, _) in _kept) socket.Dispose();
        _kept.Clear();
    }

    private bool IsUsed(IExtraSocket socket)
    {
        foreach (var session in host.Sessions.All)
            if (session.Path is SocketPath path && path.Socket == socket) return true;
        return false;
    }
}
