using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>
/// Fills packets and sends them as the two congestion controls, pacing and the peer's windows allow, and sends again what got lost.
/// </summary>
internal sealed class StreamSender : IPacketOwner
{
    /// <summary>Packets in one turn of the loop; then datagrams, timers and others get theirs.</summary>
    private const int PacketsPerTurn = 64;
    private const int FramesMax = 16;
    private const int PacketOverheadBytes = 29;
    /// <summary>Less room than this is not worth another frame.</summary>
    private const int FrameRoomMin = StreamFrame.HeaderBytes + 32;
    /// <summary>When the session could not send: a new key is being agreed on.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(5);

    private readonly StreamConnection _connection;
    private readonly Acknowledger _acknowledger;
    private readonly ForegroundCongestion _foreground;
    private readonly BackgroundCongestion _background;
    private readonly StreamScheduler _scheduler = new();
    private readonly Queue<PeerStream> _controls = new();
    private readonly List<PeerStream> _waitForConnection = [];
    private readonly SentFrame[] _frames = new SentFrame[FramesMax];
    private int _frameCount;
    private ulong _sent, _credit; // new bytes of all streams, and how many the peer allows
    private int _forced;
    private TimeSpan _retryAt = TimeSpan.MaxValue;
    private PacketNumber? _acknowledged;

    public StreamSender(StreamConnection connection, Acknowledger acknowledger)
    {
        (_connection, _acknowledger) = (connection, acknowledger);
        var options = connection.Options;
        var packetBytes = SessionPath.DatagramBytesDefault;
        _foreground = new ForegroundCongestion(packetBytes, options.CongestionWindowBytesMax);
        _background = new BackgroundCongestion(packetBytes, options.CongestionWindowBytesMax, options.BackgroundDelayTarget);
        Recovery = new LossRecovery(options, this, _foreground, _background);
        _credit = (ulong)options.ConnectionWindowBytes;
    }

    public LossRecovery Recovery { get; }
    public ForegroundCongestion Foreground => _foreground;
    public BackgroundCongestion Background => _background;
    public bool MaxDataDue { get; set; }
    public bool MaxStreamsDue { get; set; }
    public bool IsWaiting => Recovery.Sent.Outstanding > 0 || _forced > 0;

    /// <summary>Since when something is outstanding that nobody answered.</summary>
    public TimeSpan WaitingSince { get; private set; }

    public void Activate(PeerStream stream)
    {
        if (stream.Sending is not { } side) return;
        if (side.CanSend(ConnectionCredit)) _scheduler.Add(stream);
        else if (side.WaitsForConnection && !_waitForConnection.Contains(stream)) _waitForConnection.Add(stream);
    }

    public void AddControl(PeerStream stream)
    {
        if (stream.HasControl) return;
        stream.HasControl = true;
        _controls.Enqueue(stream);
    }

    /// <summary>The peer read: so many bytes may have been sent in all.</summary>
    public void AllowConnection(ulong bytes)
    {
        if (bytes <= _credit) return;
        _credit = bytes;
        var waiting = _waitForConnection.ToArray();
        _waitForConnection.Clear();
        foreach (var stream in waiting) Activate(stream);
    }

    /// <summary>Asks at once whether the peer is there, without waiting for a timeout.</summary>
    public void ProbeNow() => _forced = 2;

    /// <summary>Forgets everything: the session ended.</summary>
    public void Clear()
    {
        while (Recovery.Sent.Outstanding > 0) Recovery.GiveUpOldest();
        _controls.Clear();
        _waitForConnection.Clear();
        _forced = 0;
    }

    private long ConnectionCredit => (long)(_credit - _sent);

    private bool HasControl => MaxDataDue || MaxStreamsDue || _controls.Count > 0;

    /// <summary>Does what is due now, and gives the time of what is due next.</summary>
    public TimeSpan Run(TimeSpan now)
    {
        if (_connection.Link.RoundTrip is { } hint) Recovery.Path.Assume(hint);
        if (now >= Recovery.LossAt) Recovery.FindLost(now);
        if (now >= Recovery.ProbeAt) Probe(now);
        if (now >= _retryAt) _retryAt = TimeSpan.MaxValue;
        var next = _retryAt == TimeSpan.MaxValue ? Send(now) : _retryAt;
        if (now >= _acknowledger.DueAt && !SendAcknowledgement(now)) next = Earlier(next, now + Retry);
        return Earlier(Earlier(next, _acknowledger.DueAt), Earlier(Recovery.LossAt, Recovery.ProbeAt));
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Probe(TimeSpan now)
    {
        if (Recovery.OnProbe(now)) _connection.Link.Suspect();
        Recovery.GiveUpOldest();
        if (Recovery.Probes > 1) Recovery.GiveUpOldest();
        _forced = Recovery.Probes > 1 ? 2 : 1;
    }

    // Sends until something holds us back; gives when that may be over.
    private TimeSpan Send(TimeSpan now)
    {
        var packetBytes = _connection.Link.FrameBytesMax + PacketOverheadBytes;
        _foreground.PacketBytes = _background.PacketBytes = packetBytes;
        if (Recovery.Sent.Outstanding == 0 && (_scheduler.HasForeground || _scheduler.HasBackground || HasControl))
        {
            if (_connection.LastHeardAt >= WaitingSince) WaitingSince = now;
            var timeout = Recovery.Path.ProbeTimeout(_connection.Options.AckDelayMax);
            _foreground.OnIdle(now - Recovery.LastSentAt, timeout);
            _background.OnIdle(now - Recovery.LastSentAt, timeout);
        }
        for (var left = PacketsPerTurn; left > 0; left--)
        {
            if (_forced > 0)
            {
                _forced--;
                if (!Fill(background: !_scheduler.HasForeground && !HasControl, streams: true, mustAsk: true, now)) return _retryAt;
                continue;
            }
            var wakeAt = TimeSpan.MaxValue;
            bool background, streams = true;
            if (MaySend(_foreground, _scheduler.HasForeground, now, ref wakeAt)) background = false;
            else if (HasControl) (background, streams) = (false, false); // short, and what the other direction waits for
            else if (MayYield() && MaySend(_background, _scheduler.HasBackground, now, ref wakeAt)) background = true;
            else return wakeAt;
            if (!Fill(background, streams, mustAsk: false, now)) return _retryAt;
        }
        return now; // there may be more: in another turn
    }

    private bool MaySend(Congestion control, bool hasStreams, TimeSpan now, ref TimeSpan wakeAt)
    {
        if (!hasStreams || !control.HasRoom) return false;
        var readyAt = control.ReadyAt(now, Recovery.Path);
        if (readyAt <= now) return true;
        if (readyAt < wakeAt) wakeAt = readyAt;
        return false;
    }

    // While the foreground streams of the same session have more than they may send, background ones keep two packets under way.
    private bool MayYield() => !_scheduler.HasForeground || _background.InFlight < 2 * _background.PacketBytes;

    // Fills one packet, with bytes of streams if they may go, and sends it. False: the session could not.
    private bool Fill(bool background, bool streams, bool mustAsk, TimeSpan now)
    {
        var room = _connection.Link.FrameBytesMax;
        var packet = PacketBuffer.Rent(room);
        var span = packet.Bytes.AsSpan(0, room);
        var used = 0;
        _frameCount = 0;
        _acknowledged = null;
        if (_acknowledger.HasNews)
        {
            used = _acknowledger.Write(span, now, out var largest);
            _acknowledged = largest;
        }
        used = WriteControls(span, used);
        if (streams) used = WriteStreams(span, used, packet, background);
        if (_frameCount == 0 && mustAsk)
        {
            // Nothing to send again and nothing new: any frame that must be acknowledged asks as well.
            used += new ControlFrame(FrameType.MaxData, default, 0, _connection.RaiseWindow()).Write(span[used..]);
            Note(new SentFrame { Type = FrameType.MaxData });
        }
        var asks = _frameCount > 0;
        var sent = used == 0 || Transmit(span[..used], asks, background, now);
        packet.Release();
        return sent;
    }

    private bool Transmit(ReadOnlySpan<byte> frames, bool asks, bool background, TimeSpan now)
    {
        if (!_connection.Link.TrySendPacket(frames, out var number))
        {
            for (var i = 0; i < _frameCount; i++) LostFrame(_frames[i]);
            Array.Clear(_frames, 0, _frameCount);
            _retryAt = now + Retry;
            return false;
        }
        if (!asks) return true;
        ref var packet = ref Recovery.OnSent(number, ((frames.Length + 15) & ~15) + PacketOverheadBytes, background, now);
        packet.Acknowledged = _acknowledged;
        packet.FrameCount = _frameCount;
        packet.First = _frames[0];
        if (_frameCount > 1) packet.More = _frames.AsSpan(1, _frameCount - 1).ToArray();
        Array.Clear(_frames, 0, _frameCount);
        return true;
    }

    private bool SendAcknowledgement(TimeSpan now)
    {
        Span<byte> frames = stackalloc byte[AckFrame.BytesMax * 2];
        frames = frames[..Math.Min(frames.Length, _connection.Link.FrameBytesMax)];
        var used = _acknowledger.Write(frames, now, out _);
        return used == 0 || _connection.Link.TrySendPacket(frames[..used], out _);
    }

    // ---- Frames ----

    private int WriteControls(Span<byte> span, int used)
    {
        var room = span.Length;
        if (MaxDataDue && Fits())
        {
            MaxDataDue = false;
            used += new ControlFrame(FrameType.MaxData, default, 0, _connection.RaiseWindow()).Write(span[used..]);
            Note(new SentFrame { Type = FrameType.MaxData });
        }
        if (MaxStreamsDue && Fits())
        {
            MaxStreamsDue = false;
            used += new ControlFrame(ControlFrame.MaxStreams, default, _connection.TellMayOpen(), 0).Write(span[used..]);
            Note(new SentFrame { Type = ControlFrame.MaxStreams });
        }
        for (var left = _controls.Count; left > 0 && Fits(); left--)
        {
            var stream = _controls.Dequeue();
            stream.HasControl = false;
            used = WriteControlsOf(stream, span, used);
            if (stream.HasControl) _controls.Enqueue(stream);
            else _connection.RetireIfOver(stream);
        }
        return used;

        bool Fits() => used + 3 * ControlFrame.BytesMax <= room && _frameCount + 3 <= FramesMax;
    }

    private int WriteControlsOf(PeerStream stream, Span<byte> span, int used)
    {
        if (stream.Sending is { ResetDue: true } sending)
        {
            sending.ResetDue = false;
            used += new ControlFrame(FrameType.Reset, stream.Id, sending.ResetCode, sending.Offset).Write(span[used..]);
            Note(new SentFrame { Type = FrameType.Reset, Stream = stream });
        }
        if (stream.Receiving is not { } receiving) return used;
        if (receiving.StopDue)
        {
            receiving.StopDue = false;
            used += new ControlFrame(FrameType.StopSending, stream.Id, receiving.StopCode, 0).Write(span[used..]);
            Note(new SentFrame { Type = FrameType.StopSending, Stream = stream });
        }
        if (!stream.WindowDue) return used;
        stream.WindowDue = false;
        if (receiving.IsOver || receiving.IsStopped) return used;
        var limit = receiving.RaiseWindow(_connection.Link.Now, _connection.RoundTrip);
        used += new ControlFrame(FrameType.MaxStream, stream.Id, 0, limit).Write(span[used..]);
        Note(new SentFrame { Type = FrameType.MaxStream, Stream = stream });
        return used;
    }

    private int WriteStreams(Span<byte> span, int used, PacketBuffer packet, bool background)
    {
        while (span.Length - used >= FrameRoomMin && _frameCount < FramesMax && _scheduler.Take(background) is { } stream)
        {
            var side = stream.Sending!;
            var length = side.WriteFrame(span[used..], used, packet, ConnectionCredit, out var sent, out var fresh);
            if (length > 0)
            {
                used += length;
                _sent += (ulong)fresh;
                Note(sent);
                if (side.Waiter.IsWaiting) _connection.ToWake(stream);
            }
            Activate(stream);
        }
        return used;
    }

    private void Note(in SentFrame frame) => _frames[_frameCount++] = frame;

    // ---- What became of packets ----

    void IPacketOwner.Arrived(ref SentPacket packet)
    {
        if (packet.Acknowledged is { } largest) _acknowledger.OnAcknowledged(largest);
        for (var i = 0; i < packet.FrameCount; i++) ArrivedFrame(i == 0 ? packet.First : packet.More![i - 1]);
        Empty(ref packet);
    }

    void IPacketOwner.Lost(ref SentPacket packet)
    {
        for (var i = 0; i < packet.FrameCount; i++) LostFrame(i == 0 ? packet.First : packet.More![i - 1]);
        // The frames stay noted, for the case that the packet is only late; their buffers are the streams' now.
        packet.First.Buffer = null;
        for (var i = 0; i < packet.FrameCount - 1; i++) packet.More![i].Buffer = null;
    }

    void IPacketOwner.ArrivedLate(ref SentPacket packet)
    {
        for (var i = 0; i < packet.FrameCount; i++)
        {
            var frame = i == 0 ? packet.First : packet.More![i - 1];
            if (frame.Type != FrameType.Stream) continue;
            frame.Stream!.Sending!.OnArrivedLate(frame);
            if (frame.Stream.Sending.IsOver) _connection.ToWake(frame.Stream);
        }
        Empty(ref packet);
    }

    private static void Empty(ref SentPacket packet)
    {
        packet.FrameCount = 0;
        packet.First = default;
        packet.More = null;
    }

    private void ArrivedFrame(in SentFrame frame)
    {
        if (frame.Stream is not { } stream) return;
        if (frame.Type == FrameType.Stream) stream.Sending!.OnArrived(frame);
        else if (frame.Type == FrameType.Reset) stream.Sending!.OnResetArrived();
        if (stream.Sending is { IsOver: true }) _connection.ToWake(stream);
    }

    private void LostFrame(in SentFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Stream:
                frame.Stream!.Sending!.OnLost(frame);
                Activate(frame.Stream);
                break;
            case FrameType.MaxData:
                MaxDataDue = true;
                break;
            case ControlFrame.MaxStreams:
                MaxStreamsDue = true;
                break;
            case FrameType.MaxStream:
                frame.Stream!.WindowDue = true;
                AddControl(frame.Stream);
                break;
            case FrameType.Reset:
                frame.Stream!.Sending!.ResetDue = true;
                AddControl(frame.Stream);
                break;
            case FrameType.StopSending:
                frame.Stream!.Receiving!.StopDue = !frame.Stream.Receiving.IsOver;
                AddControl(frame.Stream);
                break;
        }
    }
}
