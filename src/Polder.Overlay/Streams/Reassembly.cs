namespace Polder.Overlay.Streams;

/// <summary>Pages for what arrived and was not read, counted over all sessions of a node. Pooled for each thread, because a node is one thread.</summary>
internal sealed class PagePool(long bytesMax)
{
    public const int PageBytes = 4096;
    private const int PooledMax = 1024;

    [ThreadStatic] private static Stack<byte[]>? _pool;

    /// <summary>Bytes in pages that are in use.</summary>
    public long Bytes { get; private set; }

    /// <summary>Times that there was no page: the packet was not acknowledged and comes again.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether windows may still grow: less than half is in use.</summary>
    public bool IsRoomy => Bytes < bytesMax / 2;

    public byte[]? TryRent()
    {
        if (Bytes + PageBytes > bytesMax)
        {
            Refused++;
            return null;
        }
        Bytes += PageBytes;
        return (_pool ??= new Stack<byte[]>()).TryPop(out var page) ? page : GC.AllocateUninitializedArray<byte>(PageBytes);
    }

    public void Return(byte[] page)
    {
        Bytes -= PageBytes;
        if (_pool is { Count: < PooledMax } pool) pool.Push(page);
    }
}

/// <summary>
/// Puts the bytes of a stream in order. Bytes lie in pages; what arrived ahead of a gap is known by ranges, of which there is a bounded number.
/// The caller has checked that the bytes are within the window.
/// </summary>
internal sealed class Reassembly(PagePool pool, int gapsMax)
{
    private readonly List<(ulong First, ulong End)> _ahead = [];
    private byte[]?[] _pages = [];
    private ulong _pagesAt; // number of the page in _pages[0]

    /// <summary>Offset of the next byte to be read.</summary>
    public ulong Read { get; private set; }

    /// <summary>Offset of the first byte that has not arrived.</summary>
    public ulong Arrived { get; private set; }

    /// <summary>Bytes that can be read.</summary>
    public long Readable => (long)(Arrived - Read);

    /// <summary>Takes bytes at an offset. False: no room; nothing was taken that would have to be acknowledged.</summary>
    public bool TryAdd(ulong offset, ReadOnlySpan<byte> data)
    {
        var end = offset + (ulong)data.Length;
        if (end <= Arrived) return true;
        if (offset < Arrived)
        {
            data = data[(int)(Arrived - offset)..];
            offset = Arrived;
        }
        if (offset > Arrived && _ahead.Count >= gapsMax && !Touches(offset, end)) return false;
        if (!TryStore(offset, data)) return false;
        if (offset > Arrived)
        {
            Remember(offset, end);
            return true;
        }
        Arrived = end;
        while (_ahead.Count > 0 && _ahead[0].First <= Arrived)
        {
            if (_ahead[0].End > Arrived) Arrived = _ahead[0].End;
            _ahead.RemoveAt(0);
        }
        return true;
    }

    /// <summary>Copies what can be read, at most as much as fits, and gives its length.</summary>
    public int Take(Span<byte> destination)
    {
        var left = (int)Math.Min(destination.Length, Readable);
        var taken = 0;
        while (taken < left)
        {
            var at = (int)(Read % PagePool.PageBytes);
            var count = Math.Min(left - taken, PagePool.PageBytes - at);
            PageOf(Read)!.AsSpan(at, count).CopyTo(destination[taken..]);
            Read += (ulong)count;
            taken += count;
            if (at + count == PagePool.PageBytes) Drop(Read / PagePool.PageBytes - 1);
        }
        // Nothing is left: also the page that is not full goes back.
        if (_pages.Length > 0 && Readable == 0 && _ahead.Count == 0 && Read % PagePool.PageBytes != 0) Drop(Read / PagePool.PageBytes);
        return taken;
    }

    /// <summary>Gives back all pages.</summary>
    public void Clear()
    {
        foreach (var page in _pages)
            if (page is not null) pool.Return(page);
        _pages = [];
        _ahead.Clear();
        Read = Arrived;
    }

    private bool TryStore(ulong offset, ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var at = (int)(offset % PagePool.PageBytes);
            var count = Math.Min(data.Length, PagePool.PageBytes - at);
            if (PageFor(offset) is not { } page) return false;
            data[..count].CopyTo(page.AsSpan(at));
            offset += (ulong)count;
            data = data[count..];
        }
        return true;
    }

    private byte[]? PageOf(ulong offset) => _pages[(int)((offset / PagePool.PageBytes - _pagesAt) % (ulong)_pages.Length)];

    private byte[]? PageFor(ulong offset)
    {
        var number = offset / PagePool.PageBytes;
        if (_pages.Length == 0) _pagesAt = Read / PagePool.PageBytes;
        var needed = (int)(number - Read / PagePool.PageBytes) + 1;
        if (needed > _pages.Length) Grow(needed);
        ref var page = ref _pages[(int)((number - _pagesAt) % (ulong)_pages.Length)];
        return page ??= pool.TryRent();
    }

    // The table of pages is a ring whose places are page numbers modulo its length.
    private void Grow(int needed)
    {
        var pages = new byte[]?[Math.Max(needed, Math.Max(4, _pages.Length * 2))];
        var first = Read / PagePool.PageBytes;
        for (var i = 0; i < _pages.Length; i++)
            pages[i] = _pages[(int)((first + (ulong)i - _pagesAt) % (ulong)_pages.Length)];
        (_pages, _pagesAt) = (pages, first);
    }

    private void Drop(ulong number)
    {
        ref var page = ref _pages[(int)((number - _pagesAt) % (ulong)_pages.Length)];
        if (page is null) return;
        pool.Return(page);
        page = null;
    }

    private bool Touches(ulong offset, ulong end)
    {
        foreach (var (first, last) in _ahead)
            if (offset <= last && end >= first) return true;
        return false;
    }

    private void Remember(ulong first, ulong end)
    {
        var i = _ahead.Count;
        while (i > 0 && _ahead[i - 1].First > first) i--;
        if (i > 0 && _ahead[i - 1].End >= first) (i, first) = (i - 1, _ahead[i - 1].First);
        var next = i;
        while (next < _ahead.Count && _ahead[next].First <= end)
        {
            end = Math.Max(end, _ahead[next].End);
            first = Math.Min(first, _ahead[next].First);
            next++;
        }
        _ahead.RemoveRange(i, next - i);
        _ahead.Insert(i, (first, end));
    }
}
