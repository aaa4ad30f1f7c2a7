using System.Globalization;
using Polder.Node.Storage;

namespace Polder.Node.Chat;

/// <summary>The form of chat.db as numbered steps; <c>user_version</c> says how many were taken. A step is never changed, only followed.</summary>
internal static class ChatSchema
{
    private static readonly string[] Steps =
    [
        // 1: keys and conversations are numbered. What is shown has an index of its own, in the one order, so a page of the newest costs a page.
        """
        CREATE TABLE people (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, peer INTEGER, title TEXT NOT NULL, standing INTEGER NOT NULL,
            read_clock INTEGER NOT NULL, read_time INTEGER NOT NULL, read_event BLOB NOT NULL, activity INTEGER NOT NULL, is_foreign INTEGER NOT NULL);
        CREATE TABLE events (
            ordinal INTEGER PRIMARY KEY, event BLOB NOT NULL UNIQUE, conversation INTEGER NOT NULL, author INTEGER NOT NULL, kind INTEGER NOT NULL,
            clock INTEGER NOT NULL, time INTEGER NOT NULL, sequence INTEGER NOT NULL, first INTEGER NOT NULL, epoch BLOB, target BLOB,
            arrived INTEGER NOT NULL, hidden INTEGER NOT NULL, shown INTEGER NOT NULL, raw BLOB NOT NULL, body BLOB);
        CREATE INDEX events_shown ON events (conversation, clock, time, event) WHERE shown = 1;
        CREATE INDEX events_clock ON events (conversation, clock);
        CREATE INDEX events_author ON events (conversation, author, sequence) WHERE sequence > 0;
        CREATE INDEX events_changes ON events (conversation, clock, time, event) WHERE kind > 100;
        CREATE INDEX events_target ON events (target) WHERE target IS NOT NULL;
        CREATE TABLE deliveries (
            event INTEGER NOT NULL, receiver INTEGER NOT NULL, letter BLOB, stage INTEGER NOT NULL, PRIMARY KEY (event, receiver)) WITHOUT ROWID;
        CREATE INDEX deliveries_letter ON deliveries (letter) WHERE letter IS NOT NULL;
        CREATE INDEX deliveries_open ON deliveries (event) WHERE letter IS NULL;
        CREATE TABLE secrets (epoch BLOB PRIMARY KEY, conversation INTEGER NOT NULL, secret BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE held (event BLOB PRIMARY KEY, conversation BLOB NOT NULL, raw BLOB NOT NULL, sender BLOB NOT NULL, letter BLOB NOT NULL) WITHOUT ROWID;
        CREATE INDEX held_conversation ON held (conversation);
        CREATE TABLE letters (event BLOB NOT NULL, letter BLOB NOT NULL, conversation INTEGER NOT NULL, PRIMARY KEY (event, letter)) WITHOUT ROWID;
        CREATE INDEX letters_conversation ON letters (conversation);
        CREATE TABLE foreigners (name TEXT NOT NULL, peer INTEGER NOT NULL, event BLOB NOT NULL, PRIMARY KEY (name, peer)) WITHOUT ROWID;
        CREATE INDEX foreigners_event ON foreigners (event);
        CREATE TABLE words (word TEXT NOT NULL, ordinal INTEGER NOT NULL, PRIMARY KEY (word, ordinal)) WITHOUT ROWID;
        """,
    ];

    public static void Upgrade(Database database, string path)
    {
        var version = database.Number("PRAGMA user_version");
        if (version > Steps.Length)
            throw new NodeStartException(
                $"{path} was written by a newer Polder (form {version}; this program knows {Steps.Length}). Update the program, or use another folder: --data DIR.");
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
