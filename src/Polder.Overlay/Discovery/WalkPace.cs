namespace Polder.Overlay.Discovery;

/// <summary>
/// How often a community walks: at every step while that brings somebody new, and more and more seldom while it does not. In a
/// small network, where everybody is known and fewer are there than wanted, a node would ask for ever otherwise.
/// </summary>
internal struct WalkPace
{
    private const int FewPeers = 8;

    private int _inVain;
    private TimeSpan _due;

    /// <summary>Somebody new was heard of, or somebody is gone: walking pays again.</summary>
    public void News() => (_inVain, _due) = (0, TimeSpan.Zero);

    /// <summary>Whether a step is due; counts it.</summary>
    public bool Take(TimeSpan now, int peers, OverlayOptions options)
    {
        if (now < _due) return false;
        var doublings = Math.Clamp(++_inVain - options.StepsInVain, 0, 16);
        // The step itself waits for the next beat; a rest begins with the second interval.
        if (doublings == 0) return true;
        // Whoever knows few does not rest long: each of them may be the next to go.
        var longest = peers < FewPeers ? options.WalkRestMaxOfFew : options.WalkRestMax;
        _due = now + TimeSpan.FromTicks(Math.Min(options.StepInterval.Ticks << doublings, longest.Ticks));
        return true;
    }

    /// <summary>Whether it steps at full pace.</summary>
    public readonly bool IsBrisk => _due == TimeSpan.Zero;
}
