namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>How far a transfer is; written by its workers, read by whoever shows it.</summary>
internal sealed class TransferWatch
{
    private long _total, _moved, _skipped, _done;
    private int _itemsDone;
    private long _firstAt, _lastAt;

    /// <summary>Bytes of all wanted files; 0 while unknown.</summary>
    public long Total { get => Volatile.Read(ref _total); set => Volatile.Write(ref _total, value); }
    /// <summary>Bytes moved over this connection.</summary>
    public long MovedBytes => Volatile.Read(ref _moved);
    /// <summary>Bytes that were there before.</summary>
    public long SkippedBytes => Volatile.Read(ref _skipped);
    /// <summary>Bytes that are at the receiver, in all.</summary>
    public long DoneBytes => Volatile.Read(ref _done);
    /// <summary>Files complete at the receiver.</summary>
    public int ItemsDone => Volatile.Read(ref _itemsDone);

    /// <summary>From the first byte to the last.</summary>
    public TimeSpan Took => System.Diagnostics.Stopwatch.GetElapsedTime(Volatile.Read(ref _firstAt), Volatile.Read(ref _lastAt));

    /// <summary>A connection begins: everything is counted anew.</summary>
    public void Restart()
    {
        Volatile.Write(ref _moved, 0);
        Volatile.Write(ref _skipped, 0);
        Volatile.Write(ref _done, 0);
        Volatile.Write(ref _itemsDone, 0);
    }

    public void Moved(long bytes)
    {
        var now = System.Diagnostics.Stopwatch.GetTimestamp();
        Interlocked.CompareExchange(ref _firstAt, now, 0);
        Volatile.Write(ref _lastAt, now);
        Interlocked.Add(ref _moved, bytes);
        Interlocked.Add(ref _done, bytes);
    }

    public void Skip(long bytes)
    {
        Interlocked.Add(ref _skipped, bytes);
        Interlocked.Add(ref _done, bytes);
    }

    public void ItemDone() => Interlocked.Increment(ref _itemsDone);
}
