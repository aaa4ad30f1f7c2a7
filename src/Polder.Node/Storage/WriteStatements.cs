using Polder.Cryptography;

namespace Polder.Node.Storage;

/// <summary>What one batch of writes is in SQL. The caller opens and commits the transaction.</summary>
internal sealed class WriteStatements(Database database)
{
    /// <summary>Blocks a statement: what a statement costs before its first row (four open trees) is shared by so many.</summary>
    private const int RowsAtOnce = 16;
    private const int Columns = 6;
    // A conflict cannot happen but by a mistake of ours; then the whole transaction goes, so no statement keeps a journal of its own.
    private const string Insert = "INSERT OR ROLLBACK INTO blocks (peer, sequence, link_peer, link_sequence, hash_head, packed) VALUES ";
    private const string Row = "(?, ?, ?, ?, ?, ?)";

    private readonly Statement _peer = database.Prepare("INSERT INTO peers (id, key) VALUES (?, ?)");
    private readonly Statement _block = database.Prepare(Insert + Row);
    private readonly Statement _blocks = database.Prepare(Insert + string.Join(", ", Enumerable.Repeat(Row, RowsAtOnce)));
    private readonly Statement _evict = database.Prepare("DELETE FROM blocks WHERE ordinal = ?");
    private readonly Statement _fraud = database.Prepare("INSERT INTO frauds (kind, first, second) VALUES (?, ?, ?)");
    private readonly Statement _refusal = database.Prepare("INSERT OR IGNORE INTO refusals (hash) VALUES (?)");
    private readonly Statement _fact = database.Prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
    private readonly Statement _noFact = database.Prepare("DELETE FROM facts WHERE name = ?");

    public void Write(StoreBatch batch)
    {
        foreach (var (number, key) in batch.Peers) _peer.Bind(1, number).Bind(2, key).Run();
        var written = 0;
        for (; batch.Blocks.Count - written >= RowsAtOnce; written += RowsAtOnce)
        {
            for (var row = 0; row < RowsAtOnce; row++) Bind(_blocks, row, batch.Blocks[written + row]);
            _blocks.Run();
        }
        for (; written < batch.Blocks.Count; written++)
        {
            Bind(_block, 0, batch.Blocks[written]);
            _block.Run();
        }
        foreach (var ordinal in batch.Evicted) _evict.Bind(1, ordinal).Run();
        foreach (var fraud in batch.Frauds)
            _fraud.Bind(1, (int)fraud.Kind).Bind(2, fraud.First.Packed.Span).Bind(3, fraud.Second.Packed.Span).Run();
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

    private static void Bind(Statement statement, int row, in BlockRow block)
    {
        var at = row * Columns;
        statement.Bind(at + 1, block.Peer).Bind(at + 2, block.Block.Sequence).Bind(at + 3, block.LinkPeer).Bind(at + 4, block.Block.LinkSequence)
            .Bind(at + 5, unchecked((long)block.Block.Hash.Head)).Bind(at + 6, block.Block.Packed.Span);
    }
}
