#pragma warning disable CA1822, IDE0060 // a skeleton: the bodies are on their way
using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>
/// A secure session with one peer. It outlives rekeys and changes of address; when the peer starts again, this one closes and
/// another opens. Used on the node's loop.
/// </summary>
public sealed class Session
{
    internal Session(Peer peer, SessionPath path) => (Peer, Path) = (peer, path);

    /// <summary>Whom it is with; its key is proved.</summary>
    public Peer Peer { get; }

    /// <summary>On which way packets go at present.</summary>
    public SessionPath Path { get; private set; }

    /// <summary>Whether it is open: neither closed by a side nor given up.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>When it opened, on the node's clock.</summary>
    public TimeSpan OpenedAt { get; private set; }

    /// <summary>When the last authenticated packet came.</summary>
    public TimeSpan LastIn { get; private set; }

    /// <summary>When the last packet went out.</summary>
    public TimeSpan LastOut { get; private set; }

    /// <summary>Round trip by PING and PONG, smoothed; null while unknown.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Handshakes so far, 1 at first, the same number on both sides. A rekey keeps the session and raises it.</summary>
    public uint Epoch { get; private set; }

    /// <summary>Whether we made the first handshake.</summary>
    public bool IsInitiator { get; private set; }

    /// <summary>What the peer said it can do.</summary>
    public uint PeerFeatures { get; private set; }

    /// <summary>How the peer sees us on this path; null while it did not say.</summary>
    public Endpoint? SeenAs { get; private set; }

    /// <summary>Addresses at which the peer believes to be reachable: hints, at most 8.</summary>
    public IReadOnlyList<Endpoint> PeerAddresses { get; private set; } = [];

    /// <summary>Which packet the frames handled just now came in. Meaningful only inside a <see cref="FrameHandler"/>.</summary>
    public PacketNumber Receiving { get; private set; }

    /// <summary>On which path that packet came. Meaningful only inside a <see cref="FrameHandler"/>.</summary>
    public SessionPath ReceivedOn { get; private set; } = null!;

    /// <summary>Room for frames, headers of frames included, in one packet on the current path.</summary>
    public int FrameBytesMax => (Path.DatagramBytesMax - 29) & ~15;

    /// <summary>Sends one frame in a packet of its own on the current path. False: closed, or too long.</summary>
    public bool Send(FrameType type, ReadOnlySpan<byte> body) => false;

    /// <summary>Sends one frame in a packet of its own on that path, which need not be proved; the 3× rule holds there.</summary>
    public bool SendOn(SessionPath path, FrameType type, ReadOnlySpan<byte> body) => false;

    /// <summary>
    /// Sends ready-made frames (type u8, length u16, body; one after the other, at most <see cref="FrameBytesMax"/> bytes). False when
    /// nothing was sent: closed, or a new key is being agreed on and the old one is used up; try again after a few milliseconds.
    /// </summary>
    public bool TrySendPacket(ReadOnlySpan<byte> frames, out PacketNumber number)
    {
        number = default;
        return false;
    }

    /// <summary>Sends a PATH_CHALLENGE there; the session moves to it when it is answered.</summary>
    public void TryPath(SessionPath candidate) { }

    /// <summary>Tells the peer and closes; 0 is "going away".</summary>
    public void Close(byte code = 0) { }
}
