using System.Globalization;

namespace Polder.Node.Storage;

/// <summary>The form of the database as numbered steps; <c>user_version</c> says how many were taken. A step is never changed, only followed.</summary>
internal static class Schema
{
    private static readonly string[] Steps =
    [
        // 1: keys are numbered, hashes are indexed by their first 8 bytes: the wrong indexes cost a factor of nine.
        """
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
        """,
        // 2: hashes are no longer indexed. Only people ask for a block by its hash, and every block paid for it with a
        // random page; the column stays, as a checksum and for the search.
        "DROP INDEX blocks_hash",
    ];

    public static int Newest => Steps.Length;

    /// <summary>Takes the missing steps, each in a transaction of its own: a crash between two leaves a whole older form.</summary>
    public static void Upgrade(Database database, string path)
    {
        var version = database.Number("PRAGMA user_version");
        if (version > Newest)
            throw new NodeStartException(
                $"{path} was written by a newer Polder (form {version}; this program knows {Newest}). Update the program, or use another folder: --data DIR.");
        for (var step = (int)version; step < Steps.Length; step++)
        {
            database.Execute("BEGIN IMMEDIATE");
            try
            {
                database.Execute(Steps[step]);
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
