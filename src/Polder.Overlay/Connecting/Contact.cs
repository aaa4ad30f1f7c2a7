using Polder.Identity;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>What we do, and did, to reach one node.</summary>
internal sealed class Contact(PublicKey key)
{
    private const int AttemptsMax = 16, WaysMax = 8;

    private readonly List<ConnectAttempt> _attempts = [];
    private readonly List<(SessionPath Path, PathOrigin Origin)> _ways = [];

    public PublicKey Key => key;

    /// <summary>The search under way; null when there is none.</summary>
    public TaskCompletionSource<Session?>? Search { get; set; }

    /// <summary>Whether the session is kept open though idle: somebody here asked for it, or it took a puncture.</summary>
    public bool IsWanted { get; set; }

    /// <summary>Whether a direct way is looked for while the session is relayed.</summary>
    public bool IsImproving { get; set; }

    public bool IsRepairing { get; set; }

    /// <summary>When it was last asked for or used.</summary>
    public TimeSpan TouchedAt { get; set; }

    /// <summary>What the other said it is behind.</summary>
    public NatClass? Class { get; set; }

    public IReadOnlyList<ConnectAttempt> Attempts => [.. _attempts];

    public ConnectAttempt Begin(TimeSpan now, string what)
    {
        if (_attempts.Count >= AttemptsMax) _attempts.RemoveAt(0);
        var attempt = new ConnectAttempt(now, what, "", null);
        _attempts.Add(attempt);
        return attempt;
    }

    public void End(ConnectAttempt attempt, string what, string outcome, TimeSpan now)
    {
        var index = _attempts.FindIndex(known => ReferenceEquals(known, attempt));
        if (index >= 0) _attempts[index] = attempt with { What = what, Outcome = outcome, Took = now - attempt.At };
    }

    public void Remember(SessionPath path, PathOrigin origin)
    {
        _ways.RemoveAll(way => way.Path.Equals(path));
        if (_ways.Count >= WaysMax) _ways.RemoveAt(0);
        _ways.Add((path, origin));
    }

    public PathOrigin? OriginOf(SessionPath path)
    {
        foreach (var (known, origin) in _ways)
            if (known.Equals(path)) return origin;
        return null;
    }
}
