using Polder.Runtime;

namespace Polder.Node.Runtime;

/// <summary>
/// The node's loop in production: one background thread that empties a queue. Posting takes a short lock; the thread takes
/// the whole queue at once, so a busy loop pays for the lock once a batch.
/// </summary>
public sealed class ThreadLoop : NodeLoop, IAsyncDisposable
{
    private const int StackBytes = 512 * 1024;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Action<Exception>? _onError;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private List<Action> _incoming = new(64);
    private readonly List<Action> _atEnd = []; // touched by the loop's thread only
    private bool _asleep, _stopping;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Its name in a debugger.</param>
    /// <param name="onError">Told on the loop about work that threw: a bug of ours. The loop goes on.</param>
    public ThreadLoop(string name = "polder loop", Action<Exception>? onError = null)
    {
        _onError = onError;
        _thread = new Thread(Turn, StackBytes) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Work that threw, since the start.</summary>
    public long Failures { get; private set; }

    /// <summary>Pieces of work that wait for their turn.</summary>
    public int Waiting
    {
        get { lock (_gate) return _incoming.Count; }
    }

    /// <summary>Puts work at the end of the queue. After the loop was disposed the work is dropped.</summary>
    public override void Post(Action work)
    {
        lock (_gate)
        {
            if (_ended.Task.IsCompleted) return;
            _incoming.Add(work);
            if (!_asleep) return;
            _asleep = false;
        }
        _wake.Release();
    }

    /// <summary>
    /// Does something once, right after the piece of work that runs now: what sends or writes in batches closes them there. On the loop only.
    /// </summary>
    internal void AtEndOfWork(Action work) => _atEnd.Add(work);

    /// <summary>Runs what is queued, then ends the thread. Must not be awaited on the loop itself.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (!_stopping && _asleep) _wake.Release();
            _asleep = false;
            _stopping = true;
        }
        await _ended.Task.ConfigureAwait(false);
    }

    private void Turn()
    {
        SetSynchronizationContext(this);
        var batch = new List<Action>(64);
        while (true)
        {
            var end = false;
            lock (_gate)
            {
                if (_incoming.Count > 0) (batch, _incoming) = (_incoming, batch);
                else if (_stopping)
                {
                    end = true;
                    _ended.TrySetResult();
                }
                else _asleep = true;
            }
            if (end) return;
            if (batch.Count == 0)
            {
                _wake.Wait();
                continue;
            }
            foreach (var work in batch)
            {
                Do(work);
                if (_atEnd.Count > 0) DoAtEnd();
            }
            batch.Clear();
        }
    }

    private void DoAtEnd()
    {
        for (var i = 0; i < _atEnd.Count; i++) Do(_atEnd[i]);
        _atEnd.Clear();
    }

    private void Do(Action work)
    {
        try { work(); }
        catch (Exception problem)
        {
            // The one catch-all below the dispatcher's: a timer or a continuation that threw must not end the node.
            Failures++;
            _onError?.Invoke(problem);
        }
    }
}
