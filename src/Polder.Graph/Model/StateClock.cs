namespace Polder.Graph.Model;

/// <summary>
/// Gives out states: milliseconds since 1970, and within one millisecond a fraction of n/999. Unlike gun.js's clock it never goes
/// back, whatever the system's clock does, and never gives a state twice.
/// </summary>
/// <param name="time">Where the time comes from.</param>
public sealed class StateClock(TimeProvider time)
{
    private const double StepsAMillisecond = 999;
    private const int DriftMillisecondsMax = 24 * 60 * 60 * 1000;

    private double _base = double.NegativeInfinity, _last = double.NegativeInfinity;
    private int _count;

    /// <summary>Milliseconds since 1970 by the system's clock, whole.</summary>
    public double Milliseconds => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>
    /// What counts as the present when others' states are judged: the end of the running millisecond, since states of gun.js
    /// spread over it, or the last state given out where that is later.
    /// </summary>
    public double Present => Math.Max(Milliseconds + 1, _last);

    /// <summary>A state later than all given before.</summary>
    public double Next() => NextAt(Milliseconds);

    /// <summary>The next state when the system's clock shows <paramref name="milliseconds"/>.</summary>
    internal double NextAt(double milliseconds)
    {
        // The counter starts anew only once the clock has passed the last state: gun.js's rule.
        if (milliseconds > _last) (_base, _count) = (milliseconds, 0);
        else
        {
            if (milliseconds > _base) _base = milliseconds;
            _count++;
        }
        var state = _base + _count / StepsAMillisecond;
        if (state <= _last) state = Math.BitIncrement(_last);
        return _last = state;
    }

    /// <summary>Goes past a state of our own that was found in store, so that a clock that was set back does not hide new writes.</summary>
    public void Pass(double state)
    {
        if (state > _last && state < Milliseconds + DriftMillisecondsMax) _last = state;
    }
}
