namespace Polder.Overlay.Nat;

/// <summary>
/// Finds how long a router remembers an idle mapping (OV-5.9): longer and longer silences, each survived twice before the next;
/// one that fails twice ends the search. A rule: it says what to test and takes the result.
/// </summary>
internal sealed class LifetimeSearch(NatOptions options)
{
    private const double Share = 0.7;
    private const int SurvivalsWanted = 2, FailuresMax = 2;

    private int _step, _survived, _failed;

    /// <summary>The longest silence that a mapping survived twice; null while none did.</summary>
    public TimeSpan? Survived { get; private set; }

    /// <summary>The silence that a mapping did not survive; null while all did.</summary>
    public TimeSpan? DiedAt { get; private set; }

    /// <summary>The silence to test next; null when the search is over.</summary>
    public TimeSpan? Next => DiedAt is null && _step < options.LifetimeSteps.Count ? options.LifetimeSteps[_step] : null;

    /// <summary>Whether there is nothing left to find out.</summary>
    public bool IsOver => Next is null;

    /// <summary>How a test of <see cref="Next"/> ended.</summary>
    public void Add(bool survived)
    {
        if (Next is not { } tested) return;
        if (!survived)
        {
            // A lost datagram looks the same as a lost mapping: only the second time it counts.
            if (++_failed < FailuresMax) return;
            DiedAt = tested;
            return;
        }
        if (++_survived < SurvivalsWanted) return;
        Survived = tested;
        (_step, _survived, _failed) = (_step + 1, 0, 0);
    }

    /// <summary>How long a path may be silent before we send something on it.</summary>
    public TimeSpan KeepAlive
    {
        get
        {
            // The first silence was too long already: the shortest we do.
            if (Survived is not { } survived) return DiedAt is null ? options.KeepAlive : options.KeepAliveMin;
            var wanted = survived * Share;
            // While the search goes on, longer silences may be fine, but nobody knows yet; the default is no worse than before.
            if (!IsOver && wanted < options.KeepAlive) wanted = options.KeepAlive < survived ? options.KeepAlive : wanted;
            return wanted < options.KeepAliveMin ? options.KeepAliveMin : wanted > options.KeepAliveMax ? options.KeepAliveMax : wanted;
        }
    }

    /// <summary>Another network: begin again.</summary>
    public void Reset() => (_step, _survived, _failed, Survived, DiedAt) = (0, 0, 0, null, null);
}
