using Npgsql;
using NpgsqlTypes;
using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>What one batch of writes is in PostgreSQL, with the accounts that go with it: one transaction, under the lock that writers share.</summary>
internal sealed class PostgresWriter(NpgsqlConnection connection)
{
    private const string Agreed = """
        INSERT INTO work (proposer, sequence, part, ordinal, unit, contributor, consumer, amount)
        SELECT p.peer, p.sequence, x.part, greatest(p.ordinal, a.ordinal), p.unit,
            CASE WHEN x.part = 0 THEN p.peer ELSE a.peer END, CASE WHEN x.part = 0 THEN a.peer ELSE p.peer END, CASE WHEN x.part = 0 THEN p.gave ELSE p.got END
        FROM (SELECT DISTINCT ON (p.ordinal) p.ordinal AS proposal, a.ordinal AS agreement
              FROM blocks p JOIN blocks a ON a.link_peer = p.peer AND a.link_sequence = p.sequence AND a.peer = p.link_peer
              WHERE p.link_sequence = 0 AND a.link_sequence > 0 AND p.peer <> p.link_peer AND p.unit = a.unit
                AND ((p.gave = a.got AND p.got = a.gave) OR (p.gave = a.gave AND p.got = a.got)) AND {0}
              ORDER BY p.ordinal, a.ordinal) pairs
        JOIN blocks p ON p.ordinal = pairs.proposal JOIN blocks a ON a.ordinal = pairs.agreement
        CROSS JOIN (VALUES (0), (1)) AS x (part)
        WHERE CASE WHEN x.part = 0 THEN p.gave ELSE p.got END BETWEEN 1 AND 1099511627776
        ON CONFLICT DO NOTHING RETURNING unit, contributor, consumer, amount
        """;

    private bool _isReady;

    public void Write(StoreBatch batch)
    {
        if (!_isReady)
        {
            PostgresSchema.Execute(connection, """
                CREATE TEMP TABLE fresh (n integer, peer integer, sequence bigint, link_peer integer, link_sequence bigint, hash_head bigint,
                    unit text, gave bigint, got bigint, rest bytea) ON COMMIT DELETE ROWS
                """);
            _isReady = true;
        }
        using var transaction = connection.BeginTransaction();
        Run("SELECT pg_advisory_xact_lock($1)", PostgresSchema.WriteLock);
        if (batch.Blocks.Count > 0) Add(batch.Blocks);
        if (batch.Evicted.Count > 0) Evict([.. batch.Evicted]);
        foreach (var fraud in batch.Frauds)
        {
            using var command = Command("INSERT INTO frauds (kind, first, second, proposal, pair) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                (int)fraud.Kind, fraud.First.Packed.ToArray(), fraud.Second.Packed.ToArray(), fraud.Proposal?.Packed.ToArray() ?? (object)DBNull.Value, PairOf(fraud));
            command.Parameters[3].NpgsqlDbType = NpgsqlDbType.Bytea;
            command.ExecuteNonQuery();
        }
        foreach (var refusal in batch.Refusals) Run("INSERT INTO refusals (hash) VALUES ($1) ON CONFLICT DO NOTHING", refusal.ToArray());
        transaction.Commit();
    }

    /// <summary>The same for two blocks in either order.</summary>
    private static byte[] PairOf(FraudProof fraud)
    {
        var (first, second) = fraud.First.Hash.CompareTo(fraud.Second.Hash) < 0 ? (fraud.First, fraud.Second) : (fraud.Second, fraud.First);
        return Hash256.Of([.. first.Hash.ToArray(), .. second.Hash.ToArray()]).ToArray();
    }

    private void Add(List<BlockRow> rows)
    {
        var numbers = Numbers(rows);
        using (var import = connection.BeginBinaryImport("COPY fresh (n, peer, sequence, link_peer, link_sequence, hash_head, unit, gave, got, rest) FROM STDIN (FORMAT BINARY)"))
        {
            for (var n = 0; n < rows.Count; n++)
            {
                var block = rows[n].Block;
                import.StartRow();
                import.Write(n, NpgsqlDbType.Integer);
                import.Write(numbers[Key(block.PublicKey)], NpgsqlDbType.Integer);
                import.Write((long)block.Sequence, NpgsqlDbType.Bigint);
                import.Write(numbers[Key(block.LinkKey)], NpgsqlDbType.Integer);
                import.Write((long)block.LinkSequence, NpgsqlDbType.Bigint);
                import.Write(unchecked((long)block.Hash.Head), NpgsqlDbType.Bigint);
                if (AgreedClaims.TryClaim(block, out var claim) && !claim.Unit.Contains('\0', StringComparison.Ordinal))
                {
                    import.Write(claim.Unit, NpgsqlDbType.Text);
                    import.Write(claim.Gave, NpgsqlDbType.Bigint);
                    import.Write(claim.Got, NpgsqlDbType.Bigint);
                }
                else
                {
                    import.WriteNull();
                    import.WriteNull();
                    import.WriteNull();
                }
                import.Write(block.Packed[HalfBlock.PreviousHashOffset..].ToArray(), NpgsqlDbType.Bytea);
            }
            import.Complete();
        }
        var placed = new Dictionary<(int Peer, long Sequence), HalfBlock>(rows.Count);
        foreach (var row in rows) placed.TryAdd((numbers[Key(row.Block.PublicKey)], row.Block.Sequence), row.Block);
        var added = new List<(long Ordinal, int Peer, HalfBlock Block)>(rows.Count);
        using (var insert = Command("""
            INSERT INTO blocks (peer, sequence, link_peer, link_sequence, hash_head, unit, gave, got, rest)
            SELECT peer, sequence, link_peer, link_sequence, hash_head, unit, gave, got, rest FROM fresh ORDER BY n
            ON CONFLICT DO NOTHING RETURNING ordinal, peer, sequence
            """))
        using (var reader = insert.ExecuteReader())
            while (reader.Read())
                added.Add((reader.GetInt64(0), reader.GetInt32(1), placed[(reader.GetInt32(1), reader.GetInt64(2))]));
        if (added.Count == 0) return;
        added.Sort(static (a, b) => a.Ordinal.CompareTo(b.Ordinal));
        Account(added);
        var first = added[0].Ordinal;
        var records = Pair("a.ordinal >= $1", first) + Pair("p.ordinal >= $1", first);
        Run("UPDATE totals SET blocks = blocks + $1, bytes = bytes + $2, records = records + $3",
            (long)added.Count, added.Sum(static entry => (long)entry.Block.Packed.Length - HalfBlock.PreviousHashOffset), records);
    }

    /// <summary>The number of every key, new ones for those that have none.</summary>
    private Dictionary<string, int> Numbers(List<BlockRow> rows)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            keys.TryAdd(Key(row.Block.PublicKey), row.Block.PublicKey.ToArray());
            keys.TryAdd(Key(row.Block.LinkKey), row.Block.LinkKey.ToArray());
        }
        var all = keys.Values.ToArray();
        Run("INSERT INTO peers (key) SELECT unnest($1) EXCEPT SELECT key FROM peers WHERE key = ANY ($1) ON CONFLICT DO NOTHING", (object)all);
        var numbers = new Dictionary<string, int>(keys.Count, StringComparer.Ordinal);
        using var ask = Command("SELECT id, key FROM peers WHERE key = ANY ($1)", (object)all);
        using var reader = ask.ExecuteReader();
        while (reader.Read()) numbers[Key((byte[])reader[1])] = reader.GetInt32(0);
        return numbers;
    }

    private static string Key(ReadOnlySpan<byte> key) => Convert.ToHexString(key);

    /// <summary>Chains and days, in the order in which the blocks came.</summary>
    private void Account(List<(long Ordinal, int Peer, HalfBlock Block)> added)
    {
        var peers = added.Select(static entry => entry.Peer).Distinct().Order().ToArray();
        var chains = peers.ToDictionary(static peer => peer, static _ => (Blocks: 0L, Latest: 0L, Day: -2));
        using (var ask = Command("SELECT peer, day FROM chains WHERE peer = ANY ($1)", peers))
        using (var reader = ask.ExecuteReader())
            while (reader.Read()) chains[reader.GetInt32(0)] = (0, 0, reader.GetInt32(1));
        var days = new SortedDictionary<int, (long Blocks, long Users, long Newcomers)>();
        foreach (var (_, peer, block) in added)
        {
            var chain = chains[peer];
            var day = DayCount.NumberOf(block.Timestamp);
            var (blocks, users, newcomers) = days.GetValueOrDefault(day);
            days[day] = (blocks + 1, users + (day > chain.Day ? 1 : 0), newcomers + (block.Sequence == 1 ? 1 : 0));
            chains[peer] = (chain.Blocks + 1, Math.Max(chain.Latest, block.Sequence), Math.Max(chain.Day, day));
        }
        Run("""
            INSERT INTO chains (peer, blocks, latest, day) SELECT * FROM unnest($1, $2, $3, $4)
            ON CONFLICT (peer) DO UPDATE SET blocks = chains.blocks + excluded.blocks, latest = greatest(chains.latest, excluded.latest), day = greatest(chains.day, excluded.day)
            """, peers, peers.Select(peer => chains[peer].Blocks).ToArray(), peers.Select(peer => chains[peer].Latest).ToArray(), peers.Select(peer => chains[peer].Day).ToArray());
        Days(days);
    }

    private void Days(SortedDictionary<int, (long Blocks, long Users, long Newcomers)> days) => Run("""
        INSERT INTO days (day, blocks, users, newcomers) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (day) DO UPDATE SET blocks = days.blocks + excluded.blocks, users = days.users + excluded.users, newcomers = days.newcomers + excluded.newcomers
        """, days.Keys.ToArray(), days.Values.Select(static day => day.Blocks).ToArray(), days.Values.Select(static day => day.Users).ToArray(), days.Values.Select(static day => day.Newcomers).ToArray());

    private long Pair(string condition, long first)
    {
        using var command = Command(Agreed.Replace("{0}", condition, StringComparison.Ordinal), first);
        return Balance(command, sign: 1);
    }

    /// <summary>Takes the records that a statement gives into the balances; answers how many they are.</summary>
    private long Balance(NpgsqlCommand command, int sign)
    {
        var sums = new Dictionary<(int Peer, string Unit), (decimal Gave, decimal Got, long Records)>();
        var records = 0L;
        using (var reader = command.ExecuteReader())
            while (reader.Read())
            {
                var (unit, contributor, consumer, amount) = (reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt64(3));
                var gave = sums.GetValueOrDefault((contributor, unit));
                sums[(contributor, unit)] = (gave.Gave + amount, gave.Got, gave.Records + 1);
                var got = sums.GetValueOrDefault((consumer, unit));
                sums[(consumer, unit)] = (got.Gave, got.Got + amount, got.Records + 1);
                records++;
            }
        if (records == 0) return 0;
        var order = sums.Keys.OrderBy(static key => key.Peer).ThenBy(static key => key.Unit, StringComparer.Ordinal).ToArray();
        Run("""
            INSERT INTO balances (peer, unit, gave, got, records) SELECT * FROM unnest($1, $2, $3, $4, $5)
            ON CONFLICT (peer, unit) DO UPDATE SET gave = balances.gave + excluded.gave, got = balances.got + excluded.got, records = balances.records + excluded.records
            """, order.Select(static key => key.Peer).ToArray(), order.Select(static key => key.Unit).ToArray(),
            order.Select(key => sign * sums[key].Gave).ToArray(), order.Select(key => sign * sums[key].Got).ToArray(), order.Select(key => sign * sums[key].Records).ToArray());
        return records;
    }

    private void Evict(long[] ordinals)
    {
        var gone = new List<(int Peer, int LinkPeer, int Bytes, ulong Timestamp)>();
        using (var delete = Command("DELETE FROM blocks WHERE ordinal = ANY ($1) RETURNING peer, link_peer, length(rest), substr(rest, length(rest) - 7)", ordinals))
        using (var reader = delete.ExecuteReader())
            while (reader.Read())
                gone.Add((reader.GetInt32(0), reader.GetInt32(1), reader.GetInt32(2), System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian((byte[])reader[3])));
        long records;
        using (var work = Command("DELETE FROM work WHERE ordinal = ANY ($1) RETURNING unit, contributor, consumer, amount", ordinals)) records = Balance(work, sign: -1);
        var days = new SortedDictionary<int, (long Blocks, long Users, long Newcomers)>();
        foreach (var block in gone) days[DayCount.NumberOf(block.Timestamp)] = (days.GetValueOrDefault(DayCount.NumberOf(block.Timestamp)).Blocks - 1, 0, 0);
        Days(days);
        var peers = gone.Select(static block => block.Peer).Distinct().Order().ToArray();
        Run("""
            UPDATE chains SET blocks = (SELECT count(*) FROM blocks b WHERE b.peer = chains.peer), latest = coalesce((SELECT max(sequence) FROM blocks b WHERE b.peer = chains.peer), 0)
            WHERE peer = ANY ($1)
            """, peers);
        var named = gone.SelectMany(static block => (int[])[block.Peer, block.LinkPeer]).Distinct().Order().ToArray();
        foreach (var (table, column) in ((string, string)[])[("chains", "peer"), ("balances", "peer"), ("peers", "id")])
            Run($"DELETE FROM {table} t WHERE t.{column} = ANY ($1) AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.peer = t.{column}) AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.link_peer = t.{column})", named);
        Run("UPDATE totals SET blocks = blocks - $1, bytes = bytes - $2, records = records - $3", (long)gone.Count, gone.Sum(static block => (long)block.Bytes), records);
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private void Run(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        command.ExecuteNonQuery();
    }
}
