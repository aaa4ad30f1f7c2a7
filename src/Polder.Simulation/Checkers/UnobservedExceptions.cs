using System.Collections.Concurrent;

namespace Polder.Simulation.Checkers;

/// <summary>
/// Catches exceptions of tasks that nobody awaited (I10). They surface only when the collector finds the task, so this asks
/// it to look: once a batch of runs, not after every event.
/// </summary>
public sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<AggregateException> _found = new();

    /// <summary>Begins to listen, for the whole process.</summary>
    public UnobservedExceptions() => TaskScheduler.UnobservedTaskException += Remember;

    /// <summary>Lets the collector look and gives what it found.</summary>
    public IReadOnlyList<Exception> Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return [.. _found];
    }

    /// <summary>Stops listening.</summary>
    public void Dispose() => TaskScheduler.UnobservedTaskException -= Remember;

    private void Remember(object? sender, UnobservedTaskExceptionEventArgs problem)
    {
        _found.Enqueue(problem.Exception);
        problem.SetObserved();
    }
}
