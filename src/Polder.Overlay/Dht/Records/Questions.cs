using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>A question under way.</summary>
internal sealed class OpenQuestion(uint nonce, PublicKey key, Endpoint address, TimeSpan sentAt, TimeSpan lateAt, TimeSpan endsAt)
{
    public uint Nonce => nonce;
    public PublicKey Key => key;
    public Endpoint Address => address;
    public TimeSpan SentAt => sentAt;
    public TimeSpan LateAt => lateAt;
    public TimeSpan EndsAt => endsAt;
    public bool IsLate { get; set; }

    /// <summary>The search that it belongs to, and for which of its nodes; null outside searches.</summary>
    public Search? Search { get; init; }
    public LookupNode? Node { get; init; }

    /// <summary>Who waits for an answer, outside searches. Completed through the loop.</summary>
    public TaskCompletionSource<Found?>? FoundWaiter { get; init; }
    public TaskCompletionSource<StoreVerdict?>? StoredWaiter { get; init; }
}

/// <summary>
/// All questions of a node's DHT that are under way, with one timer. A question becomes late first (somebody else is asked as well) and
/// ends much later; in between its answer is welcome. Bounded: the oldest gives way.
/// </summary>
internal sealed class Questions(NodeHost host, Action<OpenQuestion> late, Action<OpenQuestion> ended)
{
    private const int OpenMax = 1_024;

    private const int KeptMax = 12;

    // Both are let go when they are empty and large: a node asks much when it joins and little later.
    private Dictionary<uint, OpenQuestion> _open = [];
    private ITimer? _timer;
    private TimeSpan _due = TimeSpan.MaxValue;
    private List<OpenQuestion>? _ripe;

    public int Count => _open.Count;

    public uint NewNonce()
    {
        uint nonce;
        do nonce = unchecked((uint)host.Environment.Random.NextUInt64());
        while (_open.ContainsKey(nonce));
        return nonce;
    }

    public void Add(OpenQuestion question)
    {
        if (_open.Count >= OpenMax)
        {
            host.Counters.Reached(Cap.Requests);
            OpenQuestion? oldest = null;
            foreach (var one in _open.Values)
                if (oldest is null || one.SentAt < oldest.SentAt) oldest = one;
            _open.Remove(oldest!.Nonce);
            if (!oldest.IsLate) late(oldest);
            ended(oldest);
        }
        _open.Add(question.Nonce, question);
        Plan(question.LateAt);
    }

    /// <summary>The question that this answers, from the very peer that was asked.</summary>
    public OpenQuestion? Close(uint nonce, PublicKey from)
    {
        if (!_open.TryGetValue(nonce, out var question) || question.Key != from) return null;
        _open.Remove(nonce);
        return question;
    }

    /// <summary>Nobody is asked any more: all waiters are told.</summary>
    public void End()
    {
        _timer?.Dispose();
        _timer = null;
        foreach (var question in _open.Values.ToArray())
        {
            _open.Remove(question.Nonce);
            question.FoundWaiter?.TrySetCanceled();
            question.StoredWaiter?.TrySetCanceled();
        }
    }

    private void Plan(TimeSpan due)
    {
        if (due >= _due) return;
        _due = due;
        var wait = due - host.Now;
        if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
        if (_timer is null) _timer = host.Environment.Time.CreateTimer(static self => ((Questions)self!).Tick(), this, wait, Timeout.InfiniteTimeSpan);
        else _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Tick()
    {
        if (_timer is null) return;
        var now = host.Now;
        _due = TimeSpan.MaxValue;
        var ripe = _ripe ??= [];
        ripe.Clear();
        foreach (var question in _open.Values)
            if ((question.IsLate ? question.EndsAt : question.LateAt) <= now) ripe.Add(question);
        foreach (var question in ripe)
        {
            if (!question.IsLate)
            {
                question.IsLate = true;
                late(question);
            }
            if (question.EndsAt <= now && _open.Remove(question.Nonce)) ended(question);
        }
        ripe.Clear();
        if (_open.Count == 0)
        {
            if (_open.EnsureCapacity(0) > KeptMax) _open = [];
            if (ripe.Capacity > KeptMax) _ripe = null;
            return;
        }
        var next = TimeSpan.MaxValue;
        foreach (var question in _open.Values)
        {
            var due = question.IsLate ? question.EndsAt : question.LateAt;
            if (due < next) next = due;
        }
        if (next < TimeSpan.MaxValue) Plan(next);
    }
}

/// <summary>A search under way and who waits for it.</summary>
internal sealed class Search(Lookup lookup)
{
    public Lookup Lookup => lookup;

    /// <summary>Completed through the loop, never inside a handler.</summary>
    public TaskCompletionSource<Lookup> Done { get; } = new();
    public bool IsOver { get; set; }
}
