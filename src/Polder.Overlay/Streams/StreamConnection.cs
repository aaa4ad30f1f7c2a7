using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Overlay.Streams;

/// <summary>What a connection needs of the session under it, and of the node.</summary>
internal interface IStreamLink
{
    Session Session { get; }
    NodeLoop Loop { get; }
    TimeSpan Now { get; }

    /// <summary>Whether we made the session's first handshake: who does numbers its streams even.</summary>
    bool IsInitiator { get; }

    /// <summary>Room for frames in one packet.</summary>
    int FrameBytesMax { get; }

    /// <summary>The session's own estimate; null while unknown.</summary>
    TimeSpan? RoundTrip { get; }

    bool TrySendPacket(ReadOnlySpan<byte> frames, out PacketNumber number);

    /// <summary>Asks for <see cref="StreamConnection.Flush"/> soon, after what else happens at this moment.</summary>
    void Touch(StreamConnection connection);

    /// <summary>A stream of the peer's has a name now. False: nobody accepts it.</summary>
    bool Accept(PeerStream stream);

    /// <summary>Probes remain unanswered: the path may be dead.</summary>
    void Suspect();
}

/// <summary>All streams of one session: what arrives for them, and their life. The packets that go out are <see cref="StreamSender"/>'s.</summary>
internal sealed class StreamConnection
{
    private readonly Dictionary<uint, PeerStream> _streams = [];
    private readonly List<PeerStream> _toWake = [];
    private readonly Queue<TaskCompletionSource<bool>> _waitingToOpen = new();
    private readonly StreamSender _sender;
    private readonly Acknowledger _acknowledger;
    private readonly byte[] _name = new byte[2 + PeerStreamName.BytesMax];
    private ReceiveWindow _window;
    private ulong _received, _read;           // of all streams: highest offsets, and bytes read or thrown away
    private uint _opened, _mayOpen;           // ours
    private uint _peerOpened, _peerMayOpen, _toldMayOpen; // the peer's: one above the highest count seen
    private readonly HashSet<uint> _skipped = []; // counts below it whose first frame has not come yet
    private PacketNumber _packet;
    private bool _asks, _noRoom;

    public StreamConnection(IStreamLink link, StreamOptions options, PagePool pages)
    {
        (Link, Options, Pages) = (link, options, pages);
        _acknowledger = new Acknowledger(options.AckDelayMax);
        _window = new ReceiveWindow(options.ConnectionWindowBytes, options.ConnectionWindowBytesMax);
        _sender = new StreamSender(this, _acknowledger);
        _mayOpen = _peerMayOpen = _toldMayOpen = (uint)options.StreamsMax;
        LastHeardAt = link.Now;
    }

    public IStreamLink Link { get; }
    public StreamOptions Options { get; }
    public PagePool Pages { get; }
    public StreamSender Sender => _sender;
    public int Count => _streams.Count;
    public IReadOnlyCollection<PeerStream> Streams => _streams.Values;
    public bool IsTouched { get; set; }
    public bool IsClosed { get; private set; }

    /// <summary>When <see cref="Flush"/> is to be called at the latest; MaxValue for not at all.</summary>
    public TimeSpan NextAt { get; private set; } = TimeSpan.MaxValue;

    public TimeSpan LastHeardAt { get; private set; }

    // ---- Opening ----

    /// <summary>Opens a stream, waiting until the peer allows one more. Null: the session ended meanwhile.</summary>
    public async Task<PeerStream?> OpenAsync(string protocolName, int priority, bool oneWay, CancellationToken cancel)
    {
        while (!IsClosed && _opened >= _mayOpen)
        {
            var turn = new TaskCompletionSource<bool>();
            _waitingToOpen.Enqueue(turn);
            using var registration = cancel.CanBeCanceled
                ? cancel.Register(() => Link.Loop.Post(() => turn.TrySetCanceled(cancel))) : default;
            await turn.Task;
        }
        cancel.ThrowIfCancellationRequested();
        if (IsClosed || _opened > StreamId.CountMax) return null;
        var stream = new PeerStream(this, StreamId.Of(_opened++, Link.IsInitiator, oneWay), isOurs: true, protocolName, priority);
        _streams.Add(stream.Number, stream);
        var length = PeerStreamName.Write(_name, protocolName, priority);
        stream.Begin(_name.AsMemory(0, length));
        return stream;
    }

    // ---- A packet comes in: Begin, its frames, End ----

    public void BeginPacket(PacketNumber number) => (_packet, _asks, _noRoom) = (number, false, false);

    /// <summary>Handles a frame of the present packet. False: malformed.</summary>
    public bool OnFrame(FrameType type, ReadOnlySpan<byte> body)
    {
        if (IsClosed) return true;
        if (type == FrameType.Ack) return OnAck(body);
        _asks = true;
        var taken = type == FrameType.Stream ? OnStream(body) : OnControl(type, body);
        _noRoom |= taken == Taken.NoRoom;
        return taken != Taken.Malformed;
    }

    public void EndPacket(TimeSpan now)
    {
        LastHeardAt = now;
        if (IsClosed) return;
        // A packet that found no room is as if lost: it comes again.
        if (!_noRoom) _acknowledger.OnPacket(_packet, _asks, now);
        if (_asks) Link.Touch(this);
    }

    private bool OnAck(ReadOnlySpan<byte> body)
    {
        Span<PacketRange> ranges = stackalloc PacketRange[AckRanges.RangesMax];
        if (!AckFrame.TryRead(body, ranges, out var epochByte, out var count, out var delay)) return false;
        // The acknowledged key is that of the packet or one before it.
        var epoch = unchecked(_packet.Epoch - (byte)((byte)_packet.Epoch - epochByte));
        _sender.Recovery.OnAck(epoch, ranges[..count], delay, Link.Now);
        Link.Touch(this);
        return true;
    }

    private Taken OnStream(ReadOnlySpan<byte> body)
    {
        if (!StreamFrame.TryRead(body, out var frame)) return Taken.Malformed;
        var found = Find(frame.Id, out var stream);
        if (stream is null) return found;
        if (stream.Receiving is not { } side) return Taken.Malformed;
        var taken = side.Add(frame, (long)(_window.Limit - _received), out var grown);
        _received += (ulong)grown;
        if (taken != Taken.Yes) return taken;
        if (side.IsStopped) NoteRead(stream);
        if (stream.IsNameless) ReadName(stream, side);
        else if (side.Waiter.IsWaiting) ToWake(stream);
        RetireIfOver(stream);
        return Taken.Yes;
    }

    private Taken OnControl(FrameType type, ReadOnlySpan<byte> body)
    {
        if (!ControlFrame.TryRead(type, body, out var frame)) return Taken.Malformed;
        switch (type)
        {
            case FrameType.MaxData:
                _sender.AllowConnection(frame.Number);
                return Taken.Yes;
            case ControlFrame.MaxStreams:
                if (frame.Code <= _mayOpen) return Taken.Yes;
                _mayOpen = Math.Min(frame.Code, StreamId.CountMax);
                WakeOpeners();
                return Taken.Yes;
            case FrameType.MaxStream:
            {
                var found = Find(frame.Id, out var stream);
                if (stream is null) return found;
                if (stream.Sending is not { } side) return Taken.Malformed;
                if (side.Allow(frame.Number)) Activate(stream);
                return Taken.Yes;
            }
            case FrameType.StopSending:
            {
                var found = Find(frame.Id, out var stream);
                if (stream is null) return found;
                if (stream.Sending is not { } side) return Taken.Malformed;
                side.Abandon(new PeerStreamException(StreamEnd.Stopped, frame.Code), frame.Code, tellPeer: true);
                NoteControl(stream);
                return Taken.Yes;
            }
            default:
            {
                var found = Find(frame.Id, out var stream);
                if (stream is null) return found;
                if (stream.Receiving is not { } side) return Taken.Malformed;
                var taken = side.Reset(frame.Number, frame.Code, (long)(_window.Limit - _received), out var grown);
                _received += (ulong)grown;
                NoteRead(stream);
                if (stream.IsNameless)
                {
                    stream.IsNameless = false;
                    stream.Reset();
                }
                RetireIfOver(stream);
                return taken;
            }
        }
    }

    // A frame for a stream that is over, or that we would have to open ourselves, finds none: that is an old frame or a breach.
    private Taken Find(StreamId id, out PeerStream? stream)
    {
        if (_streams.TryGetValue(id.Value, out stream)) return Taken.Yes;
        if (id.IsByInitiator == Link.IsInitiator) return id.Count < _opened ? Taken.Yes : Taken.Malformed;
        if (id.Count < _peerOpened && !_skipped.Remove(id.Count)) return Taken.Yes;
        if (id.Count >= _toldMayOpen) return Taken.Malformed;
        for (; _peerOpened < id.Count; _peerOpened++) _skipped.Add(_peerOpened);
        _peerOpened = Math.Max(_peerOpened, id.Count + 1);
        stream = new PeerStream(this, id, isOurs: false, "", PeerStreamName.PriorityDefault) { IsNameless = true };
        _streams.Add(id.Value, stream);
        return Taken.Yes;
    }

    private void ReadName(PeerStream stream, ReceiveSide side)
    {
        if (_nameRead.TryGetValue(stream.Number, out var got)) _nameRead.Remove(stream.Number);
        else got = [];
        // Two bytes say how long the name is; only the name itself is taken off the stream's bytes.
        var wanted = got.Length < 2 ? 2 - got.Length : 2 + got[1] - got.Length;
        while (wanted > 0 && side.Readable > 0)
        {
            var count = side.Take(_name.AsSpan(0, (int)Math.Min(wanted, Math.Min(side.Readable, _name.Length))));
            got = [.. got, .. _name.AsSpan(0, count)];
            wanted = got.Length < 2 ? 2 - got.Length : 2 + got[1] - got.Length;
            if (got.Length >= 2 && got[1] > PeerStreamName.BytesMax) break;
        }
        NoteRead(stream);
        var parsed = PeerStreamName.TryRead(got, out var priority, out var name);
        if (parsed is null && !side.IsOver)
        {
            if (got.Length > 0) _nameRead[stream.Number] = got;
            return;
        }
        stream.IsNameless = false;
        (stream.ProtocolName, stream.Priority) = (name, priority);
        if (parsed is true && Link.Accept(stream)) return;
        var code = parsed is true ? StreamCodes.UnknownProtocol : StreamCodes.BadBeginning;
        stream.Reset(code);
        stream.StopReading(code);
    }

    // Beginnings that came in several pieces, which honest peers hardly ever do: a name is at most 66 bytes, a stream has one.
    private readonly Dictionary<uint, byte[]> _nameRead = [];

    // ---- What streams ask of their connection ----

    /// <summary>There may be something to send.</summary>
    public void Activate(PeerStream stream)
    {
        if (IsClosed) return;
        _sender.Activate(stream);
        Link.Touch(this);
    }

    /// <summary>A RESET or STOP_SENDING may be due, or the stream is over.</summary>
    public void NoteControl(PeerStream stream)
    {
        if (IsClosed) return;
        _sender.AddControl(stream);
        Link.Touch(this);
    }

    /// <summary>Bytes were read or thrown away: there may be room to tell of.</summary>
    public void NoteRead(PeerStream stream)
    {
        if (IsClosed || stream.Receiving is not { } side) return;
        _read += (ulong)side.TakeCredit();
        if (side.IsWindowDue)
        {
            stream.WindowDue = true;
            _sender.AddControl(stream);
            Link.Touch(this);
        }
        if (_window.IsDue(_read))
        {
            _sender.MaxDataDue = true;
            Link.Touch(this);
        }
        RetireIfOver(stream);
    }

    public void ToWake(PeerStream stream)
    {
        if (stream.IsToWake) return;
        stream.IsToWake = true;
        _toWake.Add(stream);
    }

    public void RetireIfOver(PeerStream stream)
    {
        if (!stream.IsOver || stream.IsNameless || stream.HasControl) return;
        if (!_streams.Remove(stream.Number)) return;
        _nameRead.Remove(stream.Number);
        if (stream.IsOurs) return;
        _peerMayOpen++;
        // The peer is told when half of what it may open is used up.
        if (_toldMayOpen - _peerOpened > Options.StreamsMax / 2) return;
        _sender.MaxStreamsDue = true;
        Link.Touch(this);
    }

    public TimeSpan RoundTrip => _sender.Recovery.Path.HasSample ? _sender.Recovery.Path.Smoothed : Link.RoundTrip ?? TimeSpan.FromMilliseconds(50);

    public ulong RaiseWindow() => _window.Raise(_read, Link.Now, RoundTrip, Pages.IsRoomy);
    public uint TellMayOpen() => _toldMayOpen = _peerMayOpen;

    // ---- Time ----

    /// <summary>Answers readers and writers, looks at the clock, and sends what may go.</summary>
    public void Flush()
    {
        if (IsClosed) return;
        var now = Link.Now;
        Wake();
        if (_sender.IsWaiting && now - LastHeardAt >= Options.GiveUpAfter && now - _sender.WaitingSince >= Options.GiveUpAfter)
        {
            Close(new PeerStreamException(StreamEnd.Silent, 0));
            return;
        }
        NextAt = _sender.Run(now);
        Wake();
    }

    /// <summary>The session moved. With the same address of the peer, only a port changed: what is known of the path stays.</summary>
    public void Moved(bool sameHost)
    {
        _sender.Recovery.Restart(sameHost);
        _sender.ProbeNow();
        Link.Touch(this);
    }

    /// <summary>Ends every stream.</summary>
    public void Close(PeerStreamException why)
    {
        if (IsClosed) return;
        IsClosed = true;
        NextAt = TimeSpan.MaxValue;
        foreach (var stream in _streams.Values.ToArray()) stream.Fail(why);
        _streams.Clear();
        _sender.Clear();
        WakeOpeners();
    }

    private void Wake()
    {
        for (var i = 0; i < _toWake.Count; i++)
        {
            var stream = _toWake[i];
            stream.IsToWake = false;
            if (stream.Receiving is { } side)
            {
                side.Wake();
                NoteRead(stream);
            }
            stream.Sending?.Wake();
            RetireIfOver(stream);
        }
        _toWake.Clear();
    }

    private void WakeOpeners()
    {
        for (var free = IsClosed ? long.MaxValue : (long)_mayOpen - _opened; free > 0 && _waitingToOpen.TryDequeue(out var turn);)
        {
            if (turn.Task.IsCompleted) continue;
            free--;
            Link.Loop.Post(() => turn.TrySetResult(true));
        }
    }
}
