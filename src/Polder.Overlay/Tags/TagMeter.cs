namespace Polder.Overlay.Tags;

/// <summary>
/// Keeps a tag within its budget: one bucket for what goes out and one for what comes in and is looked at, each of half the budget's rate less what
/// keeping its neighbours alive costs, and of two seconds. A flood that comes in is dropped unseen beyond its half, and cannot silence us. A rule.
/// </summary>
internal sealed class TagMeter
{
    /// <summary>A ping and a pong each half minute, and what they cause.</summary>
    public const double KeepAliveBytesPerSecond = 8;

    private const double BurstSeconds = 2;
    private const int Minute = 60;

    private readonly int[] _perSecond = new int[Minute];
    private double _out, _in;
    private TimeSpan _filledAt;
    private long _second;

    public TagMeter(TagBudget budget, TimeSpan now)
    {
        (Budget, _filledAt) = (budget, now);
        _out = _in = Burst;
    }

    public TagBudget Budget { get; private set; }
    public long BytesIn { get; private set; }
    public long BytesOut { get; private set; }

    /// <summary>Bytes not sent, and bytes come in that were not looked at, because the budget was used up.</summary>
    public long Refused { get; private set; }

    private double Rate => Math.Max(Budget.KilobytesPerSecond * 1_000 - Budget.Neighbours * KeepAliveBytesPerSecond, Budget.KilobytesPerSecond * 250) / 2;

    // Room for an introduction and its answer even with the smallest budget.
    private double Burst => Math.Max(500, Rate * BurstSeconds);

    public void Change(TagBudget budget, TimeSpan now)
    {
        Fill(now);
        Budget = budget;
        (_out, _in) = (Math.Min(_out, Burst), Math.Min(_in, Burst));
    }

    public bool TrySend(int bytes, TimeSpan now)
    {
        Fill(now);
        if (_out < bytes)
        {
            Refused += bytes;
            return false;
        }
        _out -= bytes;
        BytesOut += bytes;
        Note(bytes, now);
        return true;
    }

    /// <summary>Something came: whether it is looked at.</summary>
    public bool TryReceive(int bytes, TimeSpan now)
    {
        Fill(now);
        BytesIn += bytes;
        Note(bytes, now);
        if (_in < bytes)
        {
            Refused += bytes;
            return false;
        }
        _in -= bytes;
        return true;
    }

    /// <summary>Bytes a second, in and out, over the last minute.</summary>
    public double BytesPerSecond(TimeSpan now)
    {
        Turn(now);
        var sum = 0L;
        foreach (var bytes in _perSecond) sum += bytes;
        return sum / (double)Minute;
    }

    private void Fill(TimeSpan now)
    {
        if (now <= _filledAt) return;
        var more = (now - _filledAt).TotalSeconds * Rate;
        (_out, _in) = (Math.Min(Burst, _out + more), Math.Min(Burst, _in + more));
        _filledAt = now;
    }

    private void Note(int bytes, TimeSpan now)
    {
        Turn(now);
        _perSecond[_second % Minute] += bytes;
    }

    private void Turn(TimeSpan now)
    {
        var second = (long)now.TotalSeconds;
        for (var i = Math.Max(_second + 1, second - Minute + 1); i <= second; i++) _perSecond[i % Minute] = 0;
        _second = Math.Max(_second, second);
    }
}
