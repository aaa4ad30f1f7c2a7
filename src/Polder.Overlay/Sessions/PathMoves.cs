using System.Buffers.Binary;
using Polder.Runtime;

namespace Polder.Overlay.Sessions;

/// <summary>
/// How a session comes to another path (OV-3.12, OV-3.13): an authenticated packet with the highest counter makes its sender's
/// address a candidate, a candidate that answers a challenge becomes the path, and the path before is asked once whether it lives,
/// so that a rebound NAT and a copied packet look different.
/// </summary>
internal sealed class PathMoves(SessionTable table, Session session)
{
    private const int CandidatesMax = 4, ChallengeBytes = 8, OwnAllowanceBytes = 1200, TriesMax = 3;
    private const double MovesPerMinute = 10;
    private static readonly TimeSpan BetweenMoves = TimeSpan.FromSeconds(1), CandidateFor = TimeSpan.FromSeconds(6),
        DistrustFor = TimeSpan.FromSeconds(60), WorseAfter = TimeSpan.FromSeconds(2);

    private readonly List<Candidate> _candidates = [];
    private TokenBucket _moves;
    private TimeSpan _movedAt = -BetweenMoves, _lastOnPath = table.Host.Now, _distrustUntil;
    private SessionPath? _distrusted;

    private enum Role
    {
        /// <summary>The peer sent from there.</summary>
        Theirs,
        /// <summary>We were told to try it.</summary>
        Ours,
        /// <summary>Where it was before.</summary>
        Old,
    }

    private sealed class Candidate(SessionPath path, Role role, ulong challenge, TimeSpan now)
    {
        public SessionPath Path { get; } = path;
        public Role Role { get; set; } = role;
        public ulong Challenge { get; } = challenge;
        public TimeSpan Until { get; set; } = now + CandidateFor;
        public TimeSpan NextAt { get; set; }
        public int Tries { get; set; }
        public long In { get; set; }
        public long Out { get; set; }
        public bool IsAnswered { get; set; }
    }

    /// <summary>The paths that are being proved.</summary>
    public int Count => _candidates.Count;

    /// <summary>The path of a candidate to that address, so that no object is made for each packet.</summary>
    public SessionPath? PathTo(Net.Endpoint address)
    {
        foreach (var candidate in _candidates)
            if (candidate.Path is DirectPath && candidate.Path.Remote == address) return candidate.Path;
        return null;
    }

    /// <summary>An authenticated packet came.</summary>
    public void Received(SessionPath via, int bytes, bool isHighest)
    {
        var now = table.Host.Now;
        if (via.Equals(session.Path))
        {
            _lastOnPath = now;
            return;
        }
        var candidate = Find(via);
        if (candidate is null)
        {
            if (!isHighest) return;
            // A worse kind of way only when the better one has fallen silent; and not the one that turned out to be a copy.
            if (via.Kind > session.Path.Kind && now - _lastOnPath < WorseAfter) return;
            if (_distrusted is not null && now < _distrustUntil && via.Equals(_distrusted)) return;
            candidate = Add(via, Role.Theirs, now);
        }
        candidate.In += bytes;
        if (candidate.Role != Role.Old && now >= candidate.NextAt) Challenge(candidate, now);
    }

    /// <summary>We want to go there: challenges at once, after 0.5 and after 1.5 s.</summary>
    public void Try(SessionPath path)
    {
        var now = table.Host.Now;
        var candidate = Find(path) ?? Add(path, Role.Ours, now);
        (candidate.Role, candidate.Tries, candidate.Until) = (Role.Ours, 0, now + CandidateFor);
        Challenge(candidate, now);
    }

    /// <summary>Whether so many bytes may go to a path that is not the session's, and if so, counts them.</summary>
    public bool MaySend(SessionPath path, int bytes)
    {
        var candidate = Find(path) ?? Add(path, Role.Ours, table.Host.Now);
        var allowed = 3 * candidate.In + (candidate.Role == Role.Theirs ? 0 : OwnAllowanceBytes);
        if (candidate.Out + bytes > allowed) return table.Refuse(Refusal.Amplification);
        candidate.Out += bytes;
        return true;
    }

    /// <summary>A challenge was answered. False: none of ours.</summary>
    public bool Answered(ulong challenge)
    {
        var found = _candidates.Find(candidate => candidate.Challenge == challenge);
        if (found is null) return false;
        var now = table.Host.Now;
        if (found.Role == Role.Old)
        {
            _candidates.Remove(found);
            // Both live: what came from the new address was copied on its way, or the peer has two; the old one is as good and was ours.
            if (found.Path.Kind > session.Path.Kind) return true;
            (_distrusted, _distrustUntil) = (session.Path, now + DistrustFor);
            Go(found.Path);
            return true;
        }
        found.IsAnswered = true;
        TryMove(found, now);
        return true;
    }

    /// <summary>Repeats and ends. Gives when there is something to do again.</summary>
    public TimeSpan Work(TimeSpan now)
    {
        var next = TimeSpan.MaxValue;
        for (var i = _candidates.Count - 1; i >= 0; i--)
        {
            if (i >= _candidates.Count) continue;
            var candidate = _candidates[i];
            if (now >= candidate.Until)
            {
                _candidates.RemoveAt(i);
                continue;
            }
            if (candidate.Role != Role.Old && now >= candidate.NextAt)
            {
                if (candidate.IsAnswered) TryMove(candidate, now);
                else if (candidate.Tries < TriesMax) Challenge(candidate, now);
            }
            var due = candidate.Role != Role.Old && (candidate.IsAnswered || candidate.Tries < TriesMax) ? candidate.NextAt : candidate.Until;
            if (candidate.Until < due) due = candidate.Until;
            if (due < next) next = due;
        }
        return next;
    }

    private Candidate? Find(SessionPath path)
    {
        foreach (var candidate in _candidates)
            if (candidate.Path.Equals(path)) return candidate;
        return null;
    }

    private Candidate Add(SessionPath path, Role role, TimeSpan now)
    {
        if (_candidates.Count >= CandidatesMax)
        {
            table.Host.Counters.Reached(Cap.PathCandidates);
            // The oldest that nobody but the peer asked for gives way, else the oldest.
            var least = _candidates.FindIndex(static candidate => candidate.Role == Role.Theirs);
            _candidates.RemoveAt(Math.Max(least, 0));
        }
        var made = new Candidate(path, role, table.Host.Environment.Random.NextUInt64(), now);
        _candidates.Add(made);
        table.Schedule(made.Until);
        return made;
    }

    private void Challenge(Candidate candidate, TimeSpan now)
    {
        if (candidate.Tries >= TriesMax) return;
        candidate.NextAt = now + (candidate.Tries == 0 ? TimeSpan.FromSeconds(0.5) : TimeSpan.FromSeconds(1));
        table.Schedule(candidate.NextAt);
        if (!MaySend(candidate.Path, Session.PacketBytes(Frames.HeaderBytes + ChallengeBytes))) return;
        candidate.Tries++;
        Span<byte> body = stackalloc byte[ChallengeBytes];
        BinaryPrimitives.WriteUInt64BigEndian(body, candidate.Challenge);
        session.SendFrame(candidate.Path, FrameType.PathChallenge, body);
    }

    private void TryMove(Candidate candidate, TimeSpan now)
    {
        if (now - _movedAt < BetweenMoves || !_moves.TryTake(now, MovesPerMinute / 60, MovesPerMinute))
        {
            table.Refuse(Refusal.MoveRate);
            candidate.NextAt = now + BetweenMoves;
            table.Schedule(candidate.NextAt);
            return;
        }
        _candidates.Remove(candidate);
        var before = session.Path;
        _movedAt = _lastOnPath = now;
        Go(candidate.Path);
        if (candidate.Role == Role.Ours || !session.IsOpen) return;
        if (Find(before) is { } known) _candidates.Remove(known);
        var old = Add(before, Role.Old, now);
        old.Until = now + table.Options.OldPathFor;
        table.Schedule(old.Until);
        Challenge(old, now);
    }

    private void Go(SessionPath path)
    {
        var before = session.Path;
        session.Path = path;
        session.MtuState = null;
        table.HasMoved(session, before);
    }
}
