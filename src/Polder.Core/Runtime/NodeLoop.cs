namespace Polder.Runtime;

/// <summary>
/// The one thread of control of a node (decision 0001). Everything a node does happens in work posted here, in order, so
/// its state needs no lock. In production the loop is a thread; in the simulator it is a queue on virtual time.
/// </summary>
public abstract class NodeLoop : SynchronizationContext
{
    /// <summary>Whether the caller is running on this loop.</summary>
    public bool IsCurrent => Current == this;

    /// <summary>Puts work at the end of the queue. May be called from any thread in production.</summary>
    public abstract void Post(Action work);

    /// <summary>What the compiler calls after an await: the same as <see cref="Post(Action)"/>.</summary>
    public sealed override void Post(SendOrPostCallback d, object? state) => Post(() => d(state));

    /// <summary>Never: waiting for the loop from another thread is how deadlocks are made. Use <see cref="InvokeAsync{T}(Func{T})"/>.</summary>
    public sealed override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("A node's loop is never waited for. Use InvokeAsync.");

    /// <inheritdoc/>
    public sealed override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs <paramref name="work"/> on the loop and hands its result to whoever asked, on the asker's own thread.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work) => InvokeAsync(() => Task.FromResult(work()));

    /// <summary>Runs <paramref name="work"/> on the loop.</summary>
    public Task InvokeAsync(Action work) => InvokeAsync(() =>
    {
        work();
        return Task.FromResult(true);
    });

    /// <summary>Starts <paramref name="work"/> on the loop; its awaits stay there, and the end comes back to the asker.</summary>
    public Task<T> InvokeAsync<T>(Func<Task<T>> work)
    {
        // The asker stands outside: its continuation must not run on, and so hold up, the loop. This is the one place
        // where leaving the loop is the purpose.
#pragma warning disable RS0030
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
#pragma warning restore RS0030
        Post(() => _ = RunAsync());
        return result.Task;

        async Task RunAsync()
        {
            try { result.SetResult(await work()); }
            catch (OperationCanceledException) { result.TrySetCanceled(); }
            catch (Exception problem) { result.TrySetException(problem); }
        }
    }

    /// <summary>Runs one piece of work with this loop as the current context.</summary>
    protected void Run(Action work)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try { work(); }
        finally { SetSynchronizationContext(before); }
    }
}
