namespace Polder.Simulation;

/// <summary>What happens at a moment of virtual time: a datagram in flight, a timer or work, and a tag that lets timers be cancelled.</summary>
internal struct Event
{
    public long Time;
    public long Order;
    public object Target;
    public int Tag;
}

/// <summary>A four-ary heap ordered by (time, order): equal times happen in the order in which they were planned.</summary>
internal sealed class EventQueue
{
    private Event[] _heap = new Event[1024];

    public int Count { get; private set; }

    public ref readonly Event First => ref _heap[0];

    public void Add(long time, long order, object target, int tag)
    {
        if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
        var item = new Event { Time = time, Order = order, Target = target, Tag = tag };
        SiftUp(Count++, item);
    }

    public Event Take()
    {
        var first = _heap[0];
        var last = _heap[--Count];
        _heap[Count] = default;
        if (Count > 0) SiftDown(0, last);
        return first;
    }

    /// <summary>Drops what nobody waits for any more, such as timers that were stopped long before they were due.</summary>
    public void RemoveWhere(Func<object, int, bool> isStale)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
            if (!isStale(_heap[i].Target, _heap[i].Tag)) _heap[kept++] = _heap[i];
        Array.Clear(_heap, kept, Count - kept);
        Count = kept;
        for (var i = (Count - 2) / 4; i >= 0 && Count > 1; i--) SiftDown(i, _heap[i]);
    }

    private void SiftUp(int index, Event item)
    {
        var heap = _heap;
        while (index > 0)
        {
            var parent = (index - 1) >> 2;
            if (!Before(in item, in heap[parent])) break;
            heap[index] = heap[parent];
            index = parent;
        }
        heap[index] = item;
    }

    private void SiftDown(int index, Event item)
    {
        var heap = _heap;
        while (true)
        {
            var child = index * 4 + 1;
            if (child >= Count) break;
            var best = child;
            var end = Math.Min(child + 4, Count);
            for (var other = child + 1; other < end; other++)
                if (Before(in heap[other], in heap[best])) best = other;
            if (!Before(in heap[best], in item)) break;
            heap[index] = heap[best];
            index = best;
        }
        heap[index] = item;
    }

    private static bool Before(in Event left, in Event right) =>
        left.Time < right.Time || (left.Time == right.Time && left.Order < right.Order);
}
