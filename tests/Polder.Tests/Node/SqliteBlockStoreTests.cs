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

    [Fact]
    public async Task A_database_of_form_1_loses_its_index_of_hashes_and_nothing_else()
    {
        var path = _folder.At("form1.db");
        var store = OpenAt(path);
        var blocks = Chains.Of(Chains.Key(1), 20, Chains.Key(2));
        store.AddRange(blocks);
        await store.FlushAsync();
        store.Dispose();
        using (var database = Database.Open(path)) database.Execute("CREATE INDEX blocks_hash ON blocks (hash_head); PRAGMA user_version = 1");

        store = OpenAt(path);

        Assert.All(blocks, block => Assert.Equal(block, store.Get(block.Hash)));
        using var reader = Database.Open(path, readOnly: true);
        Assert.Equal(0, reader.Number("SELECT count(*) FROM sqlite_master WHERE name = 'blocks_hash'"));
        Assert.Equal(Schema.Newest, reader.Number("PRAGMA user_version"));
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
