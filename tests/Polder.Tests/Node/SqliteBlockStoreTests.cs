using System.Diagnostics;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Node;
using Polder.Node.Storage;
using Polder.Tests.Contracts;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

public sealed class SqliteBlockStoreTests : BlockStoreContract, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 4, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly List<SqliteBlockStore> _opened = [];
    private int _files;
    private string _path = "";

    public void Dispose()
    {
        foreach (var store in _opened) store.Dispose();
        _folder.Dispose();
    }

    protected override IBlockStore Open() => OpenAt(_path = _folder.At($"{++_files}.db"));

    // A power cut cannot be had from inside; closing writes what was queued, and a copy of the files taken before is a kill.
    protected override IBlockStore Reopen(IBlockStore store)
    {
        var copy = _folder.At($"{++_files}.db");
        foreach (var suffix in (string[])["", "-wal"])
            if (File.Exists(_path + suffix)) File.Copy(_path + suffix, copy + suffix);
        return OpenAt(_path = copy);
    }

    private SqliteBlockStore OpenAt(string path)
    {
        var store = SqliteBlockStore.Open(path, Chains.Key(1).Public.Bytes, Now);
        _opened.Add(store);
        return store;
    }

    [Fact]
    public void A_newer_database_is_refused()
    {
        var path = _folder.At("newer.db");
        using (var database = Database.Open(path)) database.Execute("PRAGMA user_version = 99");
        Assert.Contains("newer Polder", Assert.Throws<NodeStartException>(() => OpenAt(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_database_of_an_older_form_becomes_a_new_one_with_all_its_blocks_and_accounts(int form)
    {
        var path = _folder.At("old.db");
        var (proposals, agreements) = Work.Records(Chains.Key(2), Chains.Key(1), [.. Enumerable.Range(1, 30)]);
        HalfBlock[] blocks = [.. proposals.Take(20), .. agreements, .. proposals.Skip(20), .. Chains.Of(Chains.Key(3), 5, Chains.Key(1))];
        using (var database = Database.Open(path)) MakeOld(database, form, blocks);

        var store = OpenAt(path);
        var fresh = (SqliteBlockStore)Open();
        fresh.AddRange(blocks);
        await fresh.FlushAsync();

        Assert.Equal(blocks, store.All());
        Assert.All(blocks, block => Assert.Equal(block, store.Get(block.Hash)));
        Assert.All(blocks, block => Assert.Equal(block, store.Get(block.PublicKey, block.Sequence)));
        Assert.Equal(fresh.Totals(), store.Totals());
        Assert.Equal(fresh.Days(), store.Days());
        Assert.Equal(Work.Of(fresh, "bytes").Order(), Work.Of(store, "bytes").Order());
        Assert.Equal(fresh.Naming(Chains.Key(1).Public.Bytes), store.Naming(Chains.Key(1).Public.Bytes));
        Assert.Equal([Chains.Key(2).Public.ToString()], store.Frauds().Select(fraud => Convert.ToHexStringLower(fraud.Culprit)));
        Assert.True(store.IsRefused(blocks[0].Hash));
        Assert.True(store.Add(Chains.Of(Chains.Key(3), 6, Chains.Key(1))[5]));
        await store.FlushAsync();
        using var reader = Database.Open(path, readOnly: true);
        Assert.Equal(0, reader.Number("SELECT count(*) FROM sqlite_master WHERE name IN ('blocks_hash', 'blocks_2', 'peers_2')"));
        Assert.Equal("ok", reader.Text("PRAGMA integrity_check"));
        Assert.Equal(Schema.Newest, reader.Number("PRAGMA user_version"));
    }

    [Fact]
    public void A_database_of_an_older_form_is_not_read_beside_but_says_what_to_do()
    {
        var path = _folder.At("old.db");
        using (var database = Database.Open(path)) MakeOld(database, 2, Chains.Of(Chains.Key(1), 3, Chains.Key(2)));
        Assert.Contains("Start the node once", Assert.Throws<NodeStartException>(() => SqliteBlockStore.OpenReadOnly(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flood_of_strangers_that_is_evicted_leaves_nothing_behind()
    {
        var store = (SqliteBlockStore)Open();
        store.Writer.HashSegmentSize = 64;
        await store.FlushAsync();
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < 400; i++) store.Add(Unsigned((round * 400) + i, 1));
            await store.FlushAsync();
            while (store.Count > 200) await store.EvictAsync(1000, static _ => false);
        }
        await store.EvictAsync(1000, static _ => false);
        Assert.Equal(0, store.Count);
        var path = _path;
        store.Dispose();
        using var reader = Database.Open(path, readOnly: true);
        foreach (var table in (string[])["blocks", "peers", "chains", "naming", "work", "work_segments", "balances"])
            Assert.Equal((table, 0L), (table, reader.Number($"SELECT count(*) FROM {table}")));
        Assert.InRange(reader.Number("SELECT count(*) FROM hash_segments"), 0, 5);
        Assert.InRange(reader.Number("PRAGMA page_count") * reader.Number("PRAGMA page_size"), 0, 1 << 20);
    }

    [Fact]
    public async Task Records_in_segments_are_read_evicted_and_not_made_twice()
    {
        var store = (SqliteBlockStore)Open();
        const int count = (2 * WorkAccounts.SegmentRecords) + 100;
        var model = new MemoryBlockStore();
        for (var i = 1u; i <= count; i++)
        {
            // Nobody looks at signatures here, and making them takes longest.
            var (proposal, agreement) = Unsigned(1, 2, i, (i % 1000) + 1);
            store.AddRange([proposal, agreement]);
            model.AddRange([proposal, agreement]);
        }
        await store.FlushAsync();
        Assert.Equal(Work.Of(model, "bytes").Order(), Work.Of(store, "bytes").Order());
        Assert.Equal(5, await store.EvictAsync(5, static _ => false));
        Assert.Equal(count - 2, Work.Of(store, "bytes").Count);
        store.AddRange([Unsigned(1, 2, 3, 4).Proposal, Unsigned(1, 2, 1, 2).Proposal, Unsigned(1, 2, 1, 2).Agreement]);
        await store.FlushAsync();
        Assert.Equal(count - 1, Work.Of(store, "bytes").Count);
        Assert.Equal(count - 1, store.SumsOf(Unsigned(1, 2, 1, 1).Proposal.PublicKey, "bytes").Records);
    }

    [Fact]
    public async Task Hashes_in_segments_are_found()
    {
        var store = (SqliteBlockStore)Open();
        store.Writer.HashSegmentSize = 64;
        var blocks = Enumerable.Range(0, 300).Select(static i => Unsigned(i / 10, (uint)(i % 10) + 1)).ToList();
        foreach (var part in blocks.Chunk(50))
        {
            store.AddRange(part);
            await store.FlushAsync();
        }
        Assert.All(blocks, block => Assert.Equal(block, store.Get(block.Hash)));
        Assert.All(blocks, block => Assert.Contains(block, store.FindByHash(block.Hash.ToArray().AsSpan(0, 3), 50)));
    }

    /// <summary>A database as older programs made it.</summary>
    private static void MakeOld(Database database, int form, HalfBlock[] blocks)
    {
        Schema.UpgradeTo(database, 0, form);
        using var fact = database.PrepareOnce("INSERT INTO facts VALUES ('owner', ?)");
        fact.Bind(1, Chains.Key(1).Public.Bytes).Run();
        var numbers = new Dictionary<string, int>();
        using var peer = database.PrepareOnce("INSERT INTO peers (id, key) VALUES (?, ?)");
        using var insert = database.PrepareOnce("INSERT INTO blocks (peer, sequence, link_peer, link_sequence, hash_head, packed) VALUES (?, ?, ?, ?, ?, ?)");
        foreach (var block in blocks)
            insert.Bind(1, Number(block.PublicKey)).Bind(2, block.Sequence).Bind(3, Number(block.LinkKey)).Bind(4, block.LinkSequence)
                .Bind(5, unchecked((long)block.Hash.Head)).Bind(6, block.Packed.Span).Run();
        using var fraud = database.PrepareOnce("INSERT INTO frauds (kind, first, second) VALUES (1, ?, ?)");
        fraud.Bind(1, Chains.Of(Chains.Key(2), 1, Chains.Key(1))[0].Packed.Span).Bind(2, Chains.Of(Chains.Key(2), 1, Chains.Key(3))[0].Packed.Span).Run();
        using var refusal = database.PrepareOnce("INSERT INTO refusals (hash) VALUES (?)");
        refusal.Bind(1, blocks[0].Hash.ToArray()).Run();

        int Number(ReadOnlySpan<byte> key)
        {
            if (numbers.TryGetValue(Convert.ToHexString(key), out var number)) return number;
            numbers[Convert.ToHexString(key)] = number = (numbers.Count + 1) * 3;
            peer.Bind(1, number).Bind(2, key).Run();
            return number;
        }
    }

    private static (HalfBlock Proposal, HalfBlock Agreement) Unsigned(int giver, int taker, uint number, long amount)
    {
        return (Make(giver, taker, 0, Work.Transaction(amount, 0)), Make(taker, giver, number, Work.Transaction(0, amount)));

        HalfBlock Make(int owner, int other, uint link, string transaction)
        {
            var (type, says) = ("tribler_bandwidth"u8.ToArray(), System.Text.Encoding.ASCII.GetBytes(transaction));
            var packed = new byte[HalfBlock.BytesMin + type.Length + says.Length];
            foreach (var (at, who) in ((int, int)[])[(0, owner), (78, other)])
            {
                Polder.Identity.KeyFormat.PublicTag.CopyTo(packed.AsSpan(at));
                BitConverter.TryWriteBytes(packed.AsSpan(at + 20), who);
            }
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(74), number);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(152), link);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(252), (uint)type.Length);
            type.CopyTo(packed, 256);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(256 + type.Length), (uint)says.Length);
            says.CopyTo(packed, 260 + type.Length);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(packed.AsSpan(packed.Length - 8), 1_700_000_000_000);
            return HalfBlock.TryUnpack(packed, out var block) ? block : throw new InvalidOperationException();
        }
    }

    [Fact]
    public async Task Blocks_added_together_with_another_for_the_same_place_keep_the_first()
    {
        var store = OpenAt(_folder.At("twice.db"));
        var blocks = Chains.Of(Chains.Key(1), 40, Chains.Key(2));
        store.AddRange([.. blocks, blocks[3], .. blocks.Take(7)]);
        await store.FlushAsync();
        Assert.Equal(40, store.Count);
        Assert.Equal(blocks, store.All());
    }

    [Fact]
    public async Task A_database_of_another_node_is_refused()
    {
        var store = (SqliteBlockStore)Open();
        await store.FlushAsync();
        store.Dispose();
        var problem = Assert.Throws<NodeStartException>(() => SqliteBlockStore.Open(_path, Chains.Key(2).Public.Bytes, Now));
        Assert.Contains("belongs to another node (" + Chains.Key(1).Public.ShortName, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closing_keeps_what_was_not_flushed_and_reading_only_sees_it()
    {
        var store = (SqliteBlockStore)Open();
        var chain = Chains.Of(Chains.Key(1), 20, Chains.Key(2));
        store.AddRange(chain);
        store.Dispose();
        using var other = SqliteBlockStore.OpenReadOnly(_path);
        Assert.Equal(chain, other.All());
        Assert.Throws<InvalidOperationException>(() => { _ = other.FlushAsync(); });
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_set_aside_and_signing_refused_until_allowed()
    {
        var path = _folder.At("damaged.db");
        File.WriteAllBytes(path, [.. Enumerable.Repeat((byte)7, 9000)]);
        var store = OpenAt(path);
        Assert.Contains("damaged-20261121-040000", store.SetAside, StringComparison.Ordinal);
        Assert.True(File.Exists(store.SetAside));
        Assert.Contains("set aside", store.SigningRefused, StringComparison.Ordinal);
        await store.FlushAsync();
        store.Dispose();
        store = OpenAt(path);
        Assert.Null(store.SetAside);
        Assert.NotNull(store.SigningRefused);
        store.AllowSigning();
        store.Dispose();
        Assert.Null(OpenAt(path).SigningRefused);
    }

    [Fact]
    public void What_can_be_read_of_a_damaged_database_is_taken_over()
    {
        var store = (SqliteBlockStore)Open();
        var chain = Chains.Of(Chains.Key(1), 300, Chains.Key(2));
        store.AddRange(chain);
        store.Dispose();
        var bytes = File.ReadAllBytes(_path);
        // The root pages of schema and indexes stay whole; a page in the middle goes.
        bytes.AsSpan(bytes.Length / 2 / 4096 * 4096, 4096).Fill(0xFF);
        File.WriteAllBytes(_path, bytes);
        store = OpenAt(_path);
        Assert.NotNull(store.SetAside);
        Assert.NotNull(store.SigningRefused);
        Assert.InRange(store.Salvaged, 1, 300);
        Assert.Equal(store.Salvaged, store.Count);
    }

    [Fact]
    public void A_flipped_bit_inside_a_block_is_noticed_when_it_is_read()
    {
        var store = (SqliteBlockStore)Open();
        var chain = Chains.Of(Chains.Key(1), 3, Chains.Key(2));
        store.AddRange(chain);
        store.Dispose();
        var bytes = File.ReadAllBytes(_path);
        var at = bytes.AsSpan().IndexOf(chain[1].Signature);
        bytes[at + 5] ^= 4;
        File.WriteAllBytes(_path, bytes);
        store = OpenAt(_path);
        Assert.Equal(chain[0], store.Get(chain[0].PublicKey, 1));
        Assert.Contains("damaged", Assert.ThrowsAny<IOException>(() => store.Get(chain[0].PublicKey, 2)).Message, StringComparison.Ordinal);
        Assert.Equal(chain[2], store.Get(chain[0].PublicKey, 3));
    }

    [Fact]
    public async Task A_full_disk_fails_the_flush_in_words_and_writing_resumes_by_itself()
    {
        var store = (SqliteBlockStore)Open();
        var chain = Chains.Of(Chains.Key(1), 200, Chains.Key(2));
        store.AddRange(chain[..10]);
        await store.FlushAsync();
        store.Writer.BeforeCommit = static database =>
        {
            // SQLite's own bound on the file: the same error as a disk without room.
            database.Execute("PRAGMA max_page_count = 1; CREATE TABLE filler (x); DROP TABLE filler");
        };
        store.AddRange(chain[10..]);
        var problem = await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
        Assert.Contains("The disk is full", problem.Message, StringComparison.Ordinal);
        Assert.NotNull(store.WriteFailure);
        await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
        Assert.Equal(chain, store.All());
        Assert.Equal(chain[150], store.Get(chain[150].Hash));

        store.Writer.BeforeCommit = null;
        var patience = Stopwatch.StartNew();
        while (store.WriteFailure is not null && patience.Elapsed < TimeSpan.FromSeconds(20)) await Task.Delay(20, TestContext.Current.CancellationToken);
        await store.FlushAsync();
        Assert.Equal(chain, Reopen(store).All());
    }

    [Fact]
    public async Task Flushes_share_commits()
    {
        var store = (SqliteBlockStore)Open();
        var flushes = new List<Task>();
        foreach (var block in Chains.Of(Chains.Key(1), 500, Chains.Key(2)))
        {
            store.Add(block);
            flushes.Add(store.FlushAsync());
        }
        await Task.WhenAll(flushes);
        Assert.InRange(store.Commits, 1, 400);
    }

    [Fact]
    public async Task Many_blocks_go_in_fast_and_are_open_again_at_once()
    {
        // Signed once each would take longer than storing them: the store never looks at signatures.
        const int chains = 200, each = 100;
        var blocks = new List<HalfBlock>();
        for (var owner = 0; owner < chains; owner++)
            for (var number = 1u; number <= each; number++) blocks.Add(Unsigned(owner, number));
        var store = (SqliteBlockStore)Open();
        var clock = Stopwatch.StartNew();
        foreach (var part in blocks.Chunk(5000)) store.AddRange(part);
        await store.FlushAsync();
        var perSecond = blocks.Count / clock.Elapsed.TotalSeconds;
        store.Dispose();
        clock.Restart();
        store = OpenAt(_path);
        TestContext.Current.TestOutputHelper?.WriteLine($"{perSecond:F0} blocks/s, open in {clock.ElapsedMilliseconds} ms");
        Assert.Equal(blocks.Count, store.Count);
        Assert.True(perSecond > 5_000, $"{perSecond:F0} blocks a second");
    }

    internal static HalfBlock Unsigned(int owner, uint number)
    {
        var packed = new byte[270];
        var key = packed.AsSpan(0, 74);
        Polder.Identity.KeyFormat.PublicTag.CopyTo(key);
        BitConverter.TryWriteBytes(key[20..], owner);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(74), number);
        key.CopyTo(packed.AsSpan(78));
        BitConverter.TryWriteBytes(packed.AsSpan(98), owner ^ 1);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(152), number % 2 == 0 ? number - 1 : 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(252), 2);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(258), 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(packed.AsSpan(262), number);
        return HalfBlock.TryUnpack(packed, out var block) ? block : throw new InvalidOperationException();
    }
}
