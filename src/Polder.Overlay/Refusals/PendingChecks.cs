using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Refusals;

/// <summary>
/// Strangers' packets that wait for a share of the processor to have their signatures checked (OV-4.4): a short queue, from
/// which the oldest is dropped for a new one, so that under a flood what is checked is what came last.
/// </summary>
internal sealed class PendingChecks(NodeEnvironment environment, SourceGuard guard, OverlayCounters counters, Func<TimeSpan> now, DatagramHandler again)
{
    public const int PacketsMax = 64;
    /// <summary>Longer ones are dropped at once: no packet with one signature to check is.</summary>
    public const int PacketBytesMax = 2_048;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // A ring whose buffers are used again: a flood allocates nothing.
    private Entry[]? _entries;
    private ITimer? _timer;
    private int _first, _count;
    private bool _granted, _armed;

    public int Count => _count;

    /// <summary>Whether the packet that is handled right now came out of the queue with its check paid for; true once.</summary>
    public bool TakeGrant()
    {
        var granted = _granted;
        _granted = false;
        return granted;
    }

    /// <summary>The budget is used up: the packet waits, and the oldest that waits may give way.</summary>
    public void Add(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > PacketBytesMax)
        {
            counters.Count(Refusal.SignatureBudget);
            return;
        }
        _entries ??= new Entry[PacketsMax];
        if (_count == PacketsMax)
        {
            counters.Count(Refusal.SignatureBudget);
            _first = (_first + 1) % PacketsMax;
            _count--;
        }
        ref var entry = ref _entries[(_first + _count) % PacketsMax];
        if (entry.Bytes is null || entry.Bytes.Length < datagram.Length) entry.Bytes = new byte[Math.Max(512, datagram.Length)];
        datagram.CopyTo(entry.Bytes);
        (entry.From, entry.Length) = (from, datagram.Length);
        _count++;
        if (_armed) return;
        _armed = true;
        _timer ??= environment.Time.CreateTimer(static self => ((PendingChecks)self!).Work(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Pause, Timeout.InfiniteTimeSpan);
    }

    public void Stop()
    {
        _timer?.Dispose();
        _timer = null;
        (_count, _entries, _armed) = (0, null, true);
    }

    private void Work()
    {
        if (_timer is null) return;
        while (_count > 0 && guard.MayCheckSignature(now()))
        {
            var entry = _entries![_first];
            _first = (_first + 1) % PacketsMax;
            _count--;
            _granted = true;
            again(entry.From, entry.Bytes.AsSpan(0, entry.Length));
            _granted = false;
            if (_timer is null) return;
        }
        _armed = _count > 0;
        if (_armed) _timer.Change(Pause, Timeout.InfiniteTimeSpan);
    }

    private struct Entry
    {
        public byte[]? Bytes;
        public Endpoint From;
        public int Length;
    }
}
