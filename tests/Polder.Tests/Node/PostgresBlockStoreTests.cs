using Polder.Ledger.Stores;
using Polder.Node;
using Polder.Node.Storage;
using Polder.Tests.Contracts;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

/// <summary>The same promises, kept by a real PostgreSQL server; skipped and counted where none is installed.</summary>
public sealed class PostgresBlockStoreTests(PostgresServer server) : BlockStoreContract, IClassFixture<PostgresServer>, IDisposable
{
    private readonly List<IDisposable> _opened = [];
    private readonly TemporaryFolder _folder = new();
    private string _address = "";

    public void Dispose()
    {
        foreach (var store in _opened) store.Dispose();
        _folder.Dispose();
    }

    protected override IBlockStore Open() => OpenAt(_address = server.NewDatabase());

    protected override IBlockStore Reopen(IBlockStore store) => OpenAt(_address);

    private PostgresBlockStore OpenAt(string address)
    {
        var store = PostgresBlockStore.Open(address);
        _opened.Add(store);
        return store;
    }

    [Fact]
    public async Task Two_writers_share_a_ledger_and_the_first_at_a_place_stays()
    {
        var first = (PostgresBlockStore)Open();
        var second = OpenAt(_address);
        var (proposals, agreements) = Work.Records(Chains.Key(1), Chains.Key(2), [.. Enumerable.Range(1, 200)]);
        var other = Chains.Of(Chains.Key(1), 1, Chains.Key(3))[0];
        // Each writes a half of every record; both write some blocks.
        await Task.WhenAll(
            Task.Run(async () => { foreach (var part in proposals.Chunk(20)) { first.AddRange(part); await first.FlushAsync(); } }, TestContext.Current.CancellationToken),
            Task.Run(async () => { foreach (var part in agreements.Concat(proposals.Take(50)).Chunk(20)) { second.AddRange(part); await second.FlushAsync(); } }, TestContext.Current.CancellationToken));
        Assert.False(second.Add(other));
        second.AddRange([other]);
        await second.FlushAsync();
        Assert.Equal(proposals[0], second.Get(proposals[0].PublicKey, 1));
        Assert.Equal(proposals, first.Range(proposals[0].PublicKey, 1, 1000, 1000));
        Assert.Equal(400, OpenAt(_address).Count);
        Assert.Equal(200, Work.Of(first, "bytes").Count);
        Assert.Equal(new WorkSums(200 * 201 / 2, 0, 200), second.SumsOf(proposals[0].PublicKey, "bytes"));
        Assert.Equal((400, 200, 2), (first.Totals().Blocks, first.Totals().Records, first.Totals().Chains));
    }

    [Fact]
    public async Task A_server_that_was_away_fails_the_flush_in_words_and_loses_nothing()
    {
        using var own = new PostgresServer();
        own.Need();
        using var store = PostgresBlockStore.Open(own.NewDatabase());
        var chain = Chains.Of(Chains.Key(1), 40, Chains.Key(2));
        store.AddRange(chain[..10]);
        await store.FlushAsync();
        own.Kill();
        store.AddRange(chain[10..]);
        Assert.Contains("tries again by itself", (await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync)).Message, StringComparison.Ordinal);
        Assert.NotNull(store.WriteFailure);
        own.Start();
        for (var tries = 0; store.WriteFailure is not null && tries < 200; tries++) await Task.Delay(50, TestContext.Current.CancellationToken);
        await store.FlushAsync();
        Assert.Equal(chain, store.All());
        Assert.Equal(chain[39], store.Latest(chain[0].PublicKey));
    }

    [Fact]
    public async Task Own_blocks_are_in_the_own_file_before_they_are_shared_and_are_brought_to_either_side()
    {
        var self = Chains.Key(1);
        var shared = (PostgresBlockStore)Open();
        var own = SqliteBlockStore.Open(_folder.At("own.db"), self.Public.Bytes, DateTimeOffset.UnixEpoch);
        _opened.Add(own);
        var store = new SharedBlockStore(own, shared, self.Public);
        var (proposals, agreements) = Work.Records(self, Chains.Key(2), [1, 2, 3]);
        Assert.True(store.Add(proposals[0]));
        Assert.Null(shared.Get(self.Public.Bytes, 1));
        await store.FlushAsync();
        Assert.Equal(proposals[0], shared.Get(self.Public.Bytes, 1));
        store.AddRange([agreements[0], .. Chains.Of(Chains.Key(3), 5, Chains.Key(4))]);
        await store.FlushAsync();
        Assert.Equal(2, own.Count);
        Assert.Equal(7, shared.Totals().Blocks);
        Assert.Equal([agreements[0]], store.LinkingTo(self.Public.Bytes, 1, 1, 10));
        Assert.Equal(agreements[0], Assert.Single(store.Naming(self.Public.Bytes)));

        // A crash between the two: what only the file has is shared at the next start.
        own.Add(proposals[1]);
        await own.FlushAsync();
        store = new SharedBlockStore(own, shared, self.Public);
        await store.FlushAsync();
        Assert.Equal(proposals[1], shared.Latest(self.Public.Bytes));

        // An older file: what only the shared place has comes back, and the node knows how long the chain was.
        var older = SqliteBlockStore.Open(_folder.At("older.db"), self.Public.Bytes, DateTimeOffset.UnixEpoch);
        _opened.Add(older);
        store = new SharedBlockStore(older, shared, self.Public);
        Assert.Equal(2u, store.SharedLength);
        Assert.Equal(proposals[..2], store.Range(self.Public.Bytes, 1, 10, 10));
        Assert.Equal(0, await store.EvictAsync(100, static _ => false));
    }

    [Theory]
    [InlineData("mysql://x/y")]
    [InlineData("postgres://")]
    [InlineData("postgres://host")]
    [InlineData("postgres://host/db?what=1")]
    public void A_wrong_address_says_what_one_looks_like(string address) =>
        Assert.Contains("It looks like postgres://", Assert.Throws<NodeStartException>(() => PostgresBlockStore.Open(address)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_server_that_is_not_there_is_named_and_a_password_is_not_shown()
    {
        var problem = Assert.Throws<NodeStartException>(() => PostgresBlockStore.Open("postgres://somebody:secret@127.0.0.1:1/none"));
        Assert.Contains("127.0.0.1:1 cannot be reached", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", problem.Message + PostgresAddress.Shown("postgres://somebody:secret@127.0.0.1:1/none"), StringComparison.Ordinal);
    }
}
