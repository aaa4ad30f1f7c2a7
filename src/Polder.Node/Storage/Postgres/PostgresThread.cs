using System.Net.Sockets;
using Npgsql;

namespace Polder.Node.Storage;

/// <summary>The one writer of a process into a shared database: what gathers is written in one transaction. A server that is away is tried again; what could not be written stays.</summary>
internal sealed class PostgresThread : IDisposable
{
    private const int GatherMax = 8_192, WaitingMax = 65_536;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly NpgsqlConnectionStringBuilder _address;
    private readonly Thread _thread;
    private readonly Action _committed;
    private StoreBatch _open = new() { Serial = 1 };
    private StoreBatch? _writing;
    private bool _stopping;
    private NpgsqlConnection? _connection;
    private PostgresWriter? _writer;
    private volatile StorageException? _failure;

    /// <param name="address">Where to.</param>
    /// <param name="committed">Told on this thread after each commit, before who waits.</param>
    public PostgresThread(NpgsqlConnectionStringBuilder address, Action committed)
    {
        (_address, _committed) = (address, committed);
        _thread = new Thread(Work) { IsBackground = true, Name = "polder postgres" };
        _thread.Start();
    }

    public StorageException? Failure => _failure;

    /// <summary>What is not in the database yet, older first.</summary>
    public (StoreBatch? Writing, StoreBatch Open) Pending
    {
        get { lock (_gate) return (_writing, _open); }
    }

    public void Write<T>(T state, Action<StoreBatch, T> add)
    {
        lock (_gate)
        {
            while (_open.Writes >= WaitingMax && _failure is null && !_stopping) Monitor.Wait(_gate);
            var wasEmpty = _open.IsEmpty;
            add(_open, state);
            if (wasEmpty || _open.Writes >= GatherMax) Monitor.PulseAll(_gate);
        }
    }

    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (_failure is { } failure) return Task.FromException(failure);
            var batch = !_open.IsEmpty ? _open : _writing;
            if (batch is null) return Task.CompletedTask;
            var task = (batch.Safe ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            Monitor.PulseAll(_gate);
            return task;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
    }

    /// <summary>What a failing server means to people and to the node.</summary>
    public static StorageException Problem(Exception problem, NpgsqlConnectionStringBuilder address) => new(0, problem is PostgresException refusal
        ? $"PostgreSQL at {address.Host} refuses: {refusal.MessageText} ({refusal.SqlState}). See the server's log; the node tries again by itself."
        : $"PostgreSQL at {address.Host}:{address.Port} cannot be reached ({problem.Message}). Start it, or take ledger.store out of the configuration; the node tries again by itself.");

    public static bool IsProblem(Exception problem) => problem is NpgsqlException or SocketException or IOException or TimeoutException or InvalidOperationException;

    private void Work()
    {
        while (Take() is { } batch)
        {
            while (true)
            {
                try
                {
                    if (_connection is null)
                    {
                        _connection = new NpgsqlConnection(_address.ConnectionString);
                        _connection.Open();
                        _writer = new PostgresWriter(_connection);
                    }
                    _writer!.Write(batch);
                    break;
                }
                catch (Exception problem) when (IsProblem(problem))
                {
                    if (!Failed(batch, Problem(problem, _address))) return;
                }
            }
            TaskCompletionSource? safe;
            lock (_gate)
            {
                _committed();
                (_failure, _writing, safe) = (null, null, batch.Safe);
                Monitor.PulseAll(_gate);
            }
            safe?.TrySetResult();
        }
        _connection?.Dispose();
    }

    private StoreBatch? Take()
    {
        lock (_gate)
        {
            while (_open.IsEmpty && !_stopping) Monitor.Wait(_gate);
            if (_open.IsEmpty) return null;
            var deadline = Environment.TickCount64 + (long)GatherFor.TotalMilliseconds;
            while (_open.Safe is null && _open.Writes < GatherMax && !_stopping && deadline - Environment.TickCount64 is > 0 and var left) Monitor.Wait(_gate, (int)left);
            (_writing, _open) = (_open, new StoreBatch { Serial = _open.Serial + 1 });
            Monitor.PulseAll(_gate);
            return _writing;
        }
    }

    // The connection is thrown away: whether its transaction was committed is not known, and writing it again changes nothing.
    private bool Failed(StoreBatch batch, StorageException problem)
    {
        _connection?.Dispose();
        (_connection, _writer) = (null, null);
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
            return !_stopping;
        }
    }
}
