namespace Polder.Overlay.Sessions;

/// <summary>One timer for everything that sessions have to do at some moment: the work says when it wants to be called again.</summary>
internal sealed class SessionTimer(NodeHost host, Func<TimeSpan, TimeSpan> work)
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(10), AfterFault = TimeSpan.FromSeconds(1);

    private ITimer? _timer;
    private TimeSpan _due = TimeSpan.MaxValue, _plannedInWork = TimeSpan.MaxValue;
    private bool _stopped, _working;

    /// <summary>There is something to do at that moment.</summary>
    public void Schedule(TimeSpan due)
    {
        if (_working)
        {
            if (due < _plannedInWork) _plannedInWork = due;
            return;
        }
        if (due >= _due || _stopped) return;
        _due = due;
        var wait = due - host.Now;
        if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
        if (_timer is null)
            _timer = host.Environment.Time.CreateTimer(static self => ((SessionTimer)self!).Work(), this, wait, Timeout.InfiniteTimeSpan);
        else _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    public void Stop()
    {
        _stopped = true;
        _timer?.Dispose();
    }

    private void Work()
    {
        if (_stopped) return;
        try
        {
            var now = host.Now;
            (_working, _plannedInWork) = (true, TimeSpan.MaxValue);
            var next = work(now);
            if (_plannedInWork < next) next = _plannedInWork;
            (_working, _due) = (false, TimeSpan.MaxValue);
            if (next < TimeSpan.MaxValue) Schedule(next > now ? next : now + Least);
        }
        catch (Exception problem)
        {
            (_working, _due) = (false, TimeSpan.MaxValue);
            host.Fault(problem, "sessions", default);
            Schedule(host.Now + AfterFault);
        }
    }
}
