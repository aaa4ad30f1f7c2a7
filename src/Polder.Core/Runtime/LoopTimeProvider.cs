namespace Polder.Runtime;

/// <summary>A clock whose timers fire on a node's loop.</summary>
/// <param name="clock">The clock underneath.</param>
/// <param name="loop">Where callbacks run.</param>
public sealed class LoopTimeProvider(TimeProvider clock, NodeLoop loop) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new LoopTimer(clock, loop, callback, state, dueTime, period);

    private sealed class LoopTimer : ITimer
    {
        private readonly NodeLoop _loop;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _inner;
        private volatile bool _disposed;

        public LoopTimer(TimeProvider clock, NodeLoop loop, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_loop, _callback, _state) = (loop, callback, state);
            _inner = clock.CreateTimer(static self => ((LoopTimer)self!).Fire(), this, dueTime, period);
        }

        private void Fire() => _loop.Post(() =>
        {
            // Stopped between firing and its turn in the queue.
            if (!_disposed) _callback(_state);
        });

        public bool Change(TimeSpan dueTime, TimeSpan period) => _inner.Change(dueTime, period);

        public void Dispose()
        {
            _disposed = true;
            _inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _disposed = true;
            return _inner.DisposeAsync();
        }
    }
}
