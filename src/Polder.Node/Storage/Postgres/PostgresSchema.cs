using System.Globalization;
using Npgsql;

namespace Polder.Node.Storage;

/// <summary>The form of the shared database, in the schema "polder", as numbered steps. A step is never changed, only followed.</summary>
internal static class PostgresSchema
{
    /// <summary>Who writes holds this for the time of a transaction: writers take turns, so that each sees what the one before wrote.</summary>
    public const long WriteLock = 0x706F6C646572;

    private static readonly string[] Steps =
    [
        """
        CREATE TABLE peers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key bytea NOT NULL UNIQUE);
        CREATE TABLE blocks (
            ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, peer integer NOT NULL, sequence bigint NOT NULL, link_peer integer NOT NULL,
            link_sequence bigint NOT NULL, hash_head bigint NOT NULL, unit text, gave bigint, got bigint, rest bytea NOT NULL, UNIQUE (peer, sequence));
        CREATE INDEX blocks_link ON blocks (link_peer, link_sequence);
        CREATE INDEX blocks_hash ON blocks (hash_head);
        CREATE TABLE chains (peer integer PRIMARY KEY, blocks bigint NOT NULL, latest bigint NOT NULL, day integer NOT NULL);
        CREATE TABLE days (day integer PRIMARY KEY, blocks bigint NOT NULL, users bigint NOT NULL, newcomers bigint NOT NULL);
        CREATE TABLE totals (id integer PRIMARY KEY CHECK (id = 1), blocks bigint NOT NULL, bytes bigint NOT NULL, records bigint NOT NULL);
        INSERT INTO totals VALUES (1, 0, 0, 0);
        CREATE TABLE work (
            proposer integer NOT NULL, sequence bigint NOT NULL, part smallint NOT NULL, ordinal bigint NOT NULL, unit text NOT NULL,
            contributor integer NOT NULL, consumer integer NOT NULL, amount bigint NOT NULL, PRIMARY KEY (proposer, sequence, part));
        CREATE INDEX work_ordinal ON work (ordinal);
        CREATE TABLE balances (
            peer integer NOT NULL, unit text NOT NULL, gave numeric NOT NULL, got numeric NOT NULL, records bigint NOT NULL, PRIMARY KEY (peer, unit));
        CREATE TABLE frauds (
            ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind integer NOT NULL, first bytea NOT NULL, second bytea NOT NULL, proposal bytea,
            pair bytea NOT NULL UNIQUE);
        CREATE TABLE refusals (hash bytea PRIMARY KEY);
        CREATE VIEW readable AS
            SELECT b.ordinal, encode(p.key, 'hex') AS public_key, b.sequence, encode(l.key, 'hex') AS link_public_key, b.link_sequence, b.unit, b.gave, b.got,
                p.key || int4send((b.sequence - CASE WHEN b.sequence > 2147483647 THEN 4294967296 ELSE 0 END)::int4) || l.key
                    || int4send((b.link_sequence - CASE WHEN b.link_sequence > 2147483647 THEN 4294967296 ELSE 0 END)::int4) || b.rest AS packed
            FROM blocks b JOIN peers p ON p.id = b.peer JOIN peers l ON l.id = b.link_peer;
        """,
    ];

    public static int Newest => Steps.Length;

    public static void Upgrade(NpgsqlConnection connection)
    {
        Execute(connection, "CREATE SCHEMA IF NOT EXISTS polder");
        using var transaction = connection.BeginTransaction();
        Execute(connection, string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({WriteLock})"));
        Execute(connection, "CREATE TABLE IF NOT EXISTS form (version integer NOT NULL)");
        using var ask = new NpgsqlCommand("SELECT max(version) FROM form", connection);
        var version = ask.ExecuteScalar() is int known ? known : 0;
        if (version > Newest)
            throw new NodeStartException($"The PostgreSQL database was written by a newer Polder (form {version}; this program knows {Newest}). Update the program, or use another database.");
        for (var step = version; step < Newest; step++)
        {
            Execute(connection, Steps[step]);
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO form VALUES ({step + 1})"));
        }
        transaction.Commit();
    }

    internal static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
