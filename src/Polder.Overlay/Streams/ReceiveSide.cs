namespace Polder.Overlay.Streams;

/// <summary>What became of a frame.</summary>
internal enum Taken
{
    /// <summary>Taken, or known already.</summary>
    Yes,
    /// <summary>There is no room for it now: its packet is not acknowledged and comes again.</summary>
    NoRoom,
    /// <summary>Against the rules.</summary>
    Malformed,
}

/// <summary>What a stream receives: in order, within its window, up to its end.</summary>
internal sealed class ReceiveSide(PagePool pool, StreamOptions options)
{
    private readonly Reassembly _bytes = new(pool, options.GapsMax);
    private readonly Waiter _waiter = new();
    private ReceiveWindow _window = new(options.StreamWindowBytes, options.StreamWindowBytesMax);
    private Memory<byte> _buffer;
    private ulong? _end;
    private ulong _credited;

    public Waiter Waiter => _waiter;

    /// <summary>The end of the highest byte that arrived: what counts against the connection's window.</summary>
    public ulong Highest { get; private set; }

    /// <summary>Offset of the next byte to be read.</summary>
    public ulong Read => _bytes.Read;

    /// <summary>Why nothing more can be read; null while more can.</summary>
    public PeerStreamException? Failure { get; private set; }

    /// <summary>Nobody reads: what comes is thrown away.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Set while a STOP_SENDING is to be sent.</summary>
    public bool StopDue { get; set; }
    public uint StopCode { get; private set; }

    /// <summary>The peer is done: the end was read, or thrown away, or it gave up.</summary>
    public bool IsOver { get; private set; }

    public bool IsWindowDue => !IsOver && !IsStopped && _end is null && _window.IsDue(_bytes.Read);

    public ulong RaiseWindow(TimeSpan now, TimeSpan roundTrip) => _window.Raise(_bytes.Read, now, roundTrip, pool.IsRoomy);

    public ulong WindowLimit => _window.Limit;

    public long Readable => _bytes.Readable;

    /// <summary>Bytes that count as read since the last call: read by the application, or thrown away.</summary>
    public long TakeCredit()
    {
        var upTo = IsStopped || Failure is not null ? Highest : _bytes.Read;
        var credit = (long)(upTo - _credited);
        _credited = upTo;
        return credit;
    }

    /// <summary>Takes bytes. <paramref name="grown"/> is by how much the highest offset rose.</summary>
    public Taken Add(in StreamFrame frame, long connectionRoom, out long grown)
    {
        grown = 0;
        var end = frame.Offset + (ulong)frame.Data.Length;
        if (_end is { } known && (end > known || (frame.Fin && end != known))) return Taken.Malformed;
        if (frame.Fin && end < Highest) return Taken.Malformed;
        if (end > _window.Limit) return Taken.Malformed;
        var growth = end > Highest ? (long)(end - Highest) : 0;
        if (growth > connectionRoom) return Taken.Malformed;
        // What nobody will read is not kept, also when it comes after the peer gave up.
        if (!IsStopped && !IsOver && !_bytes.TryAdd(frame.Offset, frame.Data)) return Taken.NoRoom;
        grown = growth;
        Highest += (ulong)growth;
        if (frame.Fin) _end = end;
        if (IsStopped && _end is not null) IsOver = true;
        return Taken.Yes;
    }

    /// <summary>The peer gave up.</summary>
    public Taken Reset(ulong finalOffset, uint code, long connectionRoom, out long grown)
    {
        grown = 0;
        if ((_end is { } known && known != finalOffset) || finalOffset < Highest) return Taken.Malformed;
        var growth = (long)(finalOffset - Highest);
        if (growth > connectionRoom || finalOffset > _window.Limit) return Taken.Malformed;
        grown = growth;
        Highest = finalOffset;
        _end = finalOffset;
        // What had arrived whole may still be read; a stream that was read to its end is not hurt.
        if (!IsOver) Fail(new PeerStreamException(StreamEnd.Reset, code));
        return Taken.Yes;
    }

    /// <summary>Nothing more comes: the session ended, or the peer gave up.</summary>
    public void Fail(PeerStreamException why)
    {
        if (IsOver)
        {
            _bytes.Clear();
            return;
        }
        Failure = why;
        IsOver = true;
        _bytes.Clear();
        _waiter.Fail(why);
    }

    /// <summary>Nobody will read on.</summary>
    public void Stop(uint code)
    {
        if (IsOver || IsStopped) return;
        (IsStopped, StopDue, StopCode) = (true, _end is null, code);
        Failure ??= new PeerStreamException(StreamEnd.Abandoned, 0);
        _bytes.Clear();
        _waiter.Fail(Failure);
        if (_end is not null) IsOver = true;
    }

    /// <summary>Reads at once if there is something to read, the end included. False: wait, with that token.</summary>
    public bool TryRead(Memory<byte> buffer, out int count, out short token)
    {
        (count, token) = (0, 0);
        if (Failure is not null) throw Failure;
        if (buffer.IsEmpty || _bytes.Readable > 0)
        {
            count = Take(buffer.Span);
            return true;
        }
        if (AtEnd()) return true;
        token = _waiter.Begin();
        _buffer = buffer;
        return false;
    }

    /// <summary>Answers a reader for whom there is something.</summary>
    public void Wake()
    {
        if (!_waiter.IsWaiting || (_bytes.Readable == 0 && !AtEnd())) return;
        var count = Take(_buffer.Span);
        _buffer = default;
        _waiter.Complete(count);
    }

    /// <summary>Takes what can be read, without waiting.</summary>
    public int Take(Span<byte> destination)
    {
        var count = _bytes.Take(destination);
        _ = AtEnd();
        return count;
    }

    private bool AtEnd()
    {
        if (_end is not { } end || _bytes.Read != end) return false;
        IsOver = true;
        return true;
    }
}
