using Polder.Runtime;

namespace Polder.Node.Runtime;

/// <summary>Heavy work on the thread pool, as many pieces at a time as there are processors; results come back to the loop.</summary>
/// <param name="loop">Where results go.</param>
/// <param name="parallelism">Pieces at a time, at least 1; 0 means one a processor.</param>
public sealed class ThreadPoolWorkers(NodeLoop loop, int parallelism = 0) : IWorkers
{
    private readonly Lock _gate = new();
    private readonly Queue<Action> _waiting = new();
    private int _running;

    /// <inheritdoc/>
    public int Parallelism { get; } = parallelism > 0 ? parallelism : Environment.ProcessorCount;

    /// <inheritdoc/>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        // Completed through Post, so that whoever awaits it on the loop continues there.
        var result = new TaskCompletionSource<T>();
        Enqueue(() =>
        {
            try
            {
                var value = work();
                loop.Post(() => result.TrySetResult(value));
            }
            catch (Exception problem)
            {
                loop.Post(() => result.TrySetException(problem));
            }
        });
        return result.Task;
    }

    private void Enqueue(Action piece)
    {
        lock (_gate)
        {
            _waiting.Enqueue(piece);
            if (_running >= Parallelism) return;
            _running++;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static self => self.Work(), this, preferLocal: false);
    }

    private void Work()
    {
        while (true)
        {
            Action piece;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out piece!))
                {
                    _running--;
                    return;
                }
            }
            piece();
        }
    }
}
