namespace Polder.Overlay.AddressBook;

/// <summary>
/// How many addresses may be tried by now (OV-5.2): ten a second for five seconds, two a second until thirty, then ever fewer down to one
/// in thirty seconds, without end. And which share of them each source may use in the first thirty seconds (§5.1). A rule.
/// </summary>
internal sealed class ContactSchedule(AddressBookOptions options)
{
    private const int BurstMax = 5;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5), SharesEnd = TimeSpan.FromSeconds(30);
    private static readonly int Sources = Enum.GetValues<ContactSource>().Length;

    private readonly float[] _used = new float[Sources];
    private TimeSpan _begun, _interval, _due;
    private double _lapsed;
    private long _spent;

    /// <summary>The share of a source in the first thirty seconds.</summary>
    public static double ShareOf(ContactSource source) => source switch
    {
        ContactSource.Invitation => 1,
        ContactSource.Anchors or ContactSource.AddressBook => 0.3,
        // Somebody put the stick in just now.
        ContactSource.Bundle => 0.5,
        _ => 0.2,
    };

    /// <summary>Begins anew: at the start, after the network changed, and when everybody was lost.</summary>
    public void Restart(TimeSpan now)
    {
        (_begun, _spent, _lapsed, _interval) = (now, 0, 0, default);
        Array.Clear(_used);
    }

    /// <summary>Whether attempts still come faster than the idle beat.</summary>
    public bool IsQuick(TimeSpan now) => now - _begun < SharesEnd;

    /// <summary>How many may be tried now. What is not used lapses but for a few.</summary>
    public int Due(TimeSpan now)
    {
        if (now - _begun < SharesEnd)
        {
            var due = Scheduled(now) - _spent - _lapsed;
            if (due > BurstMax)
            {
                _lapsed += due - BurstMax;
                due = BurstMax;
            }
            return (int)due;
        }
        if (_interval == default) (_interval, _due) = (TimeSpan.FromSeconds(1 / options.AttemptsPerSecondThen), now);
        return now >= _due ? 1 : 0;
    }

    /// <summary>Whether this source may be tried once more by now.</summary>
    public bool Allows(ContactSource source, TimeSpan now) =>
        now - _begun >= SharesEnd || _used[(int)source] < Math.Max(1, ShareOf(source) * Math.Ceiling(Scheduled(now)));

    /// <summary>One was tried.</summary>
    public void Spend(ContactSource source, TimeSpan now)
    {
        _spent++;
        _used[(int)source]++;
        if (now - _begun < SharesEnd) return;
        _interval *= 2;
        if (_interval > options.AttemptIntervalMax) _interval = options.AttemptIntervalMax;
        _due = now + _interval;
    }

    /// <summary>How much of its share a source has used: the least served is next.</summary>
    public double Load(ContactSource source) => _used[(int)source] / ShareOf(source);

    // One at once, so that a node that knows where to go does not wait.
    private double Scheduled(TimeSpan now)
    {
        var passed = now - _begun;
        return 1 + (passed <= First
            ? passed.TotalSeconds * options.AttemptsPerSecondAtFirst
            : First.TotalSeconds * options.AttemptsPerSecondAtFirst + (passed - First).TotalSeconds * options.AttemptsPerSecondThen);
    }
}
