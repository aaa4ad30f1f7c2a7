using System.Globalization;

namespace Polder.Node.Storage;

/// <summary>The form of the database as numbered steps; <c>user_version</c> says how many were taken. A step is never changed, only followed.</summary>
internal static class Schema
{
    private static readonly Action<Database>[] Steps =
    [
        // 1: keys are numbered, hashes are indexed by their first 8 bytes: the wrong indexes cost a factor of nine.
        static database => database.Execute("""
        CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE peers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
        CREATE TABLE blocks (
            ordinal INTEGER PRIMARY KEY, peer INTEGER NOT NULL, sequence INTEGER NOT NULL,
            link_peer INTEGER NOT NULL, link_sequence INTEGER NOT NULL, hash_head INTEGER NOT NULL, packed BLOB NOT NULL);
        CREATE UNIQUE INDEX blocks_place ON blocks (peer, sequence);
        CREATE INDEX blocks_link ON blocks (link_peer, link_sequence) WHERE link_sequence > 0;
        CREATE INDEX blocks_hash ON blocks (hash_head);
        CREATE TABLE frauds (ordinal INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first BLOB NOT NULL, second BLOB NOT NULL);
        CREATE TABLE refusals (hash BLOB PRIMARY KEY) WITHOUT ROWID;
        """),
        // 2: hashes are no longer indexed. Only people ask for a block by its hash, and every block paid for it with a
        // random page; the column stays, as a checksum and for the search.
        static database => database.Execute("DROP INDEX blocks_hash"),
        // 3: keys and numbers are not stored a second time inside the block, and everything that is asked at the start or of all
        // blocks together has an account that is kept with every write (docs/ledger-store.md).
        SchemaStep3.Take,
    ];

    public static int Newest => Steps.Length;

    /// <summary>Takes the missing steps, each in a transaction of its own: a crash between two leaves a whole older form.</summary>
    public static void Upgrade(Database database, string path)
    {
        var version = database.Number("PRAGMA user_version");
        if (version > Newest)
            throw new NodeStartException(
                $"{path} was written by a newer Polder (form {version}; this program knows {Newest}). Update the program, or use another folder: --data DIR.");
        UpgradeTo(database, version, Newest);
    }

    /// <summary>Takes the steps from one form to another; tests make older forms with it.</summary>
    internal static void UpgradeTo(Database database, long version, int target)
    {
        for (var step = (int)version; step < target; step++)
        {
            database.Execute("BEGIN IMMEDIATE");
            try
            {
                Steps[step](database);
                database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {step + 1}"));
                database.Execute("COMMIT");
            }
            catch
            {
                database.TryRollBack();
                throw;
            }
        }
    }
}
