using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>
/// What a stream sends. Bytes stay with the writer until they go into a packet, and from then in the packet's buffer until they
/// arrived, so that a peer that does not read costs nothing here; only a little is staged, so that small writes need not wait.
/// </summary>
internal sealed class SendSide(PeerStream stream, ulong creditBytes)
{
    /// <summary>Bytes that are taken from a writer before they can be sent.</summary>
    private const int StagedMax = 1024;

    private readonly Waiter _waiter = new();
    private PacketBuffer? _staged;
    private int _stagedFrom, _stagedTo;
    private ReadOnlyMemory<byte> _pending;
    private List<SentFrame>? _lost;
    private int _lostAt;
    private ulong _offset;
    private ulong _credit = creditBytes;
    private int _underWay; // frames sent and not heard of
    private bool _finSent, _finArrived, _resetArrived;
    private TaskCompletionSource? _delivered;

    /// <summary>The writer said that nothing follows.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Why it was given up; null while it was not.</summary>
    public PeerStreamException? Failure { get; private set; }

    /// <summary>Set while a RESET is to be sent.</summary>
    public bool ResetDue { get; set; }
    public uint ResetCode { get; private set; }

    /// <summary>Bytes sent so far, each counted once: the final offset of a RESET.</summary>
    public ulong Offset => _offset;

    /// <summary>Everything arrived, or the peer knows that we gave up.</summary>
    public bool IsOver => _resetArrived || (_finArrived && _underWay == 0 && LostCount == 0);

    private int StagedBytes => _stagedTo - _stagedFrom;
    private int LostCount => _lost is null ? 0 : _lost.Count - _lostAt;
    private int NewBytes => StagedBytes + _pending.Length;

    /// <summary>Takes a write. True: done at once.</summary>
    public bool TryWrite(ReadOnlyMemory<byte> bytes, out short token)
    {
        token = 0;
        if (Failure is not null) throw Failure;
        if (IsComplete) throw new InvalidOperationException("The stream's end was written already.");
        if (bytes.IsEmpty) return true;
        token = _waiter.Begin();
        _pending = bytes;
        Stage();
        if (!_pending.IsEmpty) return false;
        _waiter.Complete(0);
        return true;
    }

    public Waiter Waiter => _waiter;

    public void CompleteWrite() => IsComplete = true;

    /// <summary>A writer gives up waiting: what was not sent yet can no longer be sent as it was meant, so the stream is given up.</summary>
    public void Abandon(PeerStreamException why, uint code, bool tellPeer)
    {
        if (Failure is not null || IsOver) return;
        Failure = why;
        ResetCode = code;
        ResetDue = tellPeer;
        if (!tellPeer) _resetArrived = true;
        if (_lost is not null)
            for (var i = _lostAt; i < _lost.Count; i++) _lost[i].Buffer?.Release();
        (_lost, _lostAt) = (null, 0);
        _staged?.Release();
        (_staged, _stagedFrom, _stagedTo, _pending) = (null, 0, 0, default);
        _waiter.Fail(why);
        if (_delivered is { } delivered) stream.Post(() => delivered.TrySetException(why));
    }

    public Task DeliveredAsync()
    {
        if (Failure is not null) return Task.FromException(Failure);
        if (IsOver) return Task.CompletedTask;
        return (_delivered ??= new TaskCompletionSource()).Task;
    }

    /// <summary>Answers a writer whose bytes are all taken, and one who waits for the end.</summary>
    public void Wake()
    {
        if (_waiter.IsWaiting && _pending.IsEmpty) _waiter.Complete(0);
        if (IsOver && Failure is null && _delivered is { } delivered) stream.Post(() => delivered.TrySetResult());
    }

    /// <summary>The peer allows more. True when that was news.</summary>
    public bool Allow(ulong offset)
    {
        if (offset <= _credit) return false;
        _credit = offset;
        return true;
    }

    /// <summary>Whether there is something to send, with so much room left for the connection's new bytes.</summary>
    public bool CanSend(long connectionCredit)
    {
        if (Failure is not null) return false;
        if (LostCount > 0) return true;
        if (NewBytes > 0) return connectionCredit > 0 && _offset < _credit;
        return IsComplete && !_finSent;
    }

    /// <summary>Whether only the connection's room is missing.</summary>
    public bool WaitsForConnection => Failure is null && NewBytes > 0 && _offset < _credit;

    /// <summary>
    /// Writes one frame. Gives its length, 0 when nothing can be sent or does not fit; <paramref name="fresh"/> says how many of its
    /// bytes go for the first time.
    /// </summary>
    public int WriteFrame(Span<byte> room, int at, PacketBuffer packet, long connectionCredit, out SentFrame sent, out int fresh)
    {
        (sent, fresh) = (default, 0);
        var space = room.Length - StreamFrame.HeaderBytes;
        if (Failure is not null || space <= 0) return 0;
        if (LostCount > 0) return WriteLost(room, at, packet, out sent);
        var length = (int)Math.Min(Math.Min(space, NewBytes), Math.Min(connectionCredit, (long)Math.Min(_credit - _offset, int.MaxValue)));
        var fin = IsComplete && !_finSent && length == NewBytes;
        if (length <= 0 && !fin) return 0;
        length = Math.Max(length, 0);
        StreamFrame.WriteHeader(room, stream.Id, _offset, length, fin);
        Take(room.Slice(StreamFrame.HeaderBytes, length));
        sent = new SentFrame { Type = FrameType.Stream, Stream = stream, Buffer = packet, Start = at + StreamFrame.HeaderBytes, Length = length, Offset = _offset, Fin = fin };
        packet.AddUser();
        _offset += (ulong)length;
        _finSent |= fin;
        _underWay++;
        fresh = length;
        Stage();
        return StreamFrame.HeaderBytes + length;
    }

    public void OnArrived(in SentFrame frame)
    {
        frame.Buffer?.Release();
        _underWay--;
        if (frame.Fin) _finArrived = true;
    }

    /// <summary>A frame got lost: it is sent again before anything new.</summary>
    public void OnLost(in SentFrame frame)
    {
        _underWay--;
        if (Failure is not null) frame.Buffer?.Release();
        else (_lost ??= []).Add(frame);
    }

    /// <summary>A frame that was taken for lost arrived after all: no need to send it again, if that was not done yet.</summary>
    public void OnArrivedLate(in SentFrame frame)
    {
        for (var i = _lostAt; i < (_lost?.Count ?? 0); i++)
        {
            if (_lost![i].Offset != frame.Offset || _lost[i].Length != frame.Length || _lost[i].Fin != frame.Fin) continue;
            _lost[i].Buffer?.Release();
            _lost.RemoveAt(i);
            if (frame.Fin) _finArrived = true;
            return;
        }
    }

    public void OnResetArrived() => _resetArrived = true;

    private int WriteLost(Span<byte> room, int at, PacketBuffer packet, out SentFrame sent)
    {
        var lost = _lost![_lostAt];
        var length = Math.Min(lost.Length, room.Length - StreamFrame.HeaderBytes);
        var whole = length == lost.Length;
        StreamFrame.WriteHeader(room, stream.Id, lost.Offset, length, lost.Fin && whole);
        if (length > 0) lost.Buffer!.Bytes.AsSpan(lost.Start, length).CopyTo(room[StreamFrame.HeaderBytes..]);
        sent = lost;
        (sent.Buffer, sent.Start, sent.Length, sent.Fin) = (packet, at + StreamFrame.HeaderBytes, length, lost.Fin && whole);
        packet.AddUser();
        _underWay++;
        if (!whole)
        {
            // Packets have become smaller: the rest stays first in the queue.
            lost.Start += length;
            lost.Length -= length;
            lost.Offset += (ulong)length;
            _lost[_lostAt] = lost;
            return StreamFrame.HeaderBytes + length;
        }
        lost.Buffer?.Release();
        if (++_lostAt == _lost.Count)
        {
            _lost.Clear();
            _lostAt = 0;
        }
        return StreamFrame.HeaderBytes + length;
    }

    private void Take(Span<byte> destination)
    {
        var fromStaged = Math.Min(destination.Length, StagedBytes);
        if (fromStaged > 0)
        {
            _staged!.Bytes.AsSpan(_stagedFrom, fromStaged).CopyTo(destination);
            _stagedFrom += fromStaged;
            if (StagedBytes == 0)
            {
                _staged.Release();
                (_staged, _stagedFrom, _stagedTo) = (null, 0, 0);
            }
        }
        var rest = destination.Length - fromStaged;
        if (rest == 0) return;
        _pending.Span[..rest].CopyTo(destination[fromStaged..]);
        _pending = _pending[rest..];
    }

    // The last of a write is staged as soon as it fits, so that the writer can bring the next before it is needed.
    private void Stage()
    {
        if (_pending.IsEmpty || _pending.Length > StagedMax - StagedBytes) return;
        _staged ??= PacketBuffer.Rent(StagedMax);
        if (_staged.Bytes.Length - _stagedTo < _pending.Length)
        {
            _staged.Bytes.AsSpan(_stagedFrom, StagedBytes).CopyTo(_staged.Bytes);
            (_stagedTo, _stagedFrom) = (StagedBytes, 0);
        }
        _pending.Span.CopyTo(_staged.Bytes.AsSpan(_stagedTo));
        _stagedTo += _pending.Length;
        _pending = default;
    }
}
