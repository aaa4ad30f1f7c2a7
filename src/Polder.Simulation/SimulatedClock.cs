namespace Polder.Simulation;

/// <summary>
/// A node's clock: virtual time, seen through an offset and a drift of the node's own. Timers fire on the node's loop and
/// die with it.
/// </summary>
public sealed class SimulatedClock : TimeProvider
{
    /// <summary>What virtual time zero is called: 2026-01-01 00:00 UTC.</summary>
    public static DateTimeOffset Epoch { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly World _world;
    private readonly SimulatedLoop _loop;
    private readonly SimulatedNode _node;

    internal SimulatedClock(World world, SimulatedNode node, SimulatedLoop loop) => (_world, _node, _loop) = (world, node, loop);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Time since the world began, as this clock counts it: drift shows, the offset does not. Never runs backwards.</summary>
    public override long GetTimestamp() => ToLocal(_world.NowTicks);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Epoch + _node.ClockOffset + TimeSpan.FromTicks(ToLocal(_world.NowTicks));

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private long ToLocal(long virtualTicks) =>
        _node.ClockDriftPpm == 0 ? virtualTicks : virtualTicks + (long)(virtualTicks / 1_000_000.0 * _node.ClockDriftPpm);

    private long ToVirtual(long localTicks) =>
        _node.ClockDriftPpm == 0 ? localTicks : localTicks - (long)(localTicks / (1_000_000.0 + _node.ClockDriftPpm) * _node.ClockDriftPpm);

    internal sealed class Timer(SimulatedClock clock, TimerCallback callback, object? state) : ITimer
    {
        private long _period = -1;
        private int _tag;
        private bool _planned, _disposed;

        /// <summary>Whether an entry of the queue with this tag is still meant.</summary>
        public bool IsStale(int tag) => tag != _tag || !clock._loop.IsAlive;

        public SimulatedNode Node => clock._node;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dueTime.Ticks, -TimeSpan.TicksPerMillisecond);
            ArgumentOutOfRangeException.ThrowIfLessThan(period.Ticks, -TimeSpan.TicksPerMillisecond);
            if (_disposed) return false;
            Forget();
            if (clock._world.IsForeignThread)
            {
                clock._world.RememberForeignPost(clock._node);
                return false;
            }
            _period = period <= TimeSpan.Zero ? -1 : clock.ToVirtual(period.Ticks);
            if (dueTime >= TimeSpan.Zero && clock._loop.IsAlive) Plan(clock.ToVirtual(dueTime.Ticks));
            return true;
        }

        public void Fire()
        {
            _planned = false;
            if (_period > 0) Plan(_period);
            var before = clock._loop.Enter();
            try { callback(state); }
            finally { SynchronizationContext.SetSynchronizationContext(before); }
        }

        private void Plan(long delay)
        {
            clock._world.Plan(delay, this, ++_tag);
            _planned = true;
        }

        private void Forget()
        {
            if (_planned) clock._world.CountStaleTimer();
            _planned = false;
            _tag++;
        }

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            Forget();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
