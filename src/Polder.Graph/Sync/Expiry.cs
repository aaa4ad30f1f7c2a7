using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Store;

namespace Polder.Graph.Sync;

/// <summary>Frees the space of souls with <c>&lt;?N</c>: what is older than N seconds is removed from the store.</summary>
internal sealed class Expiry : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private const int WaitingMax = 100_000, RemovedAtOnce = 2_000;

    private readonly StateClock _clock;
    private readonly IGraphStore _store;
    private readonly PriorityQueue<(string Soul, string Key), double> _due = new();
    private readonly Action<string, string> _remove;
    private readonly ITimer _timer;

    public Expiry(TimeProvider time, StateClock clock, IGraphStore store, Action<string, string> remove)
    {
        (_clock, _store, _remove) = (clock, store, remove);
        _timer = time.CreateTimer(_ => Sweep(), null, Interval, Interval);
    }

    /// <summary>Remembers when a write expires, if it does.</summary>
    public void Note(in GraphWrite write)
    {
        if (Firewall.Lifetime(write.Soul) is not { } seconds || _due.Count >= WaitingMax) return;
        _due.Enqueue((write.Soul, write.Key), write.State + seconds * 1000);
    }

    public void Dispose() => _timer.Dispose();

    private void Sweep()
    {
        for (var count = 0; count < RemovedAtOnce && _due.TryPeek(out var item, out var time) && time < _clock.Milliseconds; count++)
        {
            _due.Dequeue();
            // A newer write of the same key has its own time.
            if (_store.Find(item.Soul, item.Key) is { } entry && entry.State + Firewall.Lifetime(item.Soul)!.Value * 1000 < _clock.Milliseconds)
                _remove(item.Soul, item.Key);
        }
    }
}
