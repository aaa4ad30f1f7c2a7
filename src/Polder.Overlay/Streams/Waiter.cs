using System.Threading.Tasks.Sources;

namespace Polder.Overlay.Streams;

/// <summary>One awaited read or write at a time, without an allocation each. The continuation is posted to the loop, as an await's always is.</summary>
internal sealed class Waiter : IValueTaskSource<int>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<int> _core;
    private CancellationTokenRegistration _registration;

    /// <summary>Somebody waits who has not been answered.</summary>
    public bool IsWaiting { get; private set; }

    public short Begin()
    {
        if (IsWaiting) throw new InvalidOperationException("A stream takes one read and one write at a time.");
        _core.Reset();
        IsWaiting = true;
        return _core.Version;
    }

    /// <summary>Fails the wait of that token when cancelled, and then calls <paramref name="cancelled"/>.</summary>
    public void CancelBy(Polder.Runtime.NodeLoop loop, short token, Action? cancelled, CancellationToken cancel)
    {
        if (!cancel.CanBeCanceled) return;
        _registration = cancel.Register(() => loop.Post(() =>
        {
            if (!IsWaiting || _core.Version != token) return;
            Fail(new OperationCanceledException(cancel));
            cancelled?.Invoke();
        }));
    }

    public void Complete(int result)
    {
        if (!End()) return;
        _core.SetResult(result);
    }

    public void Fail(Exception problem)
    {
        if (!End()) return;
        _core.SetException(problem);
    }

    private bool End()
    {
        if (!IsWaiting) return false;
        IsWaiting = false;
        _registration.Dispose();
        _registration = default;
        return true;
    }

    public int GetResult(short token) => _core.GetResult(token);
    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
