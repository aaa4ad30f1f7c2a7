namespace Polder.Ledger.Dissemination;

/// <summary>
/// Bytes that may be sent, as a bucket. What matters less may only be sent while the bucket is fuller, so that in a busy network
/// the deep hops of pushes give way first and the reach of each block shrinks by itself.
/// </summary>
internal sealed class SpreadBudget(double bytesPerSecond, double burstSeconds)
{
    private readonly double _burst = bytesPerSecond * burstSeconds;
    private double _level = bytesPerSecond * burstSeconds;
    private TimeSpan _filledAt;

    /// <summary>Takes so many bytes, if at least <paramref name="keepFree"/> (0 to 1) of a full bucket is left then.</summary>
    public bool TryTake(TimeSpan now, int bytes, double keepFree = 0)
    {
        if (now > _filledAt) _level = Math.Min(_burst, _level + (now - _filledAt).TotalSeconds * bytesPerSecond);
        _filledAt = now;
        if (_level - bytes < keepFree * _burst) return false;
        _level -= bytes;
        return true;
    }
}
