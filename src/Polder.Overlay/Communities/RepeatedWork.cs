namespace Polder.Overlay;

/// <summary>Work that a community does again and again.</summary>
internal sealed class RepeatedWork(Community community, TimeSpan interval, Func<Task> work)
{
    private ITimer? _timer;
    private bool _running;

    public void Begin()
    {
        var environment = community.Host.Environment;
        _timer ??= environment.Time.CreateTimer(
            static self => ((RepeatedWork)self!).Tick(), this, environment.Random.NextDuration(interval), interval);
    }

    public void End()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Tick()
    {
        if (_running || _timer is null) return;
        _running = true;
        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        try { await work(); }
        catch (OperationCanceledException) { /* The community is left. */ }
        // Background work has no caller to tell: this is its catch-all, like the dispatcher's.
        catch (Exception problem) { community.Host.Fault(problem, community); }
        finally { _running = false; }
    }
}
