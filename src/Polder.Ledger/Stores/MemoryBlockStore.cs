using Polder.Cryptography;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Stores;

/// <summary>A store in memory: for simulations and tests, and the model that other stores are compared with.</summary>
public sealed class MemoryBlockStore : IBlockStore
{
    private readonly Dictionary<byte[], Chain> _chains = new(KeyBytesComparer.Instance);
    private readonly Dictionary<byte[], Chain>.AlternateLookup<ReadOnlySpan<byte>> _chainOf;
    private readonly Dictionary<Hash256, HalfBlock> _byHash = [];
    private readonly List<HalfBlock> _inOrder = [];
    private readonly FraudBook _frauds = new();
    private readonly HashSet<Hash256> _refusals = [];
    private readonly RefusedBlocks _refused = new();
    private readonly Dictionary<byte[], int> _numbers = new(KeyBytesComparer.Instance);
    private readonly MemoryPlatter _platter;
    private readonly CommitWrites? _commit;
    private List<StoreWrite> _queued = [];
    private Task? _committing;
    private Task? _next;

    /// <summary>A store on what <paramref name="platter"/> holds; a platter of its own without one.</summary>
    /// <param name="platter">What survives.</param>
    /// <param name="commit">The disk; without one every flush succeeds at once.</param>
    public MemoryBlockStore(MemoryPlatter? platter = null, CommitWrites? commit = null)
    {
        _chainOf = _chains.GetAlternateLookup<ReadOnlySpan<byte>>();
        (_platter, _commit) = (platter ?? new MemoryPlatter(), commit);
        foreach (var write in _platter.Writes) Apply(write);
    }

    /// <inheritdoc/>
    public long Count => _inOrder.Count;

    /// <summary>Writes that a crash would forget.</summary>
    public int Unflushed => _queued.Count;

    /// <inheritdoc/>
    public int CountOf(ReadOnlySpan<byte> key) => Find(key)?.Blocks.Count ?? 0;

    /// <inheritdoc/>
    public IReadOnlyList<ChainSummary> Chains() =>
        [.. _chains.Where(pair => pair.Value.Blocks.Count > 0)
            .Select(pair => new ChainSummary(pair.Key, pair.Value.Blocks.Count, pair.Value.Blocks[^1].Sequence))];

    /// <inheritdoc/>
    public HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence) =>
        Find(key) is { } chain && chain.IndexOf(sequence) is >= 0 and var index ? chain.Blocks[index] : null;

    /// <inheritdoc/>
    public HalfBlock? Get(Hash256 hash) => _byHash.GetValueOrDefault(hash);

    /// <inheritdoc/>
    public HalfBlock? Latest(ReadOnlySpan<byte> key) => Find(key)?.Blocks is [.., var last] ? last : null;

    /// <inheritdoc/>
    public HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence)
    {
        if (Find(key) is not { } chain) return null;
        var index = chain.IndexOf(sequence);
        if (index < 0) index = ~index;
        return index > 0 ? chain.Blocks[index - 1] : null;
    }

    /// <inheritdoc/>
    public HalfBlock? After(ReadOnlySpan<byte> key, uint sequence)
    {
        if (Find(key) is not { } chain) return null;
        var index = chain.IndexOf(sequence);
        index = index < 0 ? ~index : index + 1;
        return index < chain.Blocks.Count ? chain.Blocks[index] : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> Range(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (Find(key) is not { } chain || from > to) return [];
        var index = chain.IndexOf(from);
        if (index < 0) index = ~index;
        var found = new List<HalfBlock>();
        for (; index < chain.Blocks.Count && found.Count < max && chain.Blocks[index].Sequence <= to; index++) found.Add(chain.Blocks[index]);
        return found;
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> LinkingTo(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (Find(key) is not { } chain || from > to) return [];
        var found = new List<HalfBlock>();
        for (var index = chain.FirstLinkFrom(Math.Max(1, from));
             index < chain.Linking.Count && found.Count < max && chain.Linking[index].LinkSequence <= to; index++)
            found.Add(chain.Linking[index]);
        return found;
    }

    /// <inheritdoc/>
    public uint LowestUnknown(ReadOnlySpan<byte> key)
    {
        if (Find(key) is not { } chain) return 1;
        return chain.Extent.LowestUnknown(_ =>
        {
            // Numbers are distinct and rise, so block i has at least number i + 1: the first gap is found by halving.
            var blocks = chain.Blocks;
            int low = 0, high = blocks.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (blocks[middle].Sequence == middle + 1) low = middle + 1;
                else high = middle;
            }
            return (uint)low + 1;
        });
    }

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> All()
    {
        for (var i = 0; i < _inOrder.Count; i++) yield return _inOrder[i];
    }

    /// <inheritdoc/>
    public IEnumerable<PlacedBlock> AllAfter(long place)
    {
        for (var i = (int)Math.Min(int.MaxValue, place); i < _inOrder.Count; i++) yield return new PlacedBlock(i + 1, _inOrder[i]);
    }

    /// <inheritdoc/>
    public StoreTotals Totals() => new(Count, _inOrder.Sum(static block => (long)block.Packed.Length - HalfBlock.PreviousHashOffset), Agreed().LongCount(),
        _chains.Values.LongCount(static chain => chain.Blocks.Count > 0),
        _inOrder.SelectMany(static block => (byte[][])[block.PublicKey.ToArray(), block.LinkKey.ToArray()]).Distinct(KeyBytesComparer.Instance).LongCount());

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> Naming(ReadOnlySpan<byte> key)
    {
        var named = key.ToArray();
        return _inOrder.Where(block => block.LinkKey.SequenceEqual(named) && !block.PublicKey.SequenceEqual(named)).ToList();
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> FindByHash(ReadOnlySpan<byte> prefix, int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prefix.Length, 2);
        var found = new List<HalfBlock>();
        Span<byte> hash = stackalloc byte[Hash256.Bytes];
        foreach (var block in _inOrder)
        {
            if (found.Count >= max) break;
            block.Hash.CopyTo(hash);
            if (hash.StartsWith(prefix)) found.Add(block);
        }
        return found;
    }

    /// <inheritdoc/>
    public long DiskBytes { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<DayCount> Days() => MemoryAccounts.Days(_inOrder);

    /// <inheritdoc/>
    public IReadOnlyList<string> WorkUnits() => [.. Agreed().Select(static record => record.Unit).Distinct()];

    /// <inheritdoc/>
    public void ReadWork(string unit, AgreedWorkReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var records = Agreed().Where(record => record.Unit == unit).Select(static record => record.Work).ToArray();
        if (records.Length > 0) read(records);
    }

    /// <inheritdoc/>
    public IEnumerable<NumberedKey> WorkKeys(int after = 0)
    {
        foreach (var block in _inOrder) (_, _) = (NumberOf(block.PublicKey.ToArray()), NumberOf(block.LinkKey.ToArray()));
        return [.. _numbers.Where(pair => pair.Value > after).OrderBy(static pair => pair.Value).Select(static pair => new NumberedKey(pair.Value, pair.Key))];
    }

    /// <inheritdoc/>
    public WorkSums SumsOf(ReadOnlySpan<byte> key, string unit)
    {
        if (!_numbers.TryGetValue(key.ToArray(), out var number)) return default;
        var sums = default(WorkSums);
        foreach (var record in Agreed())
            if (record.Unit == unit) sums = sums.With(record.Work, number);
        return sums;
    }

    /// <inheritdoc/>
    public bool Add(HalfBlock block) => Queue(new StoreWrite(block, null, null));

    /// <inheritdoc/>
    public void AddRange(IReadOnlyList<HalfBlock> blocks)
    {
        foreach (var block in blocks) Add(block);
    }

    /// <inheritdoc/>
    public async Task<int> EvictAsync(int max, Func<HalfBlock, bool> isKept)
    {
        ArgumentNullException.ThrowIfNull(isKept);
        var going = new List<HalfBlock>();
        for (var i = 0; i < _inOrder.Count && going.Count < max; i++)
            if (!isKept(_inOrder[i])) going.Add(_inOrder[i]);
        foreach (var block in going) Queue(new StoreWrite(null, null, null, block));
        await FlushAsync();
        return going.Count;
    }

    /// <inheritdoc/>
    public IReadOnlyList<FraudProof> Frauds() => _frauds.All;

    /// <inheritdoc/>
    public FraudProof? FraudOf(ReadOnlySpan<byte> key) => _frauds.Of(key);

    /// <inheritdoc/>
    public bool AddFraud(FraudProof proof) => Queue(new StoreWrite(null, proof, null));

    /// <inheritdoc/>
    public bool IsRefused(Hash256 proposal) => _refusals.Contains(proposal);

    /// <inheritdoc/>
    public void AddRefusal(Hash256 proposal) => Queue(new StoreWrite(null, null, proposal));

    /// <inheritdoc/>
    public IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key) => _refused.Of(key);

    /// <inheritdoc/>
    public void AddRefused(RefusedBlock block) => _refused.Add(block);

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        if (_commit is null)
        {
            _platter.Writes.AddRange(_queued);
            _queued.Clear();
            return Task.CompletedTask;
        }
        if (_queued.Count == 0) return _committing ?? Task.CompletedTask;
        if (_committing is null) return StartCommit();
        // A commit is under way without these writes: all who ask meanwhile share the one after it.
        return _next ??= CommitNextAsync();
    }

    private async Task CommitNextAsync()
    {
        // Somebody else may start a commit before this continues: then these writes are in that one.
        while (_committing is { } running)
        {
            try { await running; }
            // Whoever asked for that one is told; what it could not write is in the queue again, before ours.
            catch (IOException) { }
        }
        _next = null;
        if (_queued.Count > 0) await StartCommit();
    }

    private Task StartCommit()
    {
        var commit = CommitAsync();
        _committing = commit.IsCompleted ? null : commit;
        return commit;
    }

    private async Task CommitAsync()
    {
        var writes = _queued;
        _queued = [];
        var safe = 0;
        try
        {
            safe = await _commit!(writes.Count);
            _platter.Writes.AddRange(writes.Take(safe));
            if (safe < writes.Count) throw new IOException("The disk kept only a part of what was written. The rest is tried again.");
        }
        catch (IOException)
        {
            _queued.InsertRange(0, writes.Skip(safe));
            throw;
        }
        finally
        {
            _committing = null;
        }
    }

    private bool Queue(StoreWrite write)
    {
        if (!Apply(write)) return false;
        _queued.Add(write);
        return true;
    }

    private bool Apply(StoreWrite write)
    {
        if (write.Fraud is { } proof) return _frauds.Add(proof);
        if (write.Refusal is { } refusal) return _refusals.Add(refusal);
        if (write.Evicted is { } evicted) return Remove(evicted);
        var block = write.Block!;
        var chain = FindOrAdd(block.PublicKey);
        var index = chain.Blocks is [.., var last] && last.Sequence < block.Sequence ? ~chain.Blocks.Count : chain.IndexOf(block.Sequence);
        if (index >= 0) return false;
        chain.Blocks.Insert(~index, block);
        chain.Extent.Added(block.Sequence);
        if (!block.IsProposal)
        {
            var target = FindOrAdd(block.LinkKey);
            target.Linking.Insert(target.FirstLinkFrom((ulong)block.LinkSequence + 1), block);
        }
        _byHash[block.Hash] = block;
        _inOrder.Add(block);
        DiskBytes += block.Packed.Length;
        return true;
    }

    private bool Remove(HalfBlock block)
    {
        if (Find(block.PublicKey) is not { } chain || chain.IndexOf(block.Sequence) is not (>= 0 and var index)) return false;
        chain.Blocks.RemoveAt(index);
        chain.Extent.Removed(1, block.Sequence, chain.Blocks is [.., var last] ? last.Sequence : 0);
        if (!block.IsProposal) Find(block.LinkKey)?.Linking.Remove(block);
        _byHash.Remove(block.Hash);
        _inOrder.Remove(block);
        DiskBytes -= block.Packed.Length;
        return true;
    }

    private IEnumerable<(string Unit, AgreedWork Work)> Agreed() => MemoryAccounts.Agreed(_inOrder, this, NumberOf);

    private int NumberOf(byte[] key)
    {
        if (!_numbers.TryGetValue(key, out var number)) _numbers[key] = number = _numbers.Count + 1;
        return number;
    }

    private Chain? Find(ReadOnlySpan<byte> key) => _chainOf.TryGetValue(key, out var chain) ? chain : null;

    private Chain FindOrAdd(ReadOnlySpan<byte> key)
    {
        if (!_chainOf.TryGetValue(key, out var chain)) _chainOf[key] = chain = new Chain();
        return chain;
    }

    private sealed class Chain
    {
        public ChainExtent Extent { get; } = new();

        /// <summary>By number.</summary>
        public List<HalfBlock> Blocks { get; } = [];

        /// <summary>Blocks of any chain that link to one of this chain: by link number, then by age.</summary>
        public List<HalfBlock> Linking { get; } = [];

        public int IndexOf(uint sequence)
        {
            int low = 0, high = Blocks.Count - 1;
            while (low <= high)
            {
                var middle = (low + high) / 2;
                var found = Blocks[middle].Sequence;
                if (found == sequence) return middle;
                if (found < sequence) low = middle + 1;
                else high = middle - 1;
            }
            return ~low;
        }

        public int FirstLinkFrom(ulong sequence)
        {
            int low = 0, high = Linking.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Linking[middle].LinkSequence < sequence) low = middle + 1;
                else high = middle;
            }
            return low;
        }
    }
}
