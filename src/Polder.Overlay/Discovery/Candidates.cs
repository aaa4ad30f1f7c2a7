using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Discovery;

/// <summary>An address that somebody told us ("walkable"): nobody has proved to be there.</summary>
internal sealed class Candidate(Endpoint address, bool asked, TimeSpan heardAt)
{
    private long _triedAt = long.MinValue;

    public Endpoint Address => address;

    /// <summary>Heard in an answer to a question of ours; others weigh less.</summary>
    public bool Asked { get; set; } = asked;
    public TimeSpan HeardAt { get; set; } = heardAt;
    public TimeSpan? TriedAt
    {
        get => _triedAt == long.MinValue ? null : TimeSpan.FromTicks(_triedAt);
        set => _triedAt = value is { } at ? at.Ticks : long.MinValue;
    }

    /// <summary>Who told us; null where it is not known.</summary>
    public Peer? ToldBy { get; set; }

    public int Index { get; set; }
}

/// <summary>Candidates by their address.</summary>
internal readonly struct ByCandidateAddress : IIndexedBy<Candidate, Endpoint>
{
    public static int HashOf(Endpoint key) => key.GetHashCode();
    public static int HashOfItem(Candidate item) => item.Address.GetHashCode();
    public static bool Matches(Candidate item, Endpoint key) => item.Address == key;
}

/// <summary>
/// The walkable addresses of one community. Bounded: an unasked newcomer is refused when full, another replaces the worst
/// of a small sample. Every operation takes constant time. An address where nobody answered rests, longer each time, however
/// often others name it.
/// </summary>
internal sealed class Candidates(OverlayOptions options, OverlayCounters counters, Prng random)
{
    private const int Sample = 4;

    private HashIndex<Candidate, Endpoint, ByCandidateAddress> _byAddress;
    private readonly List<Candidate> _all = [];
    private Dictionary<Endpoint, Rest>? _resting;

    /// <summary>An address where nobody answered so often, and until when it is left alone.</summary>
    private readonly record struct Rest(int Failures, TimeSpan Until);

    public int Count => _all.Count;

    public IEnumerable<Endpoint> Addresses => _all.Select(static candidate => candidate.Address);

    public Candidate? Find(Endpoint address) => _byAddress.Find(address);

    /// <summary>Adds an address, or null: the table is full, or the address rests. <paramref name="alive"/>: it was just heard from, which ends its rest.</summary>
    public Candidate? Add(Endpoint address, bool asked, TimeSpan now, bool alive = false)
    {
        if (_resting is not null && !alive && _resting.TryGetValue(address, out var rest) && now < rest.Until) return null;
        if (_byAddress.Find(address) is { } known)
        {
            if (asked && !IsWaiting(known, now)) (known.Asked, known.HeardAt, known.TriedAt) = (true, now, null);
            return known;
        }
        if (_all.Count >= options.CandidatesMax)
        {
            counters.Reached(Cap.Candidates);
            if (!asked) return null;
            Remove(Worst());
        }
        var candidate = new Candidate(address, asked, now) { Index = _all.Count };
        _all.Add(candidate);
        _byAddress.Add(candidate);
        return candidate;
    }

    /// <summary>Nobody answered a whole walk: the address is forgotten and rests for 3, 6, 12 … seconds, up to a minute.</summary>
    public void Failed(Candidate candidate, TimeSpan now)
    {
        Remove(candidate);
        _resting ??= [];
        var failures = _resting.TryGetValue(candidate.Address, out var before) ? before.Failures + 1 : 1;
        if (_resting.Count >= options.CandidatesMax) Shorten(now);
        var rest = options.AnswerTime * Math.Pow(2, Math.Min(failures - 1, 12));
        _resting[candidate.Address] = new Rest(failures, now + (rest < options.CandidateRestMax ? rest : options.CandidateRestMax));
    }

    /// <summary>Somebody answered there.</summary>
    public void Met(Endpoint address)
    {
        Remove(address);
        _resting?.Remove(address);
    }

    public void Remove(Endpoint address)
    {
        if (_byAddress.Find(address) is { } candidate) Remove(candidate);
    }

    /// <summary>A random one that is worth a try; what is too old on the way is forgotten.</summary>
    public Candidate? Pick(TimeSpan now)
    {
        Candidate? second = null;
        for (var i = 0; i < Sample && _all.Count > 0; i++)
        {
            var candidate = _all[random.Next(_all.Count)];
            if (now - candidate.HeardAt > options.CandidateLifetime) Remove(candidate);
            else if (candidate.TriedAt is not null) continue;
            else if (candidate.Asked) return candidate;
            else second = candidate;
        }
        return second;
    }

    private void Shorten(TimeSpan now)
    {
        // Those whose rest ended lately keep their count; when that is not enough, all are forgiven.
        if (_resting is not { } resting) return;
        foreach (var (address, rest) in resting.ToArray())
            if (now - rest.Until > options.CandidateRestMax) resting.Remove(address);
        if (resting.Count >= options.CandidatesMax) resting.Clear();
    }

    /// <summary>Forgets what is too old to be tried, which nobody would pick any more.</summary>
    public void Expire(TimeSpan now)
    {
        for (var i = _all.Count - 1; i >= 0; i--)
            if (now - _all[i].HeardAt > options.CandidateLifetime && !IsWaiting(_all[i], now)) Remove(_all[i]);
        if (_all.Count == 0) _all.Capacity = 0;
        Shorten(now);
        if (_resting is { Count: 0 }) _resting = null;
    }

    private bool IsWaiting(Candidate candidate, TimeSpan now) => candidate.TriedAt is { } tried && now - tried < options.AnswerTime;

    private Candidate Worst()
    {
        var worst = _all[random.Next(_all.Count)];
        for (var i = 1; i < Sample; i++)
        {
            var other = _all[random.Next(_all.Count)];
            if (Rank(other) < Rank(worst)) worst = other;
        }
        return worst;

        static TimeSpan Rank(Candidate c) => c.HeardAt + (c.Asked ? TimeSpan.FromHours(1) : TimeSpan.Zero)
            - (c.TriedAt is null ? TimeSpan.Zero : TimeSpan.FromDays(1));
    }

    private void Remove(Candidate candidate)
    {
        var last = _all[^1];
        _all[candidate.Index] = last;
        last.Index = candidate.Index;
        _all.RemoveAt(_all.Count - 1);
        _byAddress.Remove(candidate);
    }
}
