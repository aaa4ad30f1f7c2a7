namespace Polder.Simulation;

/// <summary>What happens to one write of a disk.</summary>
public enum DiskFault
{
    /// <summary>The node dies before anything is written.</summary>
    CrashBefore,
    /// <summary>The write is on the disk, and the node dies before it learns of it.</summary>
    CrashAfter,
    /// <summary>A part of the write is on the disk when the node dies.</summary>
    CrashTorn,
    /// <summary>Nothing is written, and the node is told so (disk full, input/output error).</summary>
    Fail,
}

/// <summary>
/// A node's disk: keeps what was committed, forgets the rest when the node crashes. Stores live on surfaces
/// (<see cref="Surface{T}"/>) and ask <see cref="CommitAsync"/> before they call anything safe. Every commit is one numbered
/// write at which a scenario can let the node die.
/// </summary>
public sealed class SimulatedDisk
{
    private readonly SimulatedNode _node;
    private Dictionary<string, object>? _surfaces;
    private Dictionary<long, DiskFault>? _faults;

    internal SimulatedDisk(SimulatedNode node) => _node = node;

    /// <summary>Virtual time that a commit takes; 0, the default, is at once and without leaving the caller.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Writes so far, over all starts.</summary>
    public long Writes { get; private set; }

    /// <summary>While true every write fails, as on a full disk.</summary>
    public bool IsFull { get; set; }

    /// <summary>A fault at the write with this number; the first is 1.</summary>
    public void FaultAt(long write, DiskFault fault) => (_faults ??= [])[write] = fault;

    /// <summary>Takes back every planned fault; writes are at once again.</summary>
    public void Clear()
    {
        _faults = null;
        (IsFull, Latency) = (false, TimeSpan.Zero);
    }

    /// <summary>What survives crashes, by name; made at first use.</summary>
    public T Surface<T>(string name, Func<T> make) where T : class
    {
        _surfaces ??= new(StringComparer.Ordinal);
        if (!_surfaces.TryGetValue(name, out var surface)) _surfaces[name] = surface = make();
        return (T)surface;
    }

    /// <summary>
    /// Asks the disk to commit so many records. Answers how many of them, from the first, are safe; throws an
    /// <see cref="IOException"/> when none is; never answers a node that is dead.
    /// </summary>
    public async Task<int> CommitAsync(int records)
    {
        var loop = _node.Loop;
        if (!loop.IsAlive) return await NeverAsync();
        var write = ++Writes;
        if (Latency > TimeSpan.Zero)
            // The delay belongs to this life of the node: if it dies meanwhile, nothing was written and nobody is told.
            await Task.Delay(Latency, _node.Environment.Time);
        // Looked at only now: a disk that was mended while it wrote is good.
        var fault = _faults is not null && _faults.Remove(write, out var planned) ? planned : (DiskFault?)null;
        if (fault == DiskFault.Fail || IsFull)
        {
            _node.World.Note($"{_node.Name}: write {write} fails");
            throw new IOException("The simulated disk is full.");
        }
        if (fault is null) return records;
        _node.World.Note($"{_node.Name}: {fault} at write {write} of {records} records");
        // Dead before the store goes on: what it still does reaches nobody, but the records get onto its surface.
        _node.World.Crash(_node.Name);
        return fault switch
        {
            DiskFault.CrashAfter => records,
            DiskFault.CrashTorn => _node.World.Random.Next(Math.Max(1, records)),
            _ => await NeverAsync(),
        };
    }

    private static Task<int> NeverAsync() => new TaskCompletionSource<int>().Task;
}
