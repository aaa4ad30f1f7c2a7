using Polder.Graph.Model;
using Polder.Graph.Store;
using Polder.Node.Graph;
using Polder.Node.Runtime;
using Polder.Runtime;

namespace Polder.Tests.Graph.Host;

/// <summary>What every graph store promises.</summary>
public abstract class GraphStoreContract
{
    protected abstract IGraphStore Open();

    /// <summary>The same store after the process was killed and started again.</summary>
    protected abstract IGraphStore Reopen(IGraphStore store);

    /// <summary>Stores are used on a loop.</summary>
    protected virtual Task OnLoopAsync(Func<Task> work) => work();

    [Fact]
    public Task What_was_written_is_found_at_once_and_after_a_restart_if_it_was_flushed() => OnLoopAsync(async () =>
    {
        var store = Open();
        Assert.Null(store.Find("s", "k"));
        store.Write(new GraphWrite("s", "k", 1702151734629.0051, "v"));
        store.Write(new GraphWrite("s", "\ud800", -5, GraphValue.LinkTo("é😀")));
        store.Hold(new GraphWrite("h", "k", 9e12, 1.5));
        store.Touch("pid", "s");
        Assert.Equal(new GraphEntry(1702151734629.0051, "v"), store.Find("s", "k"));
        Assert.Equal(["s"], store.Touched("pid", 10));
        await store.FlushAsync();
        store.Remove("s", "nothing");
        store = Reopen(store);
        Assert.Equal(new GraphEntry(1702151734629.0051, "v"), store.Find("s", "k"));
        Assert.Equal(new GraphEntry(-5, GraphValue.LinkTo("é😀")), store.Find("s", "\ud800"));
        Assert.Equal(new GraphWrite("h", "k", 9e12, 1.5), Assert.Single(store.Held()));
        Assert.Equal(["s"], store.Touched("pid", 10));
        Assert.Equal(2, store.CountKeys("s"));
        store.Release(new GraphWrite("h", "k", 9e12, 1.5));
        store.Remove("s", "k");
        Assert.Null(store.Find("s", "k"));
        await store.FlushAsync();
        Assert.Empty(store.Held());
        Assert.Null(store.Find("s", "k"));
    });

    [Fact]
    public Task Of_others_the_lowest_rank_and_oldest_is_named_first_and_a_place_of_the_owner_stays_it() => OnLoopAsync(async () =>
    {
        var store = Open();
        store.Write(new GraphWrite("own", "k", 5, "mine"));
        store.Write(new GraphWrite("own", "k", 6, "overwritten by a stranger"), GraphRank.Stranger);
        store.Write(new GraphWrite("s", "new", 7, "x"), GraphRank.Stranger);
        store.Write(new GraphWrite("s", "old", -3, "x"), GraphRank.Stranger);
        store.Write(new GraphWrite("s", "friend", -9, "x"), GraphRank.Contact);
        store.Write(new GraphWrite("s", "taken over", 1, "x"), GraphRank.Stranger);
        await store.FlushAsync();
        store.Write(new GraphWrite("s", "taken over", 2, "mine now"));
        store.Write(new GraphWrite("s", "old", -2, "again"), GraphRank.Stranger);
        await store.FlushAsync();
        store = Reopen(store);
        Assert.Equal([("s", "old", -2, GraphRank.Stranger), ("s", "new", 7, GraphRank.Stranger), ("s", "friend", -9, GraphRank.Contact)], store.Evictable(10));
        Assert.Equal(new[] { new GraphWrite("s", "old", -2, "again"), new GraphWrite("s", "new", 7, "x"), new GraphWrite("s", "friend", -9, "x") }.Sum(static write => (long)write.Weight), store.GuestBytes);
        store.Remove("s", "old");
        await store.FlushAsync();
        Assert.Equal(2, store.Evictable(10).Count);
        Assert.Equal(new GraphEntry(6, "overwritten by a stranger"), store.Find("own", "k"));
    });

    [Fact]
    public Task History_is_given_latest_first_and_bounded() => OnLoopAsync(async () =>
    {
        var store = Open();
        for (var i = 0; i < IGraphStore.HistoryMax + 20; i++) store.Archive(new GraphWrite("s", "k", i - 50, (double)i));
        store.Archive(new GraphWrite("s", "k", 69, 119.0));
        await store.FlushAsync();
        store = Reopen(store);
        var history = store.History("s", "k");
        Assert.Equal(IGraphStore.HistoryMax, history.Count);
        Assert.Equal(new GraphEntry(69, 119.0), history[0]);
        Assert.Equal(new GraphEntry(-30, 20.0), history[^1]);
        Assert.Empty(store.History("s", "other"));
    });

    [Fact]
    public Task Walks_go_in_order_of_code_units_in_both_directions_with_what_is_not_flushed() => OnLoopAsync(async () =>
    {
        var store = Open();
        string[] names = ["", "A", "_", "a", "aa", "b", "é", "\ud800", "😀", "\uffee", "\ue000"];
        var random = new Prng(3);
        foreach (var (i, name) in names.Index())
        {
            store.Write(new GraphWrite("s", name, 1, name));
            store.Write(new GraphWrite("soul" + name, "k", 1, name));
            if (i % 3 == 0) await store.FlushAsync();
            if (i == 5) store.Write(new GraphWrite("s", "a", 2, "again"));
        }
        for (var i = 0; i < 600; i++) store.Write(new GraphWrite("many", $"{i:000}", 1, (double)i));
        await store.FlushAsync();
        for (var i = 500; i < 700; i++) store.Write(new GraphWrite("many", $"{i:000}", 2, (double)i));
        store.Remove("many", "300");
        var expected = names.Order(StringComparer.Ordinal).ToList();
        Assert.Equal(expected, Keys("s", "", false));
        Assert.Equal(expected.AsEnumerable().Reverse(), Keys("s", "", true));
        Assert.Equal(expected.Where(static name => string.CompareOrdinal(name, "aa") >= 0), Keys("s", "aa", false));
        Assert.Equal(expected.Where(static name => string.CompareOrdinal(name, "aa") >= 0).Reverse(), Keys("s", "aa", true));
        Assert.Equal(699, Keys("many", "", false).Count);
        Assert.Equal(Keys("many", "", false).AsEnumerable().Reverse(), Keys("many", "", true));
        var souls = new List<string>();
        store.WalkSouls("soul", false, soul => { souls.Add(soul); return true; });
        Assert.Equal(expected.Select(static name => "soul" + name), souls);
        souls.Clear();
        store.WalkSouls("soul", true, soul => { souls.Add(soul); return souls.Count < 3; });
        Assert.Equal(expected.Select(static name => "soul" + name).Reverse().Take(3), souls);

        List<string> Keys(string soul, string from, bool backwards)
        {
            var keys = new List<string>();
            store.Walk(soul, from, backwards, (key, _) => { keys.Add(key); return true; });
            return keys;
        }
    });
}

public sealed class MemoryGraphStoreTests : GraphStoreContract
{
    protected override IGraphStore Open() => new MemoryGraphStore();
    protected override IGraphStore Reopen(IGraphStore store) => store;
}

public sealed class SqliteGraphStoreTests : GraphStoreContract, IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polder-graph-").FullName;
    private readonly ThreadLoop _loop = new();
    private SqliteGraphStore? _store;

    protected override Task OnLoopAsync(Func<Task> work) => _loop.InvokeAsync(async () =>
    {
        await work();
        return true;
    });

    protected override IGraphStore Open() => _store = SqliteGraphStore.Open(Path.Combine(_folder, "graph.db"), _loop);

    // Another connection to the same file sees what was committed, and nothing else.
    protected override IGraphStore Reopen(IGraphStore store)
    {
        ((SqliteGraphStore)store).Dispose();
        return Open();
    }

    [Fact]
    public async Task A_damaged_file_is_set_aside()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "graph.db"), new string('x', 5000), TestContext.Current.CancellationToken);
        await OnLoopAsync(() =>
        {
            Assert.Null(Open().Find("s", "k"));
            return Task.CompletedTask;
        });
        Assert.True(File.Exists(Path.Combine(_folder, "graph.db.damaged")));
    }

    public async ValueTask DisposeAsync()
    {
        _store?.StopWriting();
        await _loop.DisposeAsync();
        _store?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
