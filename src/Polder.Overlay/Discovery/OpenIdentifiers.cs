using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Numbers of questions that we asked, and of whom. Random, so that an answer from that address proves that somebody there
/// read the question. Bounded: the oldest gives way.
/// </summary>
internal sealed class OpenIdentifiers(TimeSpan lifetime, int max, OverlayCounters counters)
{
    // Both are let go when nothing is open (Tidy): most nodes ask much at first and little later.
    private Dictionary<ushort, Question>? _open;
    private Queue<(ushort Identifier, TimeSpan At)>? _order;

    private readonly record struct Question(Endpoint To, TimeSpan At, bool IsAnswered = false);

    public ushort Open(Prng random, Endpoint to, TimeSpan now)
    {
        var open = _open ??= [];
        var order = _order ??= new Queue<(ushort, TimeSpan)>();
        Expire(now);
        if (open.Count >= max)
        {
            counters.Reached(Cap.Requests);
            Drop(order.Dequeue());
        }
        ushort identifier;
        do identifier = random.NextUInt16();
        while (!open.TryAdd(identifier, new Question(to, now)));
        order.Enqueue((identifier, now));
        return identifier;
    }

    /// <summary>Closes the question when the answer comes from where it was asked.</summary>
    public bool TryClose(ushort identifier, Endpoint from, TimeSpan now, out TimeSpan roundTrip)
    {
        roundTrip = default;
        if (_open is null || !_open.TryGetValue(identifier, out var question) || question.IsAnswered || question.To != from || now - question.At > lifetime) return false;
        roundTrip = now - question.At;
        // Kept until its time is over: a puncture that belongs to it may come after the answer.
        _open[identifier] = question with { IsAnswered = true };
        return true;
    }

    /// <summary>Whether this was asked lately of anybody, answered or not.</summary>
    public bool WasAsked(ushort identifier, TimeSpan now) =>
        _open is not null && _open.TryGetValue(identifier, out var question) && now - question.At <= lifetime;

    /// <summary>Forgets questions that nobody will answer any more, and gives back the memory that they took.</summary>
    public void Tidy(TimeSpan now)
    {
        if (_order is null) return;
        Expire(now);
        if (_order.Count == 0) (_open, _order) = (null, null);
        else if (_open!.EnsureCapacity(0) > 4 * _order.Count + 16)
        {
            _open.TrimExcess();
            _order.TrimExcess();
        }
    }

    private void Expire(TimeSpan now)
    {
        while (_order!.TryPeek(out var oldest) && now - oldest.At > lifetime) Drop(_order.Dequeue());
    }

    private void Drop((ushort Identifier, TimeSpan At) oldest)
    {
        if (_open!.TryGetValue(oldest.Identifier, out var question) && question.At == oldest.At) _open.Remove(oldest.Identifier);
    }
}
