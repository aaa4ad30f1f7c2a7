namespace Polder.Overlay.Sessions;

/// <summary>
/// Which counters of one key were seen, 2048 behind the highest (specification 3.3). A value: keep it in a field. The 256 bytes of
/// history are made when the counter first passes 64, so a session of few packets has none.
/// </summary>
internal struct ReplayWindow
{
    /// <summary>Counters remembered.</summary>
    public const int Size = 2048;

    private const int WordBits = 64, Words = Size / WordBits;

    private ulong[]? _ring;
    private ulong _first;

    /// <summary>One more than the highest counter seen.</summary>
    public ulong Next { get; private set; }

    /// <summary>Whether this counter is neither too old nor seen.</summary>
    public readonly bool Accepts(ulong counter)
    {
        if (counter >= Next) return true;
        if (Next - counter > Size) return false;
        return _ring is null ? (_first >> (int)counter & 1) == 0 : (_ring[Index(counter)] >> (int)(counter % WordBits) & 1) == 0;
    }

    /// <summary>Remembers a counter that was accepted and whose tag was right. True when it is the highest so far.</summary>
    public bool Mark(ulong counter)
    {
        var isHighest = counter >= Next;
        if (_ring is null && counter < WordBits) _first |= 1ul << (int)counter;
        else
        {
            if (_ring is null)
            {
                _ring = new ulong[Words];
                _ring[0] = _first;
            }
            if (isHighest) Clear(Math.Max(Next, WordBits), counter);
            _ring[Index(counter)] |= 1ul << (int)(counter % WordBits);
        }
        if (isHighest) Next = counter + 1;
        return isHighest;
    }

    /// <summary>Forgets what lies a whole window before the counters from <paramref name="from"/> to <paramref name="to"/>.</summary>
    private readonly void Clear(ulong from, ulong to)
    {
        if (to - from >= Size) Array.Clear(_ring!);
        else
            for (var counter = from; counter <= to; counter++) _ring![Index(counter)] &= ~(1ul << (int)(counter % WordBits));
    }

    private static int Index(ulong counter) => (int)(counter / WordBits % Words);
}
