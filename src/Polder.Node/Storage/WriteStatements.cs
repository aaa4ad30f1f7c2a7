using Polder.Cryptography;
using Polder.Ledger.Blocks;

namespace Polder.Node.Storage;

/// <summary>What one batch of writes is in SQL, with the accounts that go with it. The caller opens and commits the transaction; after one that failed, a new one of these is made.</summary>
internal sealed class WriteStatements : IDisposable
{
    /// <summary>Blocks a statement: what a statement costs before its first row (three open trees) is shared by so many.</summary>
    private const int RowsAtOnce = 16;
    private const int Columns = 7;
    // A conflict cannot happen but by a mistake of ours; then the whole transaction goes, so no statement keeps a journal of its own.
    private const string Insert = "INSERT OR ROLLBACK INTO blocks (ordinal, peer, sequence, link_peer, link_sequence, hash_head, rest) VALUES ";
    private const string Row = "(?, ?, ?, ?, ?, ?, ?)";

    private readonly byte[] _owner;
    private readonly Statement _block, _blocks, _naming, _look, _evict, _dropNaming, _fraud, _refusal, _fact, _noFact;
    private readonly ChainAccounts _chains;
    private readonly WorkAccounts _work;
    private readonly HashIndex _hashes;
    private long _lastOrdinal;

    /// <param name="database">The writing connection.</param>
    /// <param name="owner">Whose store it is, 74 bytes; empty where nobody's.</param>
    public WriteStatements(Database database, byte[] owner)
    {
        _owner = owner;
        _block = database.PrepareOnce(Insert + Row);
        _blocks = database.PrepareOnce(Insert + string.Join(", ", Enumerable.Repeat(Row, RowsAtOnce)));
        _naming = database.PrepareOnce("INSERT INTO naming (ordinal) VALUES (?)");
        _look = database.PrepareOnce("SELECT b.peer, b.sequence, b.link_peer, length(b.rest), substr(b.rest, -8) FROM blocks b WHERE b.ordinal = ?");
        _evict = database.PrepareOnce("DELETE FROM blocks WHERE ordinal = ?");
        _dropNaming = database.PrepareOnce("DELETE FROM naming WHERE ordinal = ?");
        _fraud = database.PrepareOnce("INSERT INTO frauds (kind, first, second, proposal) VALUES (?, ?, ?, ?)");
        _refusal = database.PrepareOnce("INSERT OR IGNORE INTO refusals (hash) VALUES (?)");
        _fact = database.PrepareOnce("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
        _noFact = database.PrepareOnce("DELETE FROM facts WHERE name = ?");
        (_chains, _work, _hashes) = (new ChainAccounts(database), new WorkAccounts(database), new HashIndex(database));
        _lastOrdinal = database.Number("SELECT max(ordinal) FROM blocks");
    }

    /// <summary>The index of hashes; tests make its segments small.</summary>
    public HashIndex Hashes => _hashes;

    public void Write(StoreBatch batch)
    {
        var written = 0;
        for (; batch.Blocks.Count - written >= RowsAtOnce; written += RowsAtOnce)
        {
            for (var row = 0; row < RowsAtOnce; row++) Bind(_blocks, row, _lastOrdinal + 1 + row, batch.Blocks[written + row]);
            _blocks.Run();
            for (var row = 0; row < RowsAtOnce; row++) Account(batch.Blocks[written + row]);
        }
        for (; written < batch.Blocks.Count; written++)
        {
            Bind(_block, 0, _lastOrdinal + 1, batch.Blocks[written]);
            _block.Run();
            Account(batch.Blocks[written]);
        }
        foreach (var ordinal in batch.Evicted) Evict(ordinal);
        _work.Write();
        _chains.Write();
        _hashes.Write(_lastOrdinal);
        if (batch.Evicted.Count > 0) _hashes.Shrink();
        foreach (var fraud in batch.Frauds)
        {
            _fraud.Bind(1, (int)fraud.Kind).Bind(2, fraud.First.Packed.Span).Bind(3, fraud.Second.Packed.Span);
            if (fraud.Proposal is { } proposal) _fraud.Bind(4, proposal.Packed.Span).Run();
            else _fraud.BindNothing(4).Run();
        }
        Span<byte> hash = stackalloc byte[Hash256.Bytes];
        foreach (var refusal in batch.Refusals)
        {
            refusal.CopyTo(hash);
            _refusal.Bind(1, hash).Run();
        }
        foreach (var (name, value) in batch.Facts)
        {
            if (value is null) _noFact.Bind(1, name).Run();
            else _fact.Bind(1, name).Bind(2, value).Run();
        }
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_block, _blocks, _naming, _look, _evict, _dropNaming, _fraud, _refusal, _fact, _noFact]) statement.Dispose();
        _chains.Dispose();
        _work.Dispose();
        _hashes.Dispose();
    }

    /// <summary>Keeps the accounts of a block that has just been written.</summary>
    private void Account(in BlockRow row)
    {
        var ordinal = ++_lastOrdinal;
        var block = row.Block;
        var (chain, other) = (_chains.Of(row.Peer, block.PublicKey), _chains.Of(row.LinkPeer, block.LinkKey));
        _chains.Records += _work.Added(row, ordinal, chain, other);
        _chains.Added(row, chain, other, block.Packed.Length - HalfBlock.PreviousHashOffset);
        _hashes.Added(ordinal, block.Hash.Head);
        if (row.Peer != row.LinkPeer && block.LinkKey.SequenceEqual(_owner)) _naming.Bind(1, ordinal).Run();
    }

    private void Evict(long ordinal)
    {
        _look.Bind(1, ordinal);
        if (!_look.Step()) return;
        var (peer, sequence, linkPeer, bytes) = ((int)_look.Number(0), (uint)_look.Number(1), (int)_look.Number(2), (int)_look.Number(3));
        var timestamp = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(_look.Blob(4));
        _look.Reset();
        // The keys are there: the blocks name them.
        var (chain, other) = (_chains.Of(peer, []), _chains.Of(linkPeer, []));
        _evict.Bind(1, ordinal).Run();
        _dropNaming.Bind(1, ordinal).Run();
        _chains.Records -= _work.Removed(ordinal, peer, sequence);
        _chains.Removed(chain, other, timestamp, bytes);
    }

    private static void Bind(Statement statement, int row, long ordinal, in BlockRow block)
    {
        var at = row * Columns;
        statement.Bind(at + 1, ordinal).Bind(at + 2, block.Peer).Bind(at + 3, block.Block.Sequence).Bind(at + 4, block.LinkPeer)
            .Bind(at + 5, block.Block.LinkSequence).Bind(at + 6, unchecked((long)block.Block.Hash.Head))
            .Bind(at + 7, block.Block.Packed.Span[HalfBlock.PreviousHashOffset..]);
    }
}
