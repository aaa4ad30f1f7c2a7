namespace Polder.Ledger;

/// <summary>Remembers the last so many numbers; the oldest are forgotten first.</summary>
internal sealed class RelayMemory(int max)
{
    private readonly HashSet<ulong> _known = [];
    private readonly Queue<ulong> _order = [];

    /// <summary>True the first time.</summary>
    public bool Add(ulong number)
    {
        if (!_known.Add(number)) return false;
        _order.Enqueue(number);
        if (_order.Count > max) _known.Remove(_order.Dequeue());
        return true;
    }

    /// <summary>Whether it is remembered.</summary>
    public bool Contains(ulong number) => _known.Contains(number);

    /// <summary>Forgets it. True when it was remembered.</summary>
    public bool Remove(ulong number) => _known.Remove(number);
}
