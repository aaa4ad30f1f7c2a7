namespace Polder.Overlay.Refusals;

/// <summary>
/// Remembers the keyed hashes of signed packets that were handled, in two generations (OV-4.8): a packet is known for one
/// to two generations. Bounded; a full generation ends early. Starts small, since most nodes hear little.
/// </summary>
internal sealed class ReplayFilter(TimeSpan generation, int entriesMax, OverlayCounters counters)
{
    private const int FirstSlots = 8;

    private ulong[] _current = [], _previous = [];
    private int _count;
    private TimeSpan _since;

    public bool Contains(ulong hash, TimeSpan now)
    {
        Turn(now);
        return Find(_current, hash) || Find(_previous, hash);
    }

    public void Add(ulong hash, TimeSpan now)
    {
        Turn(now);
        if (_count >= entriesMax / 2)
        {
            counters.Reached(Cap.ReplayFilter);
            NextGeneration(now);
        }
        if (2 * (_count + 1) > _current.Length) Grow();
        if (Insert(_current, hash)) _count++;
    }

    private void Turn(TimeSpan now)
    {
        if (now - _since < generation) return;
        var bothAreOld = now - _since >= 2 * generation;
        NextGeneration(now);
        if (bothAreOld) _previous = [];
    }

    private void NextGeneration(TimeSpan now)
    {
        _previous = _current;
        (_current, _count, _since) = ([], 0, now);
    }

    private void Grow()
    {
        var larger = new ulong[Math.Max(FirstSlots, 2 * _current.Length)];
        foreach (var hash in _current)
            if (hash != 0) Insert(larger, hash);
        _current = larger;
    }

    // Open addressing; 0 is an empty slot, and the one hash in 2^64 that is 0 becomes 1.
    private static bool Insert(ulong[] slots, ulong hash)
    {
        if (hash == 0) hash = 1;
        var mask = slots.Length - 1;
        var i = unchecked((int)hash) & mask;
        for (; slots[i] != 0; i = (i + 1) & mask)
            if (slots[i] == hash) return false;
        slots[i] = hash;
        return true;
    }

    private static bool Find(ulong[] slots, ulong hash)
    {
        if (slots.Length == 0) return false;
        if (hash == 0) hash = 1;
        var mask = slots.Length - 1;
        for (var i = unchecked((int)hash) & mask; slots[i] != 0; i = (i + 1) & mask)
            if (slots[i] == hash) return true;
        return false;
    }
}
