using System.Numerics;

namespace Polder.Overlay;

/// <summary>How an item of a <see cref="HashIndex{TItem,TKey,TBy}"/> is found.</summary>
internal interface IIndexedBy<in TItem, TKey> where TKey : allows ref struct
{
    static abstract int HashOf(TKey key);
    static abstract int HashOfItem(TItem item);
    static abstract bool Matches(TItem item, TKey key);
}

/// <summary>
/// Items by a key that each of them holds. Open addressing in one array of references, at most three quarters full: 11 to 21
/// bytes an item where a <see cref="Dictionary{TKey,TValue}"/> of endpoints takes 60, and nothing at all while empty. A mutable
/// value: keep it in a field.
/// </summary>
internal struct HashIndex<TItem, TKey, TBy>
    where TItem : class where TKey : allows ref struct where TBy : struct, IIndexedBy<TItem, TKey>
{
    private const int SlotsMin = 4;

    private TItem?[]? _slots;

    public int Count { get; private set; }

    public readonly TItem? Find(TKey key)
    {
        if (_slots is not { } slots) return null;
        var mask = slots.Length - 1;
        for (var i = Spread(TBy.HashOf(key)) & mask; slots[i] is { } item; i = (i + 1) & mask)
            if (TBy.Matches(item, key)) return item;
        return null;
    }

    /// <summary>Adds an item of a key that is not there yet.</summary>
    public void Add(TItem item)
    {
        if (_slots is null) _slots = new TItem?[SlotsMin];
        else if (4 * (Count + 1) > 3 * _slots.Length) Resize(2 * _slots.Length);
        Place(_slots, item);
        Count++;
    }

    /// <summary>Takes this very item out; false when it is not there.</summary>
    public bool Remove(TItem item)
    {
        if (_slots is not { } slots) return false;
        var mask = slots.Length - 1;
        var hole = Spread(TBy.HashOfItem(item)) & mask;
        for (; slots[hole] != item; hole = (hole + 1) & mask)
            if (slots[hole] is null) return false;
        // Whoever was pushed past the hole moves back, so that no search ends too early.
        for (var i = (hole + 1) & mask; slots[i] is { } next; i = (i + 1) & mask)
        {
            var home = Spread(TBy.HashOfItem(next)) & mask;
            if (((i - home) & mask) < ((i - hole) & mask)) continue;
            slots[hole] = next;
            hole = i;
        }
        slots[hole] = null;
        if (--Count == 0) _slots = null;
        else if (slots.Length > 16 && 8 * Count < slots.Length) Resize(slots.Length / 4);
        return true;
    }

    private void Resize(int length)
    {
        var larger = new TItem?[length];
        foreach (var item in _slots!)
            if (item is not null) Place(larger, item);
        _slots = larger;
    }

    private static void Place(TItem?[] slots, TItem item)
    {
        var mask = slots.Length - 1;
        var i = Spread(TBy.HashOfItem(item)) & mask;
        while (slots[i] is not null) i = (i + 1) & mask;
        slots[i] = item;
    }

    // Keys' hashes need not be good in their low bits.
    private static int Spread(int hash) => unchecked((int)(((uint)hash * 0x9E3779B1u) ^ BitOperations.RotateRight((uint)hash * 0x9E3779B1u, 15)));
}
