namespace Polder.Overlay.Dht.Records;

/// <summary>The last round trips of all nodes, for patience with those that we do not know (their 95th percentile).</summary>
internal sealed class RoundTrips
{
    private const int Kept = 64, NewEach = 8;

    private ushort[]? _last;
    private int _count;
    private ushort _high, _median;

    /// <summary>95th percentile in milliseconds; 0 while nothing was measured.</summary>
    public int High => _high;

    /// <summary>Median in milliseconds; 0 while nothing was measured.</summary>
    public int Median => _median;

    public void Add(TimeSpan time)
    {
        _last ??= new ushort[Kept];
        _last[_count++ % Kept] = (ushort)Math.Clamp(time.TotalMilliseconds, 1, ushort.MaxValue);
        if (_count >= 2 * Kept) _count -= Kept;
        if (_count > NewEach && _count % NewEach != 0) return;
        Span<ushort> sorted = stackalloc ushort[Kept];
        var count = Math.Min(_count, Kept);
        _last.AsSpan(0, count).CopyTo(sorted);
        sorted[..count].Sort();
        (_high, _median) = (sorted[Math.Min(count - 1, count * 95 / 100)], sorted[count / 2]);
    }
}
