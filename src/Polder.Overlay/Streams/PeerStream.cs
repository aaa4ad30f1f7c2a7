using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>
/// Bytes to and from a peer, in order and complete, inside a session: the way for everything longer than a datagram. One read and one
/// write at a time, each awaited on the node's loop. Whoever has it disposes it.
/// </summary>
public sealed class PeerStream : IAsyncDisposable
{
    private readonly StreamConnection _connection;
    private readonly SendSide? _send;
    private readonly ReceiveSide? _receive;

    internal PeerStream(StreamConnection connection, StreamId id, bool isOurs, string protocolName, int priority)
    {
        (_connection, Id, IsOurs, ProtocolName, Priority) = (connection, id, isOurs, protocolName, priority);
        if (isOurs || !id.IsOneWay) _send = new SendSide(this, (ulong)connection.Options.StreamWindowBytes);
        if (!isOurs || !id.IsOneWay) _receive = new ReceiveSide(connection.Pages, connection.Options);
    }

    /// <summary>The session that it runs in.</summary>
    public Session Session => _connection.Link.Session;

    /// <summary>Who is at the other end.</summary>
    public Peer Peer => Session.Peer;

    /// <summary>What the bytes are: the name under which the other side accepted or we opened it; 1 to 64 bytes of UTF-8.</summary>
    public string ProtocolName { get; internal set; }

    /// <summary>0 (control) and 1 share the line as everybody does, 0 first; 2 and 3 take what others leave.</summary>
    public int Priority { get; internal set; }

    /// <summary>Whether only its opener sends.</summary>
    public bool IsOneWay => Id.IsOneWay;

    /// <summary>Whether we opened it.</summary>
    public bool IsOurs { get; }

    /// <summary>Its number in the session, as on the wire.</summary>
    public uint Number => Id.Value;

    /// <summary>Bytes read so far, the stream's beginning included.</summary>
    public long BytesRead => (long)(_receive?.Read ?? 0);

    /// <summary>Bytes sent so far, each counted once, the stream's beginning included.</summary>
    public long BytesSent => (long)(_send?.Offset ?? 0);

    /// <summary>
    /// Reads what is there, at least one byte unless <paramref name="buffer"/> is empty, and gives how many; 0 is the end. Cancelling
    /// leaves the stream as it was.
    /// </summary>
    /// <exception cref="PeerStreamException">The stream ended before its end.</exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        var side = _receive ?? throw new InvalidOperationException("A one-way stream is read at the other end.");
        if (side.TryRead(buffer, out var count, out var token))
        {
            if (count > 0) _connection.NoteRead(this);
            return ValueTask.FromResult(count);
        }
        side.Waiter.CancelBy(_connection.Link.Loop, token, null, cancel);
        return new ValueTask<int>(side.Waiter, token);
    }

    /// <summary>Fills the buffer. False when the stream ends before the first byte.</summary>
    /// <exception cref="PeerStreamException">The stream ended before its end.</exception>
    /// <exception cref="EndOfStreamException">It ended within the buffer.</exception>
    public async ValueTask<bool> ReadExactlyAsync(Memory<byte> buffer, CancellationToken cancel = default)
    {
        for (var got = 0; got < buffer.Length;)
        {
            var count = await ReadAsync(buffer[got..], cancel);
            if (count == 0) return got == 0 ? false : throw new EndOfStreamException($"The stream ended after {got} of {buffer.Length} bytes.");
            got += count;
        }
        return true;
    }

    /// <summary>
    /// Writes. Done when all bytes went into packets or are staged; the memory is read until then and may be used again after. Cancelling
    /// gives the stream up, since part of the bytes may be on their way.
    /// </summary>
    /// <exception cref="PeerStreamException">The peer wants no more, or the session ended.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        var side = _send ?? throw new InvalidOperationException("A one-way stream is written at the other end.");
        var done = side.TryWrite(bytes, out var token);
        _connection.Activate(this);
        if (done) return ValueTask.CompletedTask;
        side.Waiter.CancelBy(_connection.Link.Loop, token, () => Reset(), cancel);
        return new ValueTask(side.Waiter, token);
    }

    /// <summary>Says that nothing follows. What was written still arrives.</summary>
    public void CompleteWrite()
    {
        if (_send is null || _send.IsComplete || _send.Failure is not null) return;
        _send.CompleteWrite();
        _connection.Activate(this);
    }

    /// <summary>Done when all that was written arrived at the peer, its end included; fails when that cannot be any more.</summary>
    public Task DeliveredAsync() => _send?.DeliveredAsync() ?? Task.CompletedTask;

    /// <summary>Gives up what we send: nothing more is sent, and the peer's reads fail. <paramref name="code"/> tells it why.</summary>
    public void Reset(uint code = StreamCodes.Done)
    {
        if (_send is null || _send.IsOver) return;
        _send.Abandon(new PeerStreamException(StreamEnd.Abandoned, code), code, tellPeer: true);
        _connection.NoteControl(this);
    }

    /// <summary>Wants no more of what the peer sends: what comes is thrown away, and the peer's writes fail.</summary>
    public void StopReading(uint code = StreamCodes.Done)
    {
        if (_receive is null || _receive.IsOver || _receive.IsStopped) return;
        _receive.Stop(code);
        _connection.NoteRead(this);
        _connection.NoteControl(this);
    }

    /// <summary>Ends it: what was written still arrives, what was not read is thrown away.</summary>
    public ValueTask DisposeAsync()
    {
        CompleteWrite();
        StopReading();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override string ToString() => $"stream {Number} {ProtocolName} with {Peer}";

    // The name goes first; it is short enough to be staged at once.
    internal void Begin(ReadOnlyMemory<byte> name)
    {
        _ = _send!.TryWrite(name, out _);
        _connection.Activate(this);
    }

    internal StreamId Id { get; }
    internal SendSide? Sending => _send;
    internal ReceiveSide? Receiving => _receive;

    /// <summary>Low priorities share the line by delay.</summary>
    internal bool IsBackground => Priority >= 2;

    internal bool IsOver => (_send?.IsOver ?? true) && (_receive?.IsOver ?? true);

    // Where it stands in its connection's lists.
    internal bool IsScheduled { get; set; }
    internal bool IsToWake { get; set; }
    internal bool HasControl { get; set; }
    internal bool WindowDue { get; set; }

    /// <summary>The name was not read yet: no handler has it.</summary>
    internal bool IsNameless { get; set; }

    // Whoever waits goes on in a turn of the loop of its own, never in the middle of what we do.
    internal void Post(Action work) => _connection.Link.Loop.Post(work);

    internal void Fail(PeerStreamException why)
    {
        _send?.Abandon(why, 0, tellPeer: false);
        _receive?.Fail(why);
    }
}
