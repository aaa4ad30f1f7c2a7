using Npgsql;
using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// Blocks in a PostgreSQL database that several programs share: each reads what all wrote, and whoever comes first to a place in a
/// chain stays there. For crawls and computations over them; a node's own chain lives in its own database all the same
/// (<see cref="SharedBlockStore"/>). What is not in the database yet is read from memory.
/// </summary>
public sealed class PostgresBlockStore : IBlockStore, IDisposable
{
    private const int PageBlocks = 1_024;
    private const int EvictionPages = 8;

    private readonly PostgresReader _reader;
    private readonly WriteQueue? _writer;
    private readonly RefusedBlocks _refused = new();
    private readonly PostgresReader _counter;
    private long _inDatabase, _diskBytes, _evictedTo;
    private bool _disposed;

    private PostgresBlockStore(NpgsqlConnectionStringBuilder address, bool readOnly)
    {
        (_reader, _counter) = (new PostgresReader(address), new PostgresReader(address));
        Recount();
        if (!readOnly) _writer = new PostgresBatchWriter(address, Recount).Start();
    }

    /// <summary>Opens the database, creating its tables in the schema "polder" or bringing them up to date.</summary>
    /// <param name="address">postgres://USER:PASSWORD@HOST/DATABASE.</param>
    /// <param name="readOnly">Nothing will be written.</param>
    /// <exception cref="NodeStartException">The address is none, the server cannot be reached, or the database is of a newer version.</exception>
    public static PostgresBlockStore Open(string address, bool readOnly = false)
    {
        NpgsqlConnectionStringBuilder parsed;
        try { parsed = PostgresAddress.Parse(address); }
        catch (ArgumentException problem) { throw new NodeStartException(problem.Message, problem); }
        try
        {
            using (var connection = new NpgsqlConnection(parsed.ConnectionString))
            {
                connection.Open();
                if (!readOnly) PostgresSchema.Upgrade(connection);
            }
            return new PostgresBlockStore(parsed, readOnly);
        }
        catch (StorageException problem) { throw new NodeStartException(problem.Message, problem); }
        catch (Exception problem) when (PostgresBatchWriter.IsProblem(problem)) { throw new NodeStartException(PostgresBatchWriter.Problem(problem, parsed).Message, problem); }
    }

    /// <summary>Why nothing can be written at present; null normally.</summary>
    public string? WriteFailure => _writer?.Failure?.Message;

    /// <inheritdoc/>
    public long Count
    {
        get
        {
            var (writing, open) = Pending;
            return Interlocked.Read(ref _inDatabase) + (writing?.Blocks.Count ?? 0) + (open?.Blocks.Count ?? 0);
        }
    }

    /// <inheritdoc/>
    public int CountOf(ReadOnlySpan<byte> key)
    {
        var pending = Pending;
        return _reader.Extent(key.ToArray()).Blocks + pending.CountOf(key);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ChainSummary> Chains()
    {
        var pending = Pending;
        var chains = _reader.Chains().ToDictionary(static chain => Convert.ToHexString(chain.Key.Span));
        foreach (var batch in pending.Batches)
            foreach (var more in batch.View.Chains())
            {
                var key = Convert.ToHexString(more.Key.Span);
                chains[key] = chains.TryGetValue(key, out var known) ? known with { Blocks = known.Blocks + more.Blocks, Latest = Math.Max(known.Latest, more.Latest) } : more;
            }
        return [.. chains.Values];
    }

    /// <inheritdoc/>
    public HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence)
    {
        var pending = Pending;
        // The database first: whoever wrote there was first.
        return _reader.Get(key.ToArray(), sequence) ?? pending.Get(key, sequence);
    }

    /// <inheritdoc/>
    public HalfBlock? Get(Hash256 hash) => FindByHash(hash.ToArray(), 1) is [var block] ? block : null;

    /// <inheritdoc/>
    public HalfBlock? Latest(ReadOnlySpan<byte> key)
    {
        var best = Pending.Latest(key);
        var latest = _reader.Extent(key.ToArray()).Latest;
        return best is null || latest >= best.Sequence ? (latest == 0 ? best : _reader.Get(key.ToArray(), latest)) : best;
    }

    /// <inheritdoc/>
    public HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence)
    {
        var pending = Pending;
        return pending.Before(key, sequence, _reader.Before(key.ToArray(), sequence));
    }

    /// <inheritdoc/>
    public HalfBlock? After(ReadOnlySpan<byte> key, uint sequence) =>
        sequence == uint.MaxValue ? null : Range(key, sequence + 1, uint.MaxValue, 1) is [var next, ..] ? next : null;

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> Range(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (from > to || max <= 0) return [];
        var pending = Pending;
        return pending.Range(_reader.Range(key.ToArray(), from, to, max), key, from, to, max);
    }

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> LinkingTo(ReadOnlySpan<byte> key, uint from, uint to, int max)
    {
        if (from > to || max <= 0) return [];
        var pending = Pending;
        return pending.LinkingTo(_reader.LinkingTo(key.ToArray(), from, to, max), key, from, to, max);
    }

    /// <inheritdoc/>
    public uint LowestUnknown(ReadOnlySpan<byte> key)
    {
        var (bytes, pending) = (key.ToArray(), Pending);
        var gap = _reader.FirstGap(bytes);
        while (gap < uint.MaxValue && (pending.Get(bytes, (uint)gap) is not null || _reader.Has(bytes, gap))) gap++;
        return (uint)Math.Min(gap, uint.MaxValue);
    }

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> All()
    {
        var pending = Pending;
        foreach (var (_, block) in AllAfter(0)) yield return block;
        foreach (var (block, _, _) in pending.Rows)
            if (!_reader.Has(block.PublicKey.ToArray(), block.Sequence)) yield return block;
    }

    /// <inheritdoc/>
    public IEnumerable<PlacedBlock> AllAfter(long place)
    {
        for (var at = place; ;)
        {
            var page = _reader.Page(at, PageBlocks);
            foreach (var placed in page) yield return placed;
            if (page.Count < PageBlocks) yield break;
            at = page[^1].Place;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<HalfBlock> Naming(ReadOnlySpan<byte> key) => Naming(key.ToArray());

    /// <inheritdoc/>
    public IReadOnlyList<HalfBlock> FindByHash(ReadOnlySpan<byte> prefix, int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prefix.Length, 2);
        Span<byte> low = stackalloc byte[8], high = stackalloc byte[8];
        low.Clear();
        high.Fill(0xFF);
        prefix[..Math.Min(8, prefix.Length)].CopyTo(low);
        prefix[..Math.Min(8, prefix.Length)].CopyTo(high);
        // What waits is taken first: what is written meanwhile is then in both, never in none.
        var pending = Pending;
        var found = new List<HalfBlock>();
        Span<byte> hash = stackalloc byte[Hash256.Bytes];
        // Two bytes are the same, so the sign is: as numbers they are in the same order.
        foreach (var (_, block) in _reader.ByHash(System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(low), System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(high), max + 16))
        {
            block.Hash.CopyTo(hash);
            if (found.Count < max && hash.StartsWith(prefix)) found.Add(block);
        }
        foreach (var batch in pending.Batches)
            foreach (var block in batch.View.FindByHash(prefix, max))
                if (found.Count < max && !found.Contains(block)) found.Add(block);
        return found;
    }

    /// <inheritdoc/>
    public long DiskBytes => Interlocked.Read(ref _diskBytes);

    /// <inheritdoc/>
    public StoreTotals Totals()
    {
        StoreTotals totals = default;
        _reader.Rows("SELECT blocks, bytes, records, (SELECT count(*) FROM chains WHERE blocks > 0), (SELECT count(*) FROM peers) FROM totals",
            row => totals = new StoreTotals(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)));
        return totals;
    }

    /// <inheritdoc/>
    public IReadOnlyList<DayCount> Days()
    {
        var days = new List<DayCount>();
        _reader.Rows("SELECT day, blocks, users, newcomers FROM days WHERE blocks > 0 OR users > 0 OR newcomers > 0 ORDER BY day",
            row => days.Add(DayCount.Of(row.GetInt32(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3))));
        return days;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> WorkUnits()
    {
        var units = new List<string>();
        _reader.Rows("SELECT DISTINCT unit FROM balances WHERE records > 0", row => units.Add(row.GetString(0)));
        return units;
    }

    /// <inheritdoc/>
    public void ReadWork(string unit, AgreedWorkReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var records = new AgreedWork[8_192];
        var count = 0;
        _reader.Rows("SELECT contributor, consumer, amount FROM work WHERE unit = $1", row =>
        {
            records[count++] = new AgreedWork(row.GetInt32(0), row.GetInt32(1), row.GetInt64(2));
            if (count < records.Length) return;
            read(records);
            count = 0;
        }, unit);
        if (count > 0) read(records.AsSpan(0, count));
    }

    /// <inheritdoc/>
    public IEnumerable<NumberedKey> WorkKeys(int after = 0)
    {
        var keys = new List<NumberedKey>();
        _reader.Rows("SELECT id, key FROM peers WHERE id > $1 ORDER BY id", row => keys.Add(new NumberedKey(row.GetInt32(0), (byte[])row[1])), after);
        return keys;
    }

    /// <inheritdoc/>
    public WorkSums SumsOf(ReadOnlySpan<byte> key, string unit)
    {
        WorkSums sums = default;
        _reader.Rows("SELECT least(gave, 9223372036854775807)::bigint, least(got, 9223372036854775807)::bigint, records FROM balances WHERE peer = (SELECT id FROM peers WHERE key = $1) AND unit = $2",
            row => sums = new WorkSums(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), key.ToArray(), unit);
        return sums;
    }

    /// <inheritdoc/>
    public bool Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (Pending.Get(block.PublicKey, block.Sequence) is not null || _reader.Has(block.PublicKey.ToArray(), block.Sequence)) return false;
        CheckedWriter.Write(block, static (batch, added) => batch.Blocks.Add(new BlockRow(added, 0, 0)));
        return true;
    }

    /// <inheritdoc/>
    public void AddRange(IReadOnlyList<HalfBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        // The database passes over what is there; only what waits is looked through here.
        var (writing, _) = Pending;
        CheckedWriter.Write((blocks, writing), static (batch, more) =>
        {
            foreach (var block in more.blocks)
            {
                if (batch.View.Get(block.PublicKey, block.Sequence) is null && more.writing?.View.Get(block.PublicKey, block.Sequence) is null)
                    batch.Blocks.Add(new BlockRow(block, 0, 0));
            }
        });
    }

    /// <inheritdoc/>
    public async Task<int> EvictAsync(int max, Func<HalfBlock, bool> isKept)
    {
        ArgumentNullException.ThrowIfNull(isKept);
        var going = new List<long>();
        for (var pages = 0; pages < EvictionPages && going.Count < max; pages++)
        {
            var page = _reader.Page(_evictedTo, PageBlocks);
            foreach (var (place, block) in page)
            {
                if (going.Count == max) break;
                _evictedTo = place;
                if (!isKept(block)) going.Add(place);
            }
            if (page.Count >= PageBlocks || going.Count == max) continue;
            _evictedTo = 0;
            break;
        }
        if (going.Count == 0) return 0;
        CheckedWriter.Write(going, static (batch, evicted) => batch.Evicted.AddRange(evicted));
        await FlushAsync();
        return going.Count;
    }

    /// <inheritdoc/>
    public IReadOnlyList<FraudProof> Frauds() => Frauds("", []);

    /// <inheritdoc/>
    public FraudProof? FraudOf(ReadOnlySpan<byte> key)
    {
        foreach (var proof in Frauds(" WHERE substr(first, 1, 74) = $1", key.ToArray()))
            if (key.SequenceEqual(proof.Culprit)) return proof;
        return null;
    }

    /// <inheritdoc/>
    public bool AddFraud(FraudProof proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        foreach (var known in Frauds())
            if (known.SameBlocks(proof)) return false;
        CheckedWriter.Write(proof, static (batch, added) => batch.Frauds.Add(added));
        return true;
    }

    /// <inheritdoc/>
    public bool IsRefused(Hash256 proposal)
    {
        var (writing, open) = Pending;
        return writing?.Refusals.Contains(proposal) == true || open?.Refusals.Contains(proposal) == true
            || _reader.Number("SELECT 1 FROM refusals WHERE hash = $1", proposal.ToArray()) == 1;
    }

    /// <inheritdoc/>
    public void AddRefusal(Hash256 proposal)
    {
        if (!IsRefused(proposal)) CheckedWriter.Write(proposal, static (batch, added) => batch.Refusals.Add(added));
    }

    /// <inheritdoc/>
    public IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key) => _refused.Of(key);

    /// <inheritdoc/>
    public void AddRefused(RefusedBlock block) => _refused.Add(block);

    /// <inheritdoc/>
    public Task FlushAsync() => CheckedWriter.FlushAsync();

    /// <summary>Writes what is left; nothing can be written afterwards.</summary>
    internal void StopWriting() => _writer?.Dispose();

    /// <summary>Writes what is left and closes the connections.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _writer?.Dispose();
        _reader.Dispose();
        _counter.Dispose();
    }

    private WriteQueue CheckedWriter => _writer ?? throw new InvalidOperationException("This store was opened for reading only.");

    private PendingWrites Pending => _writer?.Pending ?? default;

    // On the writer's thread, under its lock, so that nobody sees a block both here and there. Others write too: it is a count of lately.
    private void Recount()
    {
        try
        {
            Interlocked.Exchange(ref _inDatabase, _counter.Number("SELECT blocks FROM totals"));
            Interlocked.Exchange(ref _diskBytes, _counter.Number("SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c WHERE c.relnamespace = 'polder'::regnamespace AND c.relkind = 'r'"));
        }
        catch (StorageException) when (_writer is not null) { /* The next commit counts again. */ }
    }

    private IEnumerable<HalfBlock> Naming(byte[] key)
    {
        var pending = Pending;
        for (var at = 0L; ;)
        {
            var page = _reader.Naming(key, at, PageBlocks);
            foreach (var (_, block) in page) yield return block;
            if (page.Count < PageBlocks) break;
            at = page[^1].Place;
        }
        foreach (var batch in pending.Batches)
            foreach (var block in batch.View.Naming(key))
                if (!_reader.Has(block.PublicKey.ToArray(), block.Sequence)) yield return block;
    }

    private List<FraudProof> Frauds(string where, params object[] values)
    {
        var (pending, frauds) = (Pending, new List<FraudProof>());
        _reader.Rows("SELECT kind, first, second, proposal FROM frauds" + where + " ORDER BY ordinal", row =>
        {
            if (HalfBlock.TryUnpack((byte[])row[1], out var first) && HalfBlock.TryUnpack((byte[])row[2], out var second))
                frauds.Add(new FraudProof((FraudKind)row.GetInt32(0), first, second) { Proposal = !row.IsDBNull(3) && HalfBlock.TryUnpack((byte[])row[3], out var proposal) ? proposal : null });
        }, values);
        foreach (var batch in pending.Batches)
            foreach (var waiting in batch.Frauds)
                if (!frauds.Exists(waiting.SameBlocks)) frauds.Add(waiting);
        return frauds;
    }
}
