using Polder.Overlay.Sessions;

namespace Polder.Overlay.Nat;

/// <summary>
/// Refreshes the paths that matter before a router forgets them, and notices when somebody is gone (Overlay §6.8). One look over all
/// sessions at each beat; nothing is kept for those that are well.
/// </summary>
internal sealed class KeepAlives(NodeHost host, NatTraversal nat)
{
    private static readonly TimeSpan PingAgain = TimeSpan.FromSeconds(1), ExtraPath = TimeSpan.FromSeconds(15);

    private Dictionary<Session, Silence> Silent => field ??= [];
    private readonly List<Func<Session, bool>> _matters = [];
    private TimeSpan _nextBeat;

    private struct Silence
    {
        public TimeSpan Since, PingedAt;
        public int Pings;
        public bool Lost;
    }

    /// <summary>Sessions whose last pings were not answered.</summary>
    public int Suspects => Silent.Count;

    /// <summary>Sent to keep paths open, since the start.</summary>
    public long Sent { get; private set; }

    /// <summary>Keeps alive the sessions for which this says true: streams, relays, the DHT's closest.</summary>
    public void Add(Func<Session, bool> matters) => _matters.Add(matters);

    public bool IsSuspect(Session session) => Silent.TryGetValue(session, out var silence) && silence.Pings >= 2;

    public void Forget(Session session) => Silent.Remove(session);

    public void Beat(TimeSpan now)
    {
        if (!nat.Options.KeepsPathsOpen || now < _nextBeat || host.Sessions.All.Count == 0) return;
        _nextBeat = now + nat.Options.Beat;
        var period = nat.KeepAlive;
        foreach (var session in host.Sessions.All.ToArray())
            if (session.IsOpen) Look(session, now, period);
    }

    private void Look(Session session, TimeSpan now, TimeSpan period)
    {
        if (Silent.TryGetValue(session, out var silence))
        {
            if (session.LastIn > silence.Since)
            {
                Silent.Remove(session);
                return;
            }
            var silentFor = now - silence.Since;
            if (silentFor >= nat.Options.GoneAfter)
            {
                Silent.Remove(session);
                session.Close();
                return;
            }
            if (silentFor >= nat.Options.PathLostAfter && !silence.Lost)
            {
                silence.Lost = true;
                host.Connector.Repair(session);
            }
            var wait = session.RoundTrip is { } roundTrip && 3 * roundTrip > PingAgain ? 3 * roundTrip : PingAgain;
            if (now - silence.PingedAt >= (silence.Lost ? TimeSpan.FromSeconds(5) : wait))
            {
                (silence.PingedAt, silence.Pings) = (now, silence.Pings + 1);
                Ping(session);
            }
            Silent[session] = silence;
            return;
        }
        // A receiver whose router moved would wait for ever: what it sends shows the other where it is now.
        var isCutOff = now - session.LastIn >= PingAgain && host.Streams.Expects(session);
        if (!isCutOff && (now - session.LastOut < PeriodOf(session, period) || !Matters(session))) return;
        Silent[session] = new Silence { Since = now, PingedAt = now, Pings = 1 };
        Ping(session);
    }

    private static TimeSpan PeriodOf(Session session, TimeSpan period) =>
        session.Path.Kind == PathKind.Extra && period > ExtraPath ? ExtraPath : period;

    private bool Matters(Session session)
    {
        if (session.Peer.IsAnchor || session.Path.Kind != PathKind.Direct || host.Connector.IsWanted(session)) return true;
        foreach (var matters in _matters)
            if (matters(session)) return true;
        return false;
    }

    private void Ping(Session session)
    {
        session.Ping();
        Sent++;
    }
}
