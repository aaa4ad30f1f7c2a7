using System.Numerics;

namespace Polder.Overlay.Refusals;

/// <summary>
/// Rates and credit of addresses that have proved nothing: a fixed table of hashed slots, not an entry for each address
/// (OV-4.3). Pages of it are made when first touched, so a quiet node pays for a few only.
/// </summary>
internal sealed class SourceTable
{
    private readonly int _mask, _pageSlots;
    // A virtual scheduling clock a slot: 8 bytes hold both level and time.
    private long[]?[]? _due;
    // Where bytes are counted: not in tables that only limit rates.
    private Credit[]?[]? _credit;

    public SourceTable(int slots)
    {
        _mask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(slots, 8)) - 1;
        // Small pages where memory counts, few pages where the table is large.
        _pageSlots = _mask < 1024 ? 8 : 32;
    }

    /// <summary>Takes one packet from the slot's rate; <paramref name="perSecond"/> and <paramref name="burst"/> are packets.</summary>
    public bool TryTake(ulong hash, TimeSpan now, double perSecond, double burst)
    {
        ref var slot = ref At(ref _due, hash);
        var step = TimeSpan.TicksPerSecond / perSecond;
        var due = Math.Max(slot, now.Ticks);
        if (due - now.Ticks > (burst - 1) * step) return false;
        slot = due + (long)step;
        return true;
    }

    /// <summary>Bytes came from that address: it may get three times as many back within the window (OV-4.1).</summary>
    public void Heard(ulong hash, TimeSpan now, TimeSpan window, int bytes)
    {
        ref var slot = ref CreditOf(hash, now, window);
        slot.Received = (int)Math.Min(int.MaxValue / 4, (long)slot.Received + bytes);
    }

    /// <summary>Whether so many bytes may go to that address, and if so, counts them.</summary>
    public bool MaySend(ulong hash, TimeSpan now, TimeSpan window, int factor, int bytes)
    {
        ref var slot = ref CreditOf(hash, now, window);
        if ((long)slot.Sent + bytes > (long)factor * slot.Received) return false;
        slot.Sent += bytes;
        return true;
    }

    private ref Credit CreditOf(ulong hash, TimeSpan now, TimeSpan window)
    {
        ref var slot = ref At(ref _credit, hash);
        var tag = (uint)(hash >> 32);
        // Whoever takes over a slot starts without credit: nobody spends another's.
        // Milliseconds in 32 bits come round after 49 days: then a window may once be too long.
        var milliseconds = unchecked((uint)(now.Ticks / TimeSpan.TicksPerMillisecond));
        if (slot.Tag != tag || unchecked(milliseconds - slot.SinceMilliseconds) >= window.TotalMilliseconds)
            (slot.Tag, slot.SinceMilliseconds, slot.Received, slot.Sent) = (tag, milliseconds, 0, 0);
        return ref slot;
    }

    private ref T At<T>(ref T[]?[]? pages, ulong hash) where T : struct
    {
        var index = unchecked((int)hash) & _mask;
        pages ??= new T[]?[(_mask + 1) / _pageSlots];
        var page = pages[index / _pageSlots] ??= new T[_pageSlots];
        return ref page[index % _pageSlots];
    }

    private struct Credit
    {
        public uint SinceMilliseconds, Tag;
        public int Received, Sent;
    }
}
