using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Numbers of questions that we asked, and of whom. Random, so that an answer from that address proves that somebody there
/// read the question. Bounded: the oldest gives way.
/// </summary>
/// <remarks>
/// A ring in order of asking; most nodes have a handful open, which are looked through. Only above <see cref="IndexedAbove"/> an index
/// says where each lies. All of it is let go when nothing is open (<see cref="Tidy"/>): most nodes ask much at first and little later.
/// </remarks>
internal sealed class OpenIdentifiers(TimeSpan lifetime, int max, OverlayCounters counters)
{
    private const int SlotsMin = 4, IndexedAbove = 32;

    private Question[] _ring = [];
    private int _first, _count;
    private Dictionary<ushort, int>? _index;

    private struct Question
    {
        public PackedEndpoint To;
        public TimeSpan At;
        public ushort Identifier;
        public bool IsAnswered;
    }

    public ushort Open(Prng random, Endpoint to, TimeSpan now)
    {
        Expire(now);
        if (_count >= max)
        {
            counters.Reached(Cap.Requests);
            DropFirst();
        }
        ushort identifier;
        do identifier = random.NextUInt16();
        while (Find(identifier) >= 0);
        if (_count == _ring.Length) Resize(Math.Max(SlotsMin, 2 * _count));
        var at = (_first + _count++) & (_ring.Length - 1);
        _ring[at] = new Question { To = new PackedEndpoint { Value = to }, At = now, Identifier = identifier };
        if (_index is not null) _index[identifier] = at;
        else if (_count > IndexedAbove) MakeIndex();
        return identifier;
    }

    /// <summary>Closes the question when the answer comes from where it was asked.</summary>
    public bool TryClose(ushort identifier, Endpoint from, TimeSpan now, out TimeSpan roundTrip)
    {
        roundTrip = default;
        var at = Find(identifier);
        if (at < 0) return false;
        ref var question = ref _ring[at];
        if (question.IsAnswered || question.To.Value != from || now - question.At > lifetime) return false;
        roundTrip = now - question.At;
        // Kept until its time is over: a puncture that belongs to it may come after the answer.
        question.IsAnswered = true;
        return true;
    }

    /// <summary>Whether this was asked lately of anybody, answered or not.</summary>
    public bool WasAsked(ushort identifier, TimeSpan now) => Find(identifier) is var at and >= 0 && now - _ring[at].At <= lifetime;

    /// <summary>Forgets questions that nobody will answer any more, and gives back the memory that they took.</summary>
    public void Tidy(TimeSpan now)
    {
        Expire(now);
        if (_count == 0) (_ring, _index) = ([], null);
        else if (_ring.Length > SlotsMin && _ring.Length > 4 * _count)
        {
            var fitting = SlotsMin;
            while (fitting < _count) fitting *= 2;
            Resize(fitting);
        }
    }

    private int Find(ushort identifier)
    {
        if (_index is not null) return _index.TryGetValue(identifier, out var place) ? place : -1;
        for (var i = 0; i < _count; i++)
        {
            var at = (_first + i) & (_ring.Length - 1);
            if (_ring[at].Identifier == identifier) return at;
        }
        return -1;
    }

    private void Expire(TimeSpan now)
    {
        while (_count > 0 && now - _ring[_first].At > lifetime) DropFirst();
    }

    private void DropFirst()
    {
        _index?.Remove(_ring[_first].Identifier);
        _ring[_first] = default;
        _first = (_first + 1) & (_ring.Length - 1);
        _count--;
    }

    // The length is a power of two.
    private void Resize(int length)
    {
        var other = new Question[length];
        for (var i = 0; i < _count; i++) other[i] = _ring[(_first + i) & (_ring.Length - 1)];
        (_ring, _first) = (other, 0);
        if (_count > IndexedAbove) MakeIndex();
        else _index = null;
    }

    private void MakeIndex()
    {
        _index = new Dictionary<ushort, int>(_ring.Length);
        for (var i = 0; i < _count; i++)
        {
            var at = (_first + i) & (_ring.Length - 1);
            _index[_ring[at].Identifier] = at;
        }
    }
}
