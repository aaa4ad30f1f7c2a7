using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>A protocol's side of a stream that a peer opened. The stream is disposed when the task is done.</summary>
public delegate Task StreamHandler(PeerStream stream);

/// <summary>
/// Reliable streams with the peers of a node, inside their sessions: for everything that is longer than a datagram. Used on the
/// node's loop.
/// </summary>
public sealed class StreamTable
{
    // The same delegates for every node: a simulation has a hundred thousand of them.
    private static readonly (FrameType Type, FrameHandler Handler)[] Handlers =
    [
        .. ((FrameType[])[FrameType.Stream, FrameType.Ack, FrameType.MaxData, FrameType.MaxStream, FrameType.Reset, FrameType.StopSending, ControlFrame.MaxStreams])
            .Select(static type => (type, (FrameHandler)((session, body) => session.Host.Streams.Receive(session, type, body)))),
    ];

    private static readonly TimeSpan ExpectedFor = TimeSpan.FromSeconds(10);

    private readonly NodeHost _host;
    private readonly StreamOptions _options;
    private Dictionary<Session, SessionStreams>? _sessions;
    private Dictionary<string, StreamHandler>? _handlers;
    private List<SessionStreams>? _touched, _flushing;
    private Action? _flush;
    private ITimer? _timer;
    private PagePool? _pages;
    private SessionStreams? _last;
    private TimeSpan _timerAt = TimeSpan.MaxValue;
    private bool _stopped;

    internal StreamTable(NodeHost host)
    {
        (_host, _options) = (host, host.Options.Streams);
        foreach (var (type, handler) in Handlers) host.Sessions.OnFrame(type, handler);
    }

    /// <summary>
    /// Opens a stream, waiting while the peer allows no more. Null: the session ended. Whether the peer accepts the protocol shows at the
    /// first read or write that fails.
    /// </summary>
    /// <param name="session">With whom.</param>
    /// <param name="protocolName">What the bytes will be; 1 to 64 bytes of UTF-8, for example "polder/content/1".</param>
    /// <param name="priority">0 for control, 1 for what people wait for, 2 and 3 for what may take its time and must not disturb.</param>
    /// <param name="oneWay">Only we send.</param>
    /// <param name="cancel">Ends the wait.</param>
    public Task<PeerStream?> OpenAsync(Session session, string protocolName, int priority = PeerStreamName.PriorityDefault, bool oneWay = false, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(protocolName);
        ArgumentOutOfRangeException.ThrowIfNegative(priority);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(priority, StreamScheduler.Priorities);
        if (!PeerStreamName.IsValid(protocolName)) throw new ArgumentException($"A protocol's name has 1 to {PeerStreamName.BytesMax} bytes.", nameof(protocolName));
        if (!session.IsOpen || _stopped) return Task.FromResult<PeerStream?>(null);
        return Of(session).Connection.OpenAsync(protocolName, priority, oneWay, cancel);
    }

    /// <summary>Accepts streams of a protocol from now on. A second handler for a name throws.</summary>
    public void Accept(string protocolName, StreamHandler handler)
    {
        ArgumentNullException.ThrowIfNull(protocolName);
        ArgumentNullException.ThrowIfNull(handler);
        if (!PeerStreamName.IsValid(protocolName)) throw new ArgumentException($"A protocol's name has 1 to {PeerStreamName.BytesMax} bytes.", nameof(protocolName));
        if (!(_handlers ??= new Dictionary<string, StreamHandler>(StringComparer.Ordinal)).TryAdd(protocolName, handler))
            throw new InvalidOperationException($"Streams of {protocolName} are accepted already.");
    }

    /// <summary>Accepts no more streams of a protocol; those that are open go on.</summary>
    public void Refuse(string protocolName) => _handlers?.Remove(protocolName);

    /// <summary>The streams that are open with a peer, in no order that anything may hang on.</summary>
    public IReadOnlyList<PeerStream> OpenWith(Session session) => Find(session) is { } streams ? [.. streams.Connection.Streams] : [];

    /// <summary>What the streams of one session do at present; null where it has none.</summary>
    public StreamFigures? FiguresOf(Session session) => Find(session)?.Figures();

    /// <summary>Bytes that arrived and wait to be read, of all sessions, in whole pages.</summary>
    public long BytesWaiting => _pages?.Bytes ?? 0;

    /// <summary>Frames that did not keep to the protocol, since the start.</summary>
    public long Malformed { get; private set; }

    /// <summary>Raised when probes of a session's path remain unanswered while streams wait for an answer (OV-9.3).</summary>
    public event Action<Session>? PathSuspect;

    internal void Stop()
    {
        _stopped = true;
        _timer?.Dispose();
        if (_sessions is null) return;
        foreach (var streams in _sessions.Values.ToArray()) streams.Close(new PeerStreamException(StreamEnd.SessionClosed, 0));
    }

    internal NodeHost Host => _host;
    internal StreamOptions Options => _options;
    internal PagePool Pages => _pages ??= new PagePool(_options.ReassemblyBytesMax);

    internal void Touch(SessionStreams streams)
    {
        if (streams.Connection.IsTouched) return;
        streams.Connection.IsTouched = true;
        _touched ??= [];
        _touched.Add(streams);
        // One post for all that is touched until then: after the datagrams of this turn.
        if (_touched.Count == 1) _host.Environment.Loop.Post(_flush ??= Flush);
    }

    internal bool Accept(PeerStream stream)
    {
        if (_handlers is null || !_handlers.TryGetValue(stream.ProtocolName, out var handler)) return false;
        _host.Environment.Loop.Post(() => _ = HandleAsync(handler, stream));
        return true;
    }

    /// <summary>Whether the peer was sending us bytes until lately and has not ended. A receiver says nothing of its own accord, so somebody must ask.</summary>
    internal bool Expects(Session session) => _sessions is not null && Find(session) is { } streams && streams.Expects(ExpectedFor);

    internal void Suspect(Session session) => PathSuspect?.Invoke(session);

    internal void Forget(Session session)
    {
        _sessions?.Remove(session);
        if (_last?.Session == session) _last = null;
    }

    private async Task HandleAsync(StreamHandler handler, PeerStream stream)
    {
        try { await handler(stream); }
        catch (Exception problem) when (problem is PeerStreamException or EndOfStreamException or OperationCanceledException)
        {
            stream.Reset(StreamCodes.Failed);
        }
        catch (Exception problem)
        {
            stream.Reset(StreamCodes.Failed);
            _host.Fault(problem, "stream " + stream.ProtocolName);
        }
        await stream.DisposeAsync();
    }

    private bool Receive(Session session, FrameType type, ReadOnlySpan<byte> body)
    {
        if (_stopped) return true;
        var fine = Of(session).Receive(type, body);
        if (!fine) Malformed++;
        return fine;
    }

    private SessionStreams Of(Session session)
    {
        if (Find(session) is { } known) return known;
        if (_sessions is null)
        {
            _sessions = [];
            _host.Sessions.Closed += closed => Find(closed)?.Close(new PeerStreamException(StreamEnd.SessionClosed, 0));
            _host.Sessions.Moved += (moved, before) => Find(moved)?.Moved(before);
        }
        var streams = new SessionStreams(this, session);
        _sessions.Add(session, streams);
        return _last = streams;
    }

    private SessionStreams? Find(Session session)
    {
        if (_last?.Session == session) return _last;
        if (_sessions is null || !_sessions.TryGetValue(session, out var streams)) return null;
        return _last = streams;
    }

    private void Flush()
    {
        if (_stopped) return;
        (_touched, _flushing) = (_flushing ?? [], _touched!);
        foreach (var streams in _flushing) streams.Flush();
        _flushing.Clear();
        SetTimer();
    }

    // One timer a node: at the earliest of what any session waits for. An earlier one that is set already stays: it looks, and sets anew.
    private void SetTimer()
    {
        var next = TimeSpan.MaxValue;
        if (_sessions is null) return;
        foreach (var streams in _sessions.Values) next = streams.Connection.NextAt < next ? streams.Connection.NextAt : next;
        if (next >= _timerAt) return;
        _timerAt = next;
        var wait = next - _host.Now;
        // Finer than a timer of the system can be, it would only turn in circles.
        if (wait < RoundTrips.Granularity) wait = RoundTrips.Granularity;
        _timer ??= _host.Environment.Time.CreateTimer(static self => ((StreamTable)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        _timerAt = TimeSpan.MaxValue;
        if (_stopped || _sessions is null) return;
        var now = _host.Now;
        foreach (var streams in _sessions.Values)
            if (streams.Connection.NextAt <= now) Touch(streams);
        if (_touched is not { Count: > 0 }) SetTimer();
    }
}
