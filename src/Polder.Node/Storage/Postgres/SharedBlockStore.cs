using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// A node whose crawl is in a shared database and whose own chain is not: everything that it signed and that names it, every proof
/// and every refusal is in its own SQLite file, and is read from there; all blocks of everybody, copies of those included, are in
/// PostgreSQL. An own block goes there only after it is safe in the file, so that no crash leaves it in the shared place alone,
/// which would make the next one with its number a fork.
/// </summary>
public sealed class SharedBlockStore : IBlockStore
{
    private readonly SqliteBlockStore _own;
    private readonly PostgresBlockStore _shared;
    private readonly byte[] _self;
    private List<HalfBlock> _unshared = [];

    /// <summary>Both belong to the caller. Blocks of the own chain and proofs that only one of them has are brought to the other.</summary>
    public SharedBlockStore(SqliteBlockStore own, PostgresBlockStore shared, PublicKey self)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(shared);
        ArgumentNullException.ThrowIfNull(self);
        (_own, _shared, _self) = (own, shared, self.Bytes.ToArray());
        foreach (var proof in shared.Frauds())
            if (Dumps.LedgerImport.FaultOf(proof, shared) is null) own.AddFraud(proof);
        foreach (var proof in own.Frauds()) shared.AddFraud(proof);
        // A crash may have come between the file and the shared place; a restored file may be older than the shared place.
        if (shared.CountOf(_self) != own.CountOf(_self))
        {
            Copy(own, shared, static _ => true);
            Copy(shared, own, static block => block.VerifySignature(Ed25519Signatures.Instance));
        }
        SharedLength = shared.Latest(_self)?.Sequence ?? 0;
    }

    /// <summary>The highest number of the own chain in the shared place, when this was opened: the file may be older.</summary>
    public uint SharedLength { get; }

    /// <inheritdoc/>
    public long Count => _shared.Count;

    /// <inheritdoc/>
    public int CountOf(ReadOnlySpan<byte> key) => Of(key).CountOf(key);

    /// <inheritdoc/>
    public IReadOnlyList<ChainSummary> Chains()
    {
        var chains = _shared.Chains().Where(chain => !chain.Key.Span.SequenceEqual(_self)).ToList();
        if (_own.Latest(_self) is { } latest) chains.Add(new ChainSummary(_self, _own.CountOf(_self), latest.Sequence));
        return chains;
    }

    /// <inheritdoc/>
    public HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence) => Of(key).Get(key, sequence);

    /// <inheritdoc/>
    public HalfBlock? Get(Hash256 hash) => _own.Get(hash) ?? _shared.Get(hash);

    /// <inheritdoc/>
    public HalfBlock? Latest(ReadOnlySpan<byte> key) => Of(key).Latest(key);

    /// <inheritdoc/>
    public HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence) => Of(key).Before(key, sequence);

    /// <inheritdoc/>
    public HalfBlock? After(ReadOnlySpan<byte> key, uint sequence) => Of(key).After(key, sequence);

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> Range(ReadOnlySpan<byte> key, uint from, uint to, int max) => Of(key).Range(key, from, to, max);

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> LinkingTo(ReadOnlySpan<byte> key, uint from, uint to, int max) => Of(key).LinkingTo(key, from, to, max);

    /// <inheritdoc/>
    public uint LowestUnknown(ReadOnlySpan<byte> key) => Of(key).LowestUnknown(key);

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> All() => _shared.All().Concat(_unshared.ToArray());

    /// <inheritdoc/>
    public IEnumerable<PlacedBlock> AllAfter(long place) => _shared.AllAfter(place);

    /// <inheritdoc/>
    public StoreTotals Totals() => _shared.Totals();

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> Naming(ReadOnlySpan<byte> key) => Of(key).Naming(key);

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> FindByHash(ReadOnlySpan<byte> prefix, int max) =>
        [.. _shared.FindByHash(prefix, max).Concat(_own.FindByHash(prefix, max)).DistinctBy(static block => block.Hash).Take(max)];

    /// <summary>Of this machine: the file. The server's disk is the server's matter.</summary>
    public long DiskBytes => _own.DiskBytes;

    /// <inheritdoc/>
    public IReadOnlyList<DayCount> Days() => _shared.Days();

    /// <inheritdoc/>
    public IReadOnlyList<string> WorkUnits() => _shared.WorkUnits();

    /// <inheritdoc/>
    public void ReadWork(string unit, AgreedWorkReader read) => _shared.ReadWork(unit, read);

    /// <inheritdoc/>
    public IEnumerable<NumberedKey> WorkKeys(int after = 0) => _shared.WorkKeys(after);

    /// <inheritdoc/>
    public WorkSums SumsOf(ReadOnlySpan<byte> key, string unit) => _shared.SumsOf(key, unit);

    /// <inheritdoc/>
    public bool Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (block.PublicKey.SequenceEqual(_self))
        {
            if (!_own.Add(block)) return false;
            _unshared.Add(block);
            return true;
        }
        if (!_shared.Add(block)) return false;
        if (block.LinkKey.SequenceEqual(_self)) _own.Add(block);
        return true;
    }

    /// <inheritdoc/>
    public void AddRange(IReadOnlyList<HalfBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        var others = new List<HalfBlock>(blocks.Count);
        foreach (var block in blocks)
        {
            if (block.PublicKey.SequenceEqual(_self)) Add(block);
            else others.Add(block);
            if (!block.PublicKey.SequenceEqual(_self) && block.LinkKey.SequenceEqual(_self)) _own.Add(block);
        }
        _shared.AddRange(others);
    }

    /// <summary>Nothing goes: what many share, none of them throws away. Answers 0.</summary>
    public Task<int> EvictAsync(int max, Func<HalfBlock, bool> isKept) => Task.FromResult(0);

    /// <inheritdoc/>
    public IReadOnlyList<FraudProof> Frauds() => _own.Frauds();

    /// <inheritdoc/>
    public FraudProof? FraudOf(ReadOnlySpan<byte> key) => _own.FraudOf(key);

    /// <inheritdoc/>
    public bool AddFraud(FraudProof proof)
    {
        if (!_own.AddFraud(proof)) return false;
        _shared.AddFraud(proof);
        return true;
    }

    /// <inheritdoc/>
    public bool IsRefused(Hash256 proposal) => _own.IsRefused(proposal);

    /// <inheritdoc/>
    public void AddRefusal(Hash256 proposal) => _own.AddRefusal(proposal);

    /// <inheritdoc/>
    public IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key) => _own.Refused(key);

    /// <inheritdoc/>
    public void AddRefused(RefusedBlock block) => _own.AddRefused(block);

    /// <summary>The file first, then the shared place; fails when either does.</summary>
    public async Task FlushAsync()
    {
        var safe = _unshared;
        await _own.FlushAsync();
        if (safe.Count > 0 && ReferenceEquals(safe, _unshared))
        {
            // More own blocks may have come during the flush; they are not safe yet.
            _unshared = [];
            foreach (var block in safe)
            {
                if (_own.IsSafe(block)) _shared.AddRange([block]);
                else _unshared.Add(block);
            }
        }
        await _shared.FlushAsync();
    }

    private IBlockStore Of(ReadOnlySpan<byte> key) => key.SequenceEqual(_self) ? _own : _shared;

    private void Copy(IBlockStore from, IBlockStore to, Func<HalfBlock, bool> isGood)
    {
        const int page = 1_000;
        for (var at = 1u; from.Range(_self, at, uint.MaxValue, page) is { Count: > 0 } blocks; at = blocks[^1].Sequence + 1)
        {
            to.AddRange([.. blocks.Where(isGood)]);
            if (blocks[^1].Sequence == uint.MaxValue) break;
        }
    }
}
