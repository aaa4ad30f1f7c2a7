using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay;

/// <summary>An open question that can be given up when there are too many.</summary>
internal interface IPendingRequest
{
    bool IsOpen { get; }
    void GiveUp();
}

/// <summary>
/// All open questions of a node, oldest first (OV-4.5). When there are too many the oldest is given up: its asker gets no answer.
/// </summary>
internal sealed class RequestTable(OverlayOptions options, OverlayCounters counters)
{
    private Queue<IPendingRequest> _order = [];

    public int Count { get; private set; }

    public void Add(IPendingRequest request)
    {
        while (_order.TryPeek(out var first) && !first.IsOpen) _order.Dequeue();
        if (Count >= options.RequestsMax && _order.TryDequeue(out var oldest))
        {
            counters.Reached(Cap.Requests);
            oldest.GiveUp();
        }
        // Closed requests behind an old open one would otherwise pile up.
        if (_order.Count > 2 * options.RequestsMax)
        {
            var open = new Queue<IPendingRequest>();
            foreach (var request1 in _order)
                if (request1.IsOpen) open.Enqueue(request1);
            _order = open;
        }
        _order.Enqueue(request);
        Count++;
    }

    public void Closed() => Count--;
}

/// <summary>Questions whose answer is a <typeparamref name="TReply"/>, by identifier.</summary>
internal sealed class PendingRequests<TReply>(NodeHost host, Func<TReply, ushort> identifierOf) where TReply : struct, IMessage<TReply>
{
    private const int DrawsMax = 1_000;

    private readonly Dictionary<ushort, Question> _open = [];

    /// <summary>Opens a question; null when no identifier is free.</summary>
    public (ushort Identifier, Task<TReply?> Answer)? Open(Peer peer, TimeSpan timeout, CancellationToken leaving)
    {
        for (var draw = 0; draw < DrawsMax; draw++)
        {
            var identifier = host.Environment.Random.NextUInt16();
            if (_open.ContainsKey(identifier)) continue;
            var question = new Question(this, identifier, peer.Key, host.Now);
            _open.Add(identifier, question);
            host.Requests.Add(question);
            peer.Standing.Asked(host.Now);
            question.Start(host.Environment.Buggify("request given up at once", 0.05) ? TimeSpan.FromTicks(1) : timeout, leaving);
            return (identifier, question.Answer);
        }
        return null;
    }

    /// <summary>Whether the message answers an open question to that very peer.</summary>
    public bool TryAnswer(Peer peer, Endpoint from, TReply reply)
    {
        if (!_open.TryGetValue(identifierOf(reply), out var question) || question.Asked != peer.Key) return false;
        host.Answered(peer, from, host.Now - question.AskedAt);
        question.Close(reply);
        return true;
    }

    /// <summary>The same in a session, where the peer is proved and its address may be a relay's.</summary>
    public bool TryAnswer(Peer peer, TReply reply)
    {
        if (!_open.TryGetValue(identifierOf(reply), out var question) || question.Asked != peer.Key) return false;
        peer.AddRoundTrip(host.Now - question.AskedAt);
        question.Close(reply);
        return true;
    }

    private sealed class Question(PendingRequests<TReply> owner, ushort identifier, PublicKey asked, TimeSpan askedAt) : IPendingRequest
    {
        // Completed through Post, so that the asker's continuation never runs inside a handler.
        private readonly TaskCompletionSource<TReply?> _answer = new();
        private ITimer? _timer;
        private CancellationTokenRegistration _leaving;

        public PublicKey Asked => asked;
        public TimeSpan AskedAt => askedAt;
        public bool IsOpen { get; private set; } = true;
        public Task<TReply?> Answer => _answer.Task;

        public void Start(TimeSpan timeout, CancellationToken leaving)
        {
            _timer = owner.Host.Environment.Time.CreateTimer(
                static self => ((Question)self!).GiveUp(), this, timeout, Timeout.InfiniteTimeSpan);
            _leaving = leaving.Register(static self => ((Question)self!).Cancel(), this);
        }

        public void GiveUp() => Close(null);

        public void Close(TReply? reply)
        {
            if (!End()) return;
            owner.Host.Environment.Loop.Post(() => _answer.TrySetResult(reply));
        }

        private void Cancel()
        {
            if (!End()) return;
            owner.Host.Environment.Loop.Post(() => _answer.TrySetCanceled());
        }

        private bool End()
        {
            if (!IsOpen) return false;
            IsOpen = false;
            _timer?.Dispose();
            _leaving.Dispose();
            owner._open.Remove(identifier);
            owner.Host.Requests.Closed();
            return true;
        }
    }

    private NodeHost Host => host;
}
