using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// The small numbers that stand for keys in the database, and what is known of each key's chain without looking: as many as were
/// used lately are in memory, the others are a look-up away. So nothing is read at the start, and a flood of strangers fills
/// no memory. On the loop.
/// </summary>
/// <param name="database">The loop's own connection.</param>
/// <param name="safeTo">The last batch of writes that is on the disk: what changed later may not be forgotten.</param>
internal sealed class ChainNumbers(Database database, Func<long> safeTo)
{
    /// <summary>Keys in memory, some 250 bytes each; more while so many wait for the disk.</summary>
    private const int CachedMax = 131_072;

    private readonly Statement _find = database.Prepare(
        "SELECT p.id, c.blocks, c.latest FROM peers p LEFT JOIN chains c ON c.peer = p.id WHERE p.key = ?");
    private readonly Statement _all = database.Prepare(
        "SELECT p.id, p.key, c.blocks, c.latest FROM chains c CROSS JOIN peers p ON p.id = c.peer WHERE c.peer > ? ORDER BY c.peer LIMIT ?");
    private readonly Dictionary<byte[], NumberedChain> _chains = new(KeyBytesComparer.Instance);
    private NumberedChain? _before, _last;
    private int _lastNumber = (int)database.Number("SELECT max(id) FROM peers");
    private int _sweepAt = CachedMax;

    public NumberedChain? Find(ReadOnlySpan<byte> key)
    {
        if (_chains.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var chain))
        {
            chain.IsUsed = true;
            return chain;
        }
        _find.Bind(1, key);
        if (!_find.Step()) return null;
        chain = new NumberedChain((int)_find.Number(0), key.ToArray());
        chain.Extent.Load((int)_find.Number(1), (uint)_find.Number(2));
        _find.Reset();
        Keep(chain);
        return chain;
    }

    /// <summary>The chain of a key, with a new number when it has none.</summary>
    public NumberedChain FindOrNumber(ReadOnlySpan<byte> key)
    {
        // Two chains that agree with each other come by turns: comparing is cheaper than hashing.
        if (_before is { } before && key.SequenceEqual(before.Key)) return before;
        if (_last is { } last && key.SequenceEqual(last.Key))
        {
            (_before, _last) = (_last, _before);
            return last;
        }
        if (Find(key) is not { } chain)
        {
            chain = new NumberedChain(++_lastNumber, key.ToArray());
            Keep(chain);
        }
        (_before, _last) = (chain, _before);
        return chain;
    }

    /// <summary>Every chain with blocks, those that wait for the disk too.</summary>
    public IEnumerable<ChainSummary> All()
    {
        var fresh = _chains.Values.Where(static chain => chain.Extent.Count > 0)
            .ToDictionary(static chain => chain.Number, static chain => new ChainSummary(chain.Key, chain.Extent.Count, chain.Extent.Latest));
        const int page = 1024;
        for (var at = 0L; ;)
        {
            var rows = new List<(int Number, ChainSummary Chain)>();
            _all.Bind(1, at).Bind(2, page);
            while (_all.Step())
                rows.Add(((int)_all.Number(0), new ChainSummary(_all.Blob(1).ToArray(), (int)_all.Number(2), (uint)_all.Number(3))));
            foreach (var (number, chain) in rows)
            {
                // What is in memory knows more than the disk.
                if (fresh.Remove(number, out var newer)) yield return newer;
                else if (chain.Blocks > 0 && !_chains.ContainsKey(chain.Key.ToArray())) yield return chain;
            }
            if (rows.Count < page) break;
            at = rows[^1].Number;
        }
        foreach (var chain in fresh.Values) yield return chain;
    }

    private void Keep(NumberedChain chain)
    {
        if (_chains.Count >= _sweepAt) Sweep();
        _chains.Add(chain.Key, chain);
    }

    // The second chance of those that were used since the last sweep; what the disk does not have stays in any case.
    private void Sweep()
    {
        var safe = safeTo();
        foreach (var (key, chain) in _chains)
        {
            if (chain.ChangedIn > safe || chain == _before || chain == _last) continue;
            if (chain.IsUsed && _chains.Count <= CachedMax) chain.IsUsed = false;
            else _chains.Remove(key);
        }
        _sweepAt = Math.Max(CachedMax, 2 * _chains.Count);
    }
}

/// <summary>A key, its number in the database, and how far its chain reaches.</summary>
internal sealed class NumberedChain(int number, byte[] key)
{
    public int Number => number;
    public byte[] Key => key;
    public ChainExtent Extent { get; } = new();
    /// <summary>The last batch of writes that can hold a change of it.</summary>
    public long ChangedIn { get; set; }
    public bool IsUsed { get; set; } = true;
}
