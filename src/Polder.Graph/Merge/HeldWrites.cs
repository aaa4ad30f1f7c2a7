using Polder.Graph.Model;
using Polder.Graph.Store;
using Polder.Graph.Sync;

namespace Polder.Graph.Merge;

/// <summary>A write from the future.</summary>
/// <param name="Write">What was written.</param>
/// <param name="Origin">The connection it came from; counts what is held for it.</param>
internal sealed record HeldWrite(GraphWrite Write, object? Origin)
{
    /// <summary>Told when it was decided again.</summary>
    public Action<MergeResult>? Ripe { get; set; }
}

/// <summary>
/// Holds writes whose state lies ahead of the clock until their time comes, in state order, bounded in number and by a horizon. They
/// are kept in the store, so that a restart does not lose them.
/// </summary>
internal sealed class HeldWrites : IDisposable
{
    private readonly TimeProvider _time;
    private readonly StateClock _clock;
    private readonly GraphOptions _options;
    private readonly IGraphStore _store;
    private readonly Action<HeldWrite> _ripen;
    private readonly PriorityQueue<HeldWrite, double> _queue = new();
    private readonly Dictionary<GraphWrite, HeldWrite> _all = [];
    private readonly Dictionary<object, int> _perOrigin = [];
    private ITimer? _timer;

    public HeldWrites(TimeProvider time, StateClock clock, GraphOptions options, IGraphStore store, Action<HeldWrite> ripen)
    {
        (_time, _clock, _options, _store, _ripen) = (time, clock, options, store, ripen);
        foreach (var write in store.Held()) Add(new HeldWrite(write, null));
        Arm();
    }

    public int Count => _all.Count;

    /// <summary>Holds a write; false at a bound.</summary>
    public bool TryHold(in GraphWrite write, object? origin)
    {
        if (_all.ContainsKey(write)) return true;
        if (_all.Count >= _options.HeldMax || (origin is not null && _perOrigin.GetValueOrDefault(origin) >= _options.HeldPerPeerMax)) return false;
        _store.Hold(write);
        if (origin is not null) _perOrigin[origin] = _perOrigin.GetValueOrDefault(origin) + 1;
        Add(new HeldWrite(write, origin));
        Arm();
        return true;
    }

    /// <summary>Calls back when the last of these writes that is held has been decided.</summary>
    public void WhenRipe(IReadOnlyList<GraphWrite> writes, Action<MergeResult> ripe)
    {
        HeldWrite? last = null;
        foreach (var write in writes)
            if (_all.TryGetValue(write, out var held) && (last is null || write.State > last.Write.State)) last = held;
        if (last is not null) last.Ripe += ripe;
    }

    public void Dispose() => _timer?.Dispose();

    private void Add(HeldWrite held)
    {
        _all[held.Write] = held;
        _queue.Enqueue(held, held.Write.State);
    }

    private void Arm()
    {
        if (!_queue.TryPeek(out _, out var state)) return;
        var wait = TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(state - _clock.Present), 0, Ham.WaitMillisecondsMax));
        if (_timer is null) _timer = _time.CreateTimer(_ => RipenDue(), null, wait, System.Threading.Timeout.InfiniteTimeSpan);
        else _timer.Change(wait, System.Threading.Timeout.InfiniteTimeSpan);
    }

    private void RipenDue()
    {
        while (_queue.TryPeek(out var held, out var state) && state <= _clock.Present)
        {
            _queue.Dequeue();
            _all.Remove(held.Write);
            if (held.Origin is { } origin && --_perOrigin[origin] == 0) _perOrigin.Remove(origin);
            _store.Release(held.Write);
            _ripen(held);
        }
        Arm();
    }
}
