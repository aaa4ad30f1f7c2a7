namespace Polder.Runtime;

/// <summary>Allows a steady rate and short bursts. A value: keep it in a field or an array and call it in place.</summary>
public struct TokenBucket
{
    private double _level;
    private TimeSpan _filledAt;
    private bool _started;

    /// <summary>
    /// Takes one token if there is one. <paramref name="now"/> is time on any clock that does not run backwards,
    /// <paramref name="perSecond"/> the steady rate, <paramref name="burst"/> what a rested bucket holds.
    /// </summary>
    public bool TryTake(TimeSpan now, double perSecond, double burst, double tokens = 1)
    {
        if (!_started) (_started, _level) = (true, burst);
        else if (now > _filledAt) _level = Math.Min(burst, _level + (now - _filledAt).TotalSeconds * perSecond);
        _filledAt = now;
        if (_level < tokens) return false;
        _level -= tokens;
        return true;
    }
}
