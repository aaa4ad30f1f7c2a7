namespace Polder.Overlay.Tags;

/// <summary>
/// Keeps a tag within its budget: bytes in and out come from one bucket that fills at the budget's rate less what keeping its neighbours alive
/// costs, and holds two seconds of it. What comes in is paid for even beyond the bucket's bottom, and then nothing goes out until it is
/// paid off. A rule.
/// </summary>
internal sealed class TagMeter
{
    /// <summary>A ping and a pong each half minute, and what they cause.</summary>
    public const double KeepAliveBytesPerSecond = 8;

    private const double BurstSeconds = 2, DebtSeconds = 5;
    private const int Minute = 60;

    private readonly int[] _perSecond = new int[Minute];
    private double _level;
    private TimeSpan _filledAt;
    private long _second;

    public TagMeter(TagBudget budget, TimeSpan now)
    {
        (Budget, _filledAt) = (budget, now);
        _level = Burst;
    }

    public TagBudget Budget { get; private set; }
    public long BytesIn { get; private set; }
    public long BytesOut { get; private set; }

    /// <summary>Bytes not sent, and bytes come in that were not looked at, because the budget was used up.</summary>
    public long Refused { get; private set; }

    private double Rate => Math.Max(Budget.KilobytesPerSecond * 1_000 - Budget.Neighbours * KeepAliveBytesPerSecond, Budget.KilobytesPerSecond * 250);

    // Room for an introduction and its answer even with the smallest budget.
    private double Burst => Math.Max(1_000, Rate * BurstSeconds);

    public void Change(TagBudget budget, TimeSpan now)
    {
        Fill(now);
        Budget = budget;
        _level = Math.Min(_level, Burst);
    }

    public bool TrySend(int bytes, TimeSpan now)
    {
        Fill(now);
        if (_level < bytes)
        {
            Refused += bytes;
            return false;
        }
        _level -= bytes;
        BytesOut += bytes;
        Note(bytes, now);
        return true;
    }

    /// <summary>Something came: whether it is looked at. It has cost its bytes in any case.</summary>
    public bool TryReceive(int bytes, TimeSpan now)
    {
        Fill(now);
        BytesIn += bytes;
        Note(bytes, now);
        var pays = _level >= bytes;
        if (!pays) Refused += bytes;
        // A flood may silence the tag, but not for ever after it ended.
        _level = Math.Max(_level - bytes, -Rate * DebtSeconds);
        return pays;
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
        _level = Math.Min(Burst, _level + (now - _filledAt).TotalSeconds * Rate);
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
