using Polder.Graph.Model;
using Polder.Graph.Store;

namespace Polder.Simulation;

/// <summary>A graph store on a simulated disk: what was flushed survives a crash, the rest is gone, a torn flush keeps its first steps only.</summary>
internal sealed class SimulatedGraphStore(MemoryGraphStore platter, Func<int, Task<int>> commit) : IGraphStore
{
    private readonly MemoryGraphStore _now = Copy(platter);
    private List<Action<MemoryGraphStore>> _steps = [];
    private Task _flushing = Task.CompletedTask;

    public long Bytes => _now.Bytes;

    public GraphEntry? Find(string soul, string key) => _now.Find(soul, key);
    public void Walk(string soul, string from, bool backwards, Func<string, GraphEntry, bool> take) => _now.Walk(soul, from, backwards, take);
    public void WalkSouls(string from, bool backwards, Func<string, bool> take) => _now.WalkSouls(from, backwards, take);
    public int CountKeys(string soul) => _now.CountKeys(soul);
    public IReadOnlyList<GraphWrite> Held() => _now.Held();
    public IReadOnlyList<string> Touched(string peer, int count) => _now.Touched(peer, count);

    public long GuestBytes => _now.GuestBytes;
    public IReadOnlyList<(string Soul, string Key, double State, GraphRank Rank)> Evictable(int count) => _now.Evictable(count);

    public void Write(in GraphWrite write, GraphRank rank = GraphRank.Own)
    {
        var copy = write;
        Do(store => store.Write(copy, rank));
    }

    public void Archive(in GraphWrite write)
    {
        var copy = write;
        Do(store => store.Archive(copy));
    }

    public IReadOnlyList<GraphEntry> History(string soul, string key) => _now.History(soul, key);

    public void Remove(string soul, string key) => Do(store => store.Remove(soul, key));

    public void Hold(in GraphWrite write)
    {
        var copy = write;
        Do(store => store.Hold(copy));
    }

    public void Release(in GraphWrite write)
    {
        var copy = write;
        Do(store => store.Release(copy));
    }

    public void Touch(string peer, string soul) => Do(store => store.Touch(peer, soul));

    /// <summary>One flush after the other; what the disk refused is tried again with the next.</summary>
    public Task FlushAsync() => _flushing = FlushAsync(_flushing);

    private async Task FlushAsync(Task before)
    {
        try { await before; }
        // Whoever asked for that one was told.
        catch (IOException) { }
        var steps = _steps;
        _steps = [];
        if (steps.Count == 0) return;
        int kept;
        try { kept = await commit(steps.Count); }
        catch (IOException)
        {
            _steps.InsertRange(0, steps);
            throw;
        }
        foreach (var step in steps.Take(kept)) step(platter);
        if (kept < steps.Count) throw new IOException("The disk kept only a part.");
    }

    private void Do(Action<MemoryGraphStore> step)
    {
        step(_now);
        _steps.Add(step);
    }

    private static MemoryGraphStore Copy(MemoryGraphStore from)
    {
        var copy = new MemoryGraphStore();
        from.WalkSouls("", backwards: false, soul =>
        {
            from.Walk(soul, "", backwards: false, (key, entry) =>
            {
                copy.Write(new GraphWrite(soul, key, entry.State, entry.Value));
                return true;
            });
            return true;
        });
        foreach (var held in from.Held()) copy.Hold(held);
        return copy;
    }
}
