using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// Blocks on the system's SQLite: one connection writes on a storage thread, with groups committed together and flushed to
/// the disk (write-ahead log, synchronous FULL); another reads on the loop. What is not on the disk yet is read from memory.
/// </summary>
public sealed class SqliteBlockStore : IBlockStore, IDisposable
{
    private const int PageBlocks = 256;
    private const string OwnerFact = "owner";
    private const string SigningRefusedFact = "signing refused";

    private readonly ChainNumbers _chains;
    private readonly StoreNotes _notes;
    private readonly Database _database;
    private readonly BlockReader _reader;
    private readonly AccountReader _accounts;
    private readonly BlockEviction _eviction;
    private readonly SqliteBatchWriter? _file;
    private readonly WriteQueue? _writer;
    private readonly long _diskBytes;
    private List<(HalfBlock Block, long Ordinal, NumberedChain Chain)>? _going;
    private bool _disposed;

    internal SqliteBlockStore(string path, Database database, StoreUse use, ReadOnlySpan<byte> owner)
    {
        _database = database;
        _notes = new StoreNotes(() => CheckedWriter);
        _chains = new ChainNumbers(database, () => _writer?.SafeTo ?? 0);
        Count = database.Number("SELECT blocks FROM totals");
        _diskBytes = SqliteBatchWriter.UsedBytesOf(database);
        _notes.Load(database);
        _reader = new BlockReader(database, path);
        _accounts = new AccountReader(database);
        _eviction = new BlockEviction(_reader);
        if (use == StoreUse.Reading) return;
        _file = new SqliteBatchWriter(path, owner.IsEmpty ? _notes.Fact(OwnerFact) ?? [] : owner.ToArray(), use == StoreUse.Bulk);
        _writer = _file.Start();
    }

    /// <summary>
    /// Opens the database, creating or upgrading it. A damaged one is set aside under a dated name, what can still be read
    /// of it is taken over, and nothing is signed until the own chain was compared with what peers hold.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">74 bytes of the node's key; a database of another node is refused.</param>
    /// <param name="now">For the name of a file set aside.</param>
    /// <param name="bulk">For millions of blocks one after the other: 1.1 to 1.4 GB of memory, and fewer, larger commits.</param>
    /// <exception cref="NodeStartException">The file is of a newer version or another node, or cannot be used.</exception>
    public static SqliteBlockStore Open(string path, ReadOnlySpan<byte> owner, DateTimeOffset now, bool bulk = false) => SqliteOpening.Open(path, owner, now, bulk);

    /// <summary>Opens the database for reading only, beside a running node or without one.</summary>
    public static SqliteBlockStore OpenReadOnly(string path) => SqliteOpening.OpenReadOnly(path);

    /// <summary>The damaged file of before, when one was set aside at this start.</summary>
    public string? SetAside { get; internal set; }

    /// <summary>Blocks that could still be read from it.</summary>
    public int Salvaged { get; internal set; }

    /// <summary>Why nothing may be signed: the own chain is not known to be whole. Kept on disk until <see cref="AllowSigning"/>.</summary>
    public string? SigningRefused => _notes.Fact(SigningRefusedFact) is { } words ? System.Text.Encoding.UTF8.GetString(words) : null;

    /// <summary>Whose database it is; null before the first start was finished.</summary>
    public Identity.PublicKey? Owner =>
        _notes.Fact(OwnerFact) is { } key && Identity.PublicKey.TryParse(key, out var owner) ? owner : null;

    /// <summary>Why nothing can be written at present (disk full, read-only, damage); null normally.</summary>
    public string? WriteFailure => _writer?.Failure?.Message;

    /// <summary>Groups of writes committed since the start.</summary>
    public long Commits => _file?.Commits ?? 0;

    /// <inheritdoc/>
    public long Count { get; private set; }

    internal SqliteBatchWriter Writer => _file!;

    internal IReadOnlyCollection<Hash256> Refusals => _notes.Refusals;

    /// <summary>Notes whose database it is, where nobody's is noted. Another's key when it is another's, else null.</summary>
    internal byte[]? TakeOwner(ReadOnlySpan<byte> owner)
    {
        if (_notes.Fact(OwnerFact) is { } known) return owner.SequenceEqual(known) ? null : known;
        _notes.SetFact(OwnerFact, owner.ToArray());
        return null;
    }

    /// <summary>From now on, over restarts, nothing is signed.</summary>
    public void RefuseSigning(string reason) => _notes.SetFact(SigningRefusedFact, System.Text.Encoding.UTF8.GetBytes(reason));

    /// <summary>The own chain was compared with what peers hold.</summary>
    public void AllowSigning()
    {
        if (_notes.Fact(SigningRefusedFact) is not null) _notes.SetFact(SigningRefusedFact, null);
    }

    /// <inheritdoc/>
    public int CountOf(ReadOnlySpan<byte> key) => _chains.Find(key)?.Extent.Count ?? 0;

    /// <inheritdoc/>
    public IReadOnlyList<ChainSummary> Chains() =>
        [.. _chains.All()];

    /// <inheritdoc/>
    public HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence)
    {
        if (_chains.Find(key) is not { Extent.Count: > 0 } chain) return null;
        return Pending.Get(key, sequence) ?? _reader.Get(chain.Number, sequence);
    }

    /// <inheritdoc/>
    public HalfBlock? Get(Hash256 hash)
    {
        return FindByHash(hash.ToArray(), 1) is [var block] ? block : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> FindByHash(ReadOnlySpan<byte> prefix, int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prefix.Length, 2);
        var found = new List<HalfBlock>();
        foreach (var batch in Pending.Batches) found.AddRange(batch.View.FindByHash(prefix, max));
        Span<byte> hash = stackalloc byte[Hash256.Bytes];
        foreach (var ordinal in HashIndex.Find(_database, prefix))
        {
            if (found.Count >= max) break;
            if (_reader.At(ordinal) is not { } block) continue;
            block.Hash.CopyTo(hash);
            if (hash.StartsWith(prefix) && !found.Contains(block)) found.Add(block);
        }
        return found.Count <= max ? found : found[..max];
    }

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> Naming(ReadOnlySpan<byte> key)
    {
        var named = key.ToArray();
        // Only of the owner is there a list; for others all blocks are gone through.
        if (_notes.Fact(OwnerFact) is not { } owner || !key.SequenceEqual(owner))
            return All().Where(block => block.LinkKey.SequenceEqual(named) && !block.PublicKey.SequenceEqual(named));
        return NamingOwner(named);
    }

    /// <inheritdoc/>
    public long DiskBytes => _file is { UsedBytes: > 0 and var used } ? used : _diskBytes;

    /// <inheritdoc/>
    public IReadOnlyList<DayCount> Days() => _accounts.Days();

    /// <inheritdoc/>
    public IReadOnlyList<string> WorkUnits() => _accounts.Units();

    /// <inheritdoc/>
    public void ReadWork(string unit, AgreedWorkReader read) => _accounts.ReadWork(unit, read);

    /// <inheritdoc/>
    public IEnumerable<NumberedKey> WorkKeys(int after = 0) => _accounts.Keys(after);

    /// <inheritdoc/>
    public WorkSums SumsOf(ReadOnlySpan<byte> key, string unit) => _chains.Find(key) is { } chain ? _accounts.SumsOf(chain.Number, unit) : default;

    /// <inheritdoc/>
    public StoreTotals Totals() => _accounts.Totals();

    /// <inheritdoc/>
    public IEnumerable<PlacedBlock> AllAfter(long place)
    {
        var last = _reader.LastOrdinal();
        for (var at = place; at < last;)
        {
            var page = _reader.Page(at, last, PageBlocks);
            foreach (var (block, ordinal) in page) yield return new PlacedBlock(ordinal, block);
            at = page.Count == PageBlocks ? page[^1].Ordinal : last;
        }
    }

    /// <summary>Whether a block is on the disk.</summary>
    internal bool IsSafe(HalfBlock block) => _chains.Find(block.PublicKey) is { } chain && _reader.OrdinalOf(chain.Number, block.Sequence) > 0;

    /// <summary>Whose database a file is, whatever its form; null when it does not say.</summary>
    internal static Identity.PublicKey? OwnerOf(string path)
    {
        using var database = Database.Open(path, readOnly: true);
        using var fact = database.PrepareOnce("SELECT value FROM facts WHERE name = 'owner'");
        return fact.Step() && Identity.PublicKey.TryParse(fact.Blob(0), out var owner) ? owner : null;
    }

    /// <summary>What SQLite itself finds wrong with the file; null when nothing. Reads all of it.</summary>
    internal string? FileFault() => _database.Text("PRAGMA quick_check(3)") is var words && words != "ok" ? words : null;

    /// <summary>Where accounts do not say what they are accounts of, in words.</summary>
    internal IReadOnlyList<string> AccountFaults() => _accounts.Faults();

    /// <inheritdoc/>
    public HalfBlock? Latest(ReadOnlySpan<byte> key) => _chains.Find(key) is { Extent.Count: > 0 } chain ? Get(key, chain.Extent.Latest) : null;

    /// <inheritdoc/>
    public HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence)
    {
        if (_chains.Find(key) is not { Extent.Count: > 0 } chain) return null;
        var pending = Pending;
        return pending.Before(key, sequence, _reader.Before(chain.Number, sequence));
    }

    /// <inheritdoc/>
    public HalfBlock? After(ReadOnlySpan<byte> key, uint sequence) =>
        sequence == uint.MaxValue ? null : Range(key, sequence + 1, uint.MaxValue, 1) is [var next, ..] ? next : null;

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> Range(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (_chains.Find(key) is not { Extent.Count: > 0 } chain || from > to || max <= 0) return [];
        // What waits is taken first: a batch that is written meanwhile is then in both, never in none.
        var pending = Pending;
        return pending.Range(_reader.Range(chain.Number, from, to, max), key, from, to, max);
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> LinkingTo(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (_chains.Find(key) is not { } chain || from > to || max <= 0) return [];
        var pending = Pending;
        return pending.LinkingTo(_reader.LinkingTo(chain.Number, from, to, max), key, from, to, max);
    }

    /// <inheritdoc/>
    public uint LowestUnknown(ReadOnlySpan<byte> key)
    {
        if (_chains.Find(key) is not { } chain) return 1;
        var pending = Pending;
        return chain.Extent.LowestUnknown(from => _reader.FirstGap(chain.Number, from, number => pending.Get(chain.Key, number) is not null));
    }

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> All()
    {
        var pending = Pending;
        var last = _reader.LastOrdinal();
        for (var at = 0L; at < last;)
        {
            var page = _reader.Page(at, last, PageBlocks);
            foreach (var (block, _) in page) yield return block;
            at = page.Count == PageBlocks ? page[^1].Ordinal : last;
        }
        foreach (var (block, peer, _) in pending.Rows)
        {
            var ordinal = _reader.OrdinalOf(peer, block.Sequence);
            if (ordinal == 0 || ordinal > last) yield return block;
        }
    }

    /// <inheritdoc/>
    public bool Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (!TryPlace(block, out var row)) return false;
        CheckedWriter.Write(row, static (batch, added) => batch.Blocks.Add(added));
        return true;
    }

    /// <inheritdoc/>
    public void AddRange(IReadOnlyList<HalfBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        var rows = new List<BlockRow>(blocks.Count);
        foreach (var block in blocks)
        {
            // What may be held already is looked up, so that those before it in here must be there to be found.
            if (rows.Count > 0 && block.Sequence <= _chains.FindOrNumber(block.PublicKey).Extent.Latest) WriteRows();
            if (TryPlace(block, out var row)) rows.Add(row);
        }
        WriteRows();

        void WriteRows()
        {
            if (rows.Count > 0) CheckedWriter.Write(rows, static (batch, added) => batch.Blocks.AddRange(added));
            rows.Clear();
        }
    }

    /// <inheritdoc/>
    public async Task<int> EvictAsync(int max, Func<HalfBlock, bool> isKept)
    {
        ArgumentNullException.ThrowIfNull(isKept);
        // What a disk that failed has written at last is accounted for first.
        if (_going is not null) await FinishEvictionAsync();
        var going = _eviction.Choose(max, isKept);
        if (going.Count == 0) return 0;
        CheckedWriter.Write(going, static (batch, evicted) => batch.Evicted.AddRange(evicted.Select(static entry => entry.Ordinal)));
        var serial = CheckedWriter.OpenSerial;
        _going = going.ConvertAll(entry =>
        {
            // What is known of the chain stays in memory until it is known to be less.
            var chain = _chains.FindOrNumber(entry.Block.PublicKey);
            chain.ChangedIn = serial;
            return (entry.Block, entry.Ordinal, chain);
        });
        await FinishEvictionAsync();
        return going.Count;
    }

    /// <inheritdoc/>
    public IReadOnlyList<FraudProof> Frauds() => _notes.Frauds;

    /// <inheritdoc/>
    public FraudProof? FraudOf(ReadOnlySpan<byte> key) => _notes.FraudOf(key);

    /// <inheritdoc/>
    public bool AddFraud(FraudProof proof) => _notes.AddFraud(proof);

    /// <inheritdoc/>
    public bool IsRefused(Hash256 proposal) => _notes.IsRefused(proposal);

    /// <inheritdoc/>
    public void AddRefusal(Hash256 proposal) => _notes.AddRefusal(proposal);

    /// <inheritdoc/>
    public IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key) => _notes.Refused(key);

    /// <inheritdoc/>
    public void AddRefused(RefusedBlock block) => _notes.AddRefused(block);

    /// <inheritdoc/>
    public Task FlushAsync() => CheckedWriter.FlushAsync();

    /// <summary>Writes what is left; nothing can be written afterwards, but all can be read.</summary>
    internal void StopWriting() => _writer?.Dispose();

    /// <summary>Writes what is left and closes the file.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _writer?.Dispose();
        _database.Dispose();
    }

    private WriteQueue CheckedWriter =>
        _writer ?? throw new InvalidOperationException("This store was opened for reading only.");

    private PendingWrites Pending => _writer?.Pending ?? default;

    /// <summary>Counts a new block in; false when its place is taken.</summary>
    private bool TryPlace(HalfBlock block, out BlockRow row)
    {
        row = default;
        var chain = _chains.FindOrNumber(block.PublicKey);
        // Numbers above the highest are new; most blocks are.
        if (chain.Extent.Count > 0 && block.Sequence <= chain.Extent.Latest && Holds(chain, block)) return false;
        var linked = _chains.FindOrNumber(block.LinkKey);
        // Not forgotten before it is written.
        chain.ChangedIn = linked.ChangedIn = CheckedWriter.OpenSerial;
        chain.Extent.Added(block.Sequence);
        Count++;
        row = new BlockRow(block, chain.Number, linked.Number);
        return true;
    }

    private bool Holds(NumberedChain chain, HalfBlock block) =>
        Pending.Get(block.PublicKey, block.Sequence) is not null || _reader.OrdinalOf(chain.Number, block.Sequence) > 0;

    private IEnumerable<HalfBlock> NamingOwner(byte[] owner)
    {
        var pending = Pending;
        var last = _reader.LastOrdinal();
        for (var at = 0L; ;)
        {
            var page = _reader.Naming(at, PageBlocks);
            foreach (var (block, _) in page) yield return block;
            if (page.Count < PageBlocks) break;
            at = page[^1].Ordinal;
        }
        foreach (var (block, peer, linkPeer) in pending.Rows)
            if (peer != linkPeer && block.LinkKey.SequenceEqual(owner) && _reader.OrdinalOf(peer, block.Sequence) is var ordinal && (ordinal == 0 || ordinal > last))
                yield return block;
    }

    private async Task FinishEvictionAsync()
    {
        await FlushAsync();
        var going = _going!;
        _going = null;
        Count -= going.Count;
        foreach (var ofChain in going.GroupBy(static entry => entry.Chain))
        {
            var (pending, chain) = (Pending, ofChain.Key);
            var latest = Math.Max(_reader.Latest(chain.Number), pending.Latest(chain.Key)?.Sequence ?? 0);
            chain.Extent.Removed(ofChain.Count(), ofChain.Min(static entry => entry.Block.Sequence), latest);
        }
    }
}
