namespace Polder.Overlay.Refusals;

/// <summary>
/// A rate in eight bytes: the moment up to which it is used up (a virtual scheduling clock). Allows a steady rate and bursts, as
/// <see cref="Polder.Runtime.TokenBucket"/> does in 24. A value: keep it in a field and call it in place.
/// </summary>
internal struct RateClock
{
    private long _dueTicks;

    /// <summary>Takes one of <paramref name="perSecond"/>; a rested clock allows <paramref name="burst"/> at once.</summary>
    public bool TryTake(TimeSpan now, double perSecond, double burst)
    {
        var step = TimeSpan.TicksPerSecond / perSecond;
        var due = Math.Max(_dueTicks, now.Ticks);
        if (due - now.Ticks > (burst - 1) * step) return false;
        _dueTicks = due + (long)step;
        return true;
    }
}
