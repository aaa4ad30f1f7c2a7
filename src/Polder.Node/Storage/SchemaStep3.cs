using Polder.Ledger.Blocks;

namespace Polder.Node.Storage;

/// <summary>
/// From form 2 to form 3: every block is written anew, in its order, by the same code that writes new ones, so that all accounts
/// come out as if they had been kept from the beginning..
/// </summary>
internal static class SchemaStep3
{
    private const int PageBlocks = 4096;

    public static void Take(Database database)
    {
        database.Execute("""
        DROP INDEX blocks_place;
        DROP INDEX blocks_link;
        ALTER TABLE blocks RENAME TO blocks_2;
        ALTER TABLE peers RENAME TO peers_2;
        CREATE TABLE peers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
        CREATE TABLE blocks (
            ordinal INTEGER PRIMARY KEY, peer INTEGER NOT NULL, sequence INTEGER NOT NULL,
            link_peer INTEGER NOT NULL, link_sequence INTEGER NOT NULL, hash_head INTEGER NOT NULL, rest BLOB NOT NULL);
        CREATE UNIQUE INDEX blocks_place ON blocks (peer, sequence);
        CREATE INDEX blocks_link ON blocks (link_peer, link_sequence) WHERE link_sequence > 0;
        CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), blocks INTEGER NOT NULL, bytes INTEGER NOT NULL, records INTEGER NOT NULL);
        INSERT INTO totals VALUES (1, 0, 0, 0);
        CREATE TABLE chains (
            peer INTEGER PRIMARY KEY, blocks INTEGER NOT NULL, latest INTEGER NOT NULL,
            named INTEGER NOT NULL, linked INTEGER NOT NULL, day INTEGER NOT NULL);
        CREATE TABLE naming (ordinal INTEGER PRIMARY KEY);
        CREATE TABLE days (day INTEGER PRIMARY KEY, blocks INTEGER NOT NULL, users INTEGER NOT NULL, newcomers INTEGER NOT NULL);
        CREATE TABLE units (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE work (
            ordinal INTEGER NOT NULL, part INTEGER NOT NULL, unit INTEGER NOT NULL, contributor INTEGER NOT NULL,
            consumer INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (ordinal, part)) WITHOUT ROWID;
        CREATE TABLE work_segments (
            id INTEGER PRIMARY KEY, unit INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, records BLOB NOT NULL);
        CREATE INDEX work_segments_last ON work_segments (last, first);
        CREATE TABLE balances (
            peer INTEGER NOT NULL, unit INTEGER NOT NULL, gave INTEGER NOT NULL, got INTEGER NOT NULL, records INTEGER NOT NULL,
            PRIMARY KEY (peer, unit)) WITHOUT ROWID;
        ALTER TABLE frauds ADD COLUMN proposal BLOB;
        CREATE TABLE hash_segments (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
        CREATE TABLE hash_buckets (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
        """);
        Move(database);
        database.Execute("DROP TABLE blocks_2; DROP TABLE peers_2");
    }

    private static void Move(Database database)
    {
        var last = database.Number("SELECT max(ordinal) FROM blocks_2");
        if (last == 0) return;
        using var old = database.PrepareOnce("SELECT packed, ordinal, peer, link_peer FROM blocks_2 WHERE ordinal > ? ORDER BY ordinal LIMIT ?");
        using var facts = database.PrepareOnce("SELECT value FROM facts WHERE name = 'owner'");
        var owner = facts.Step() ? facts.Blob(0).ToArray() : [];
        facts.Reset();
        using var writer = new WriteStatements(database, owner);
        for (var at = 0L; at < last;)
        {
            var batch = new StoreBatch();
            old.Bind(1, at).Bind(2, PageBlocks);
            while (old.Step())
            {
                at = old.Number(1);
                // What cannot be read is damage; the check of the blocks themselves finds it in either form, here it ends the upgrade.
                if (!HalfBlock.TryUnpack(old.Blob(0), out var block)) throw new StorageException(SQLitePCL.raw.SQLITE_CORRUPT, "The database holds a block that cannot be read.");
                batch.Blocks.Add(new BlockRow(block, (int)old.Number(2), (int)old.Number(3)));
            }
            if (batch.Blocks.Count == 0) break;
            writer.Write(batch);
        }
    }
}
