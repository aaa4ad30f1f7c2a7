namespace Polder.Node.Storage;

/// <summary>Where a queue's batches go. Called on the queue's thread only.</summary>
internal interface IBatchWriter : IDisposable
{
    /// <summary>Writes a batch in one transaction; it is safe when this returns.</summary>
    /// <exception cref="StorageException">It is not. What was begun is undone.</exception>
    void Commit(StoreBatch batch);

    /// <summary>A batch is safe and not pending any more. Under the queue's lock, so that nobody sees a block both here and there.</summary>
    void Committed();

    /// <summary>Throws the connection away; the next commit makes another. After a failed write or flush what the other side holds is unknown.</summary>
    void Close();

    /// <summary>Whether memory is worth giving back when nothing comes for a while; then <see cref="Rest"/> is called.</summary>
    bool WantsRest => false;

    /// <summary>Gives memory back.</summary>
    void Rest() { }
}

/// <summary>
/// The one writer of a store. Takes what has gathered, has it written in one transaction, and says that it is safe: while one
/// group is flushed, the next gathers. What could not be written stays, and is tried again.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    private const int StackBytes = 256 * 1024;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly IBatchWriter _writer;
    private readonly int _gatherMax, _waitingMax;
    private readonly Thread _thread;
    private StoreBatch _open = new() { Serial = 1 };
    private StoreBatch? _writing;
    private bool _stopping;
    private volatile StorageException? _failure;
    private long _safeTo;

    /// <param name="writer">Where to.</param>
    /// <param name="gatherMax">Without anybody waiting for them, so many writes are gathered at most before they are written.</param>
    /// <param name="waitingMax">More than this waits for the disk: then whoever adds waits too.</param>
    /// <param name="name">Of the thread.</param>
    public WriteQueue(IBatchWriter writer, int gatherMax, int waitingMax, string name)
    {
        (_writer, _gatherMax, _waitingMax) = (writer, gatherMax, waitingMax);
        _thread = new Thread(Work, StackBytes) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Why nothing can be written at present; null normally.</summary>
    public StorageException? Failure => _failure;

    /// <summary>Everything up to the batch with this number is on the disk.</summary>
    public long SafeTo => Volatile.Read(ref _safeTo);

    /// <summary>What is added now is in the batch with this number at the latest.</summary>
    public long OpenSerial
    {
        get { lock (_gate) return _open.Serial + 1; }
    }

    /// <summary>What is not on the disk yet. Read by the loop only; blocks may be on the disk by the time they are looked at.</summary>
    public PendingWrites Pending
    {
        get { lock (_gate) return new PendingWrites(_writing, _open); }
    }

    /// <summary>Adds to the open batch.</summary>
    public void Write<T>(T state, Action<StoreBatch, T> add)
    {
        lock (_gate)
        {
            while (_open.Writes >= _waitingMax && _failure is null && !_stopping) Monitor.Wait(_gate);
            var wasEmpty = _open.IsEmpty;
            add(_open, state);
            if (wasEmpty || _open.Writes >= _gatherMax) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Done when all that was added is safe; fails while nothing can be written.</summary>
    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (_failure is { } failure) return Task.FromException(failure);
            if (_stopping && (!_open.IsEmpty || _writing is not null) && !_thread.IsAlive)
                return Task.FromException(new StorageException(0, "The node has stopped."));
            if (_open.IsEmpty) return _writing is { } writing ? WaitFor(writing) : Task.CompletedTask;
            var task = WaitFor(_open);
            Monitor.PulseAll(_gate);
            return task;
        }
    }

    /// <summary>Writes what is left and closes. Blocks until done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
    }

    private static Task WaitFor(StoreBatch batch) =>
        (batch.Safe ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Work()
    {
        while (true)
        {
            if (_writer.WantsRest && IsIdle()) _writer.Rest();
            if (Take() is not { } batch) break;
            while (true)
            {
                try
                {
                    _writer.Commit(batch);
                    break;
                }
                catch (StorageException problem)
                {
                    if (!Failed(batch, problem)) return;
                }
            }
            TaskCompletionSource? safe;
            lock (_gate)
            {
                _failure = null;
                _writing = null;
                Volatile.Write(ref _safeTo, batch.Serial);
                _writer.Committed();
                safe = batch.Safe;
                Monitor.PulseAll(_gate);
            }
            safe?.TrySetResult();
        }
        _writer.Dispose();
    }

    private bool IsIdle()
    {
        lock (_gate)
        {
            var until = Environment.TickCount64 + (long)IdleAfter.TotalMilliseconds;
            while (_open.IsEmpty && !_stopping && until - Environment.TickCount64 is > 0 and var left) Monitor.Wait(_gate, (int)left);
            return _open.IsEmpty && !_stopping;
        }
    }

    private StoreBatch? Take()
    {
        lock (_gate)
        {
            while (_open.IsEmpty && !_stopping) Monitor.Wait(_gate);
            if (_open.IsEmpty) return null;
            var deadline = Environment.TickCount64 + (long)GatherFor.TotalMilliseconds;
            while (_open.Safe is null && _open.Writes < _gatherMax && !_stopping && deadline - Environment.TickCount64 is > 0 and var left)
                Monitor.Wait(_gate, (int)left);
            (_writing, _open) = (_open, new StoreBatch { Serial = _open.Serial + 1 });
            Monitor.PulseAll(_gate);
            return _writing;
        }
    }

    // False: the node stops, so there is no further try. What could not be written was never promised.
    private bool Failed(StoreBatch batch, StorageException problem)
    {
        // The next connection finds out anew what is there. Never "try again and assume".
        _writer.Close();
        TaskCompletionSource? now, next;
        lock (_gate)
        {
            _failure = problem;
            (now, batch.Safe) = (batch.Safe, null);
            (next, _open.Safe) = (_open.Safe, null);
            Monitor.PulseAll(_gate);
        }
        now?.TrySetException(problem);
        next?.TrySetException(problem);
        lock (_gate)
        {
            var until = Environment.TickCount64 + (long)RetryAfter.TotalMilliseconds;
            while (!_stopping && until - Environment.TickCount64 is > 0 and var left) Monitor.Wait(_gate, (int)left);
            return !_stopping && !problem.IsDamage;
        }
    }
}
