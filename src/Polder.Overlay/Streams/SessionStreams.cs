using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Overlay.Streams;

/// <summary>What the streams of one session do.</summary>
/// <param name="Open">Streams that are open.</param>
/// <param name="RoundTrip">Smoothed round trip by acknowledgements; null while unknown.</param>
/// <param name="ForegroundWindowBytes">Bytes of priorities 0 and 1 that may be under way.</param>
/// <param name="BackgroundWindowBytes">Bytes of priorities 2 and 3 that may be under way.</param>
/// <param name="InFlightBytes">Bytes under way.</param>
/// <param name="PacketsSent">Packets that asked for an acknowledgement.</param>
/// <param name="PacketsLost">Those that were taken for lost.</param>
/// <param name="PacketsLostWrongly">Those that then arrived after all.</param>
public sealed record StreamFigures(
    int Open, TimeSpan? RoundTrip, long ForegroundWindowBytes, long BackgroundWindowBytes, long InFlightBytes,
    long PacketsSent, long PacketsLost, long PacketsLostWrongly);

/// <summary>Ties one session to its connection of streams.</summary>
internal sealed class SessionStreams : IStreamLink
{
    private readonly StreamTable _table;
    private PacketNumber _packet;
    private TimeSpan _bytesAt = TimeSpan.MinValue;
    private bool _isInPacket;

    public SessionStreams(StreamTable table, Session session)
    {
        (_table, Session) = (table, session);
        Connection = new StreamConnection(this, table.Options, table.Pages);
    }

    public StreamConnection Connection { get; }
    public Session Session { get; }
    public NodeLoop Loop => _table.Host.Environment.Loop;
    public TimeSpan Now => _table.Host.Now;
    public bool IsInitiator => Session.IsInitiator;
    public int FrameBytesMax => Session.FrameBytesMax;
    public TimeSpan? RoundTrip => Session.RoundTrip;

    public bool TrySendPacket(ReadOnlySpan<byte> frames, out PacketNumber number) => Session.TrySendPacket(frames, out number);

    public void Touch(StreamConnection connection) => _table.Touch(this);

    public bool Accept(PeerStream stream) => _table.Accept(stream);

    public void Suspect() => _table.Suspect(Session);

    /// <summary>A frame of ours. The first one of another packet ends the packet before.</summary>
    public bool Receive(FrameType type, ReadOnlySpan<byte> body)
    {
        if (!_isInPacket || Session.Receiving != _packet)
        {
            EndPacket();
            (_isInPacket, _packet) = (true, Session.Receiving);
            Connection.BeginPacket(_packet);
            // The packet must be closed also when nothing of ours follows.
            _table.Touch(this);
        }
        if (type == FrameType.Stream) _bytesAt = Now;
        return Connection.OnFrame(type, body);
    }

    /// <summary>Whether bytes came lately and streams are open still: silence then is the path's, not the peer's.</summary>
    public bool Expects(TimeSpan lately) => Connection.Count > 0 && _bytesAt > TimeSpan.MinValue && Now - _bytesAt < lately;

    public void Flush()
    {
        EndPacket();
        Connection.IsTouched = false;
        Connection.Flush();
        // A peer that is silent for so long has lost its place; if it comes back, it is with a new session and new streams.
        if (Connection.IsClosed) Session.Close();
        // More to send than one turn allows.
        else if (Connection.NextAt <= Now) _table.Touch(this);
    }

    public void Moved(SessionPath before)
    {
        EndPacket();
        Connection.Moved(before.Kind == Session.Path.Kind && before.Remote.SameAddress(Session.Path.Remote));
    }

    public void Close(PeerStreamException why)
    {
        EndPacket();
        Connection.Close(why);
        _table.Forget(Session);
    }

    public StreamFigures Figures()
    {
        var (sender, recovery) = (Connection.Sender, Connection.Sender.Recovery);
        return new StreamFigures(
            Connection.Count, recovery.Path.HasSample ? recovery.Path.Smoothed : null, sender.Foreground.Window, sender.Background.Window,
            sender.Foreground.InFlight + sender.Background.InFlight, recovery.PacketsSent, recovery.PacketsLost, recovery.PacketsLostWrongly);
    }

    private void EndPacket()
    {
        if (!_isInPacket) return;
        _isInPacket = false;
        Connection.EndPacket(Now);
    }
}
