using Polder.Apps.Bundles.Stores;
using Polder.Node.Bundles;
using Polder.Node.Runtime;

namespace Polder.Tests.Apps.Bundles;

/// <summary>What every mail store keeps to: the same tests over each.</summary>
public abstract class MailStoreContract : IAsyncLifetime
{
    private readonly ThreadLoop _loop = new();

    private protected ThreadLoop Loop => _loop;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A store on what was kept so far.</summary>
    protected abstract IMailStore Open();

    /// <summary>The node dies: what was not flushed is gone.</summary>
    protected abstract void Kill(IMailStore store);

    /// <summary>From now on the disk refuses, or takes again.</summary>
    protected abstract void Refuse(IMailStore store, bool refuses);

    private protected Task<T> OnLoop<T>(Func<Task<T>> work) => _loop.InvokeAsync(work);

    private protected Task OnLoop(Func<Task> work) => _loop.InvokeAsync(async () =>
    {
        await work();
        return true;
    });

    private static byte[] Bytes(params byte[] bytes) => bytes;

    [Fact]
    public async Task What_was_flushed_is_there_after_a_crash_and_what_was_not_is_not()
    {
        var store = Open();
        await OnLoop(async () =>
        {
            store.Put(MailShelf.Own, Bytes(1), Bytes(10));
            store.Put(MailShelf.Sealed, Bytes(1), new byte[100_000]);
            store.Put(MailShelf.Own, Bytes(2), Bytes(20));
            await store.FlushAsync();
            store.Put(MailShelf.Own, Bytes(1), Bytes(11));
            store.Remove(MailShelf.Own, Bytes(2));
            await store.FlushAsync();
            store.Put(MailShelf.Own, Bytes(3), Bytes(30));
            // Seen at once, though not safe.
            Assert.Equal(Bytes(30), store.Read(MailShelf.Own, Bytes(3)));
        });
        Kill(store);
        var again = Open();
        await OnLoop(() =>
        {
            var thing = Assert.Single(again.Load(), thing => thing.Key[0] < 3);
            Assert.Equal((MailShelf.Own, Bytes(1), Bytes(11)), (thing.Shelf, thing.Key, thing.Value), new ThingComparer());
            Assert.Equal(100_000, again.Read(MailShelf.Sealed, Bytes(1))!.Length);
            Assert.Null(again.Read(MailShelf.Own, Bytes(2)));
            return Task.CompletedTask;
        });
        Kill(again);
    }

    [Fact]
    public async Task A_disk_that_refuses_is_told_and_tried_again()
    {
        var store = Open();
        await OnLoop(async () =>
        {
            Refuse(store, true);
            store.Put(MailShelf.Notes, Bytes(1), Bytes(1));
            await Assert.ThrowsAnyAsync<IOException>(store.FlushAsync);
            Assert.Equal(Bytes(1), store.Read(MailShelf.Notes, Bytes(1)));
            Refuse(store, false);
            await store.FlushAsync();
        });
        Kill(store);
        var again = Open();
        await OnLoop(() =>
        {
            Assert.Equal(Bytes(1), again.Read(MailShelf.Notes, Bytes(1)));
            return Task.CompletedTask;
        });
        Kill(again);
    }

    [Fact]
    public async Task Many_changes_come_back_in_the_order_of_shelves_and_keys()
    {
        var store = Open();
        await OnLoop(async () =>
        {
            for (var i = 255; i >= 0; i--) store.Put(i % 2 == 0 ? MailShelf.Received : MailShelf.Carried, Bytes((byte)i), Bytes((byte)i));
            await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => store.FlushAsync()));
            var things = store.Load().ToList();
            Assert.Equal(256, things.Count);
            Assert.Equal(things.OrderBy(thing => thing.Shelf).ThenBy(thing => thing.Key[0]).Select(thing => thing.Value[0]), things.Select(thing => thing.Value[0]));
            Assert.Equal(128, things.Count(thing => thing.Shelf == MailShelf.Carried));
        });
        Kill(store);
    }

    private sealed class ThingComparer : IEqualityComparer<(MailShelf, byte[], byte[])>
    {
        public bool Equals((MailShelf, byte[], byte[]) x, (MailShelf, byte[], byte[]) y) => x.Item1 == y.Item1 && x.Item2.AsSpan().SequenceEqual(y.Item2) && x.Item3.AsSpan().SequenceEqual(y.Item3);
        public int GetHashCode((MailShelf, byte[], byte[]) thing) => (int)thing.Item1;
    }
}

public sealed class MemoryMailStoreTests : MailStoreContract
{
    private readonly MailPlatter _platter = new();
    private bool _refuses;

    protected override IMailStore Open() => new MemoryMailStore(_platter, async records =>
    {
        await Task.Yield();
        return _refuses ? throw new IOException("refused") : records;
    });

    protected override void Kill(IMailStore store) { }

    protected override void Refuse(IMailStore store, bool refuses) => _refuses = refuses;
}

public sealed class SqliteMailStoreTests : MailStoreContract
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-test-").FullName;
    private readonly List<SqliteMailStore> _open = [];

    private string Live => Path.Combine(_folder, "mail.db");

    public override async ValueTask DisposeAsync()
    {
        foreach (var store in _open) store.Dispose();
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override IMailStore Open()
    {
        var store = SqliteMailStore.Open(Live, Loop, DateTimeOffset.UnixEpoch);
        _open.Add(store);
        return store;
    }

    // The files as they are at this moment are what a process leaves that is killed now.
    protected override void Kill(IMailStore store)
    {
        var copy = Directory.CreateTempSubdirectory("polder-test-").FullName;
        foreach (var file in Directory.GetFiles(_folder)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        ((SqliteMailStore)store).Dispose();
        _open.Remove((SqliteMailStore)store);
        foreach (var file in Directory.GetFiles(_folder)) File.Delete(file);
        foreach (var file in Directory.GetFiles(copy)) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        Directory.Delete(copy, recursive: true);
    }

    protected override void Refuse(IMailStore store, bool refuses) => ((SqliteMailStore)store).BeforeCommit = refuses ? () => throw new IOException("refused") : null;

    [Fact]
    public async Task A_damaged_database_is_put_aside_and_the_node_starts()
    {
        await File.WriteAllBytesAsync(Live, [.. "SQLite format 3\0"u8, .. new byte[5000]], TestContext.Current.CancellationToken);
        var store = (SqliteMailStore)Open();
        Assert.NotNull(store.SetAside);
        Assert.True(File.Exists(store.SetAside));
        await OnLoop(async () =>
        {
            store.Put(MailShelf.Own, new byte[] { 1 }, new byte[] { 1 });
            await store.FlushAsync();
        });
    }
}
