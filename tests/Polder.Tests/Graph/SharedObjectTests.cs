using System.Text;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Shared;
using Polder.Graph.Sync;
using Polder.Runtime;

namespace Polder.Tests.Graph;

/// <summary>Shared objects: a copy for each author, merged by whoever reads; counters, sets, texts, groups, trust, recovery on top.</summary>
public sealed class SharedObjectTests
{
    private readonly GraphWorld _world = new(7);
    private readonly SharedGraph _graph;
    private readonly SeaPair _ada, _bob, _eve;

    public SharedObjectTests()
    {
        _graph = _world.Graph();
        (_ada, _bob, _eve) = (SeaPair.Create(_world.Random), SeaPair.Create(_world.Random), SeaPair.Create(_world.Random));
    }

    private IEnumerable<string> AdaAndBob() => [_ada.Pub, _bob.Pub];

    private SharedObject As(SeaPair? who, string name = "page", Func<IEnumerable<string>>? trusted = null) => new(_graph, name, who, trusted ?? AdaAndBob);

    /// <summary>Runs what awaits the loop and the workers.</summary>
    private T Do<T>(Func<Task<T>> work)
    {
        Task<T>? task = null;
        _world.On(() => task = work());
        _world.Run(TimeSpan.FromSeconds(1));
        return task!.GetAwaiter().GetResult();
    }

    private void Do(Func<Task> work) => Do(async () =>
    {
        await work();
        return true;
    });

    [Fact]
    public void The_latest_word_of_a_trusted_author_counts_and_a_stranger_is_not_heard()
    {
        Do(() => As(_ada).PutAsync("title", "by Ada"));
        Do(() => As(_bob).PutAsync("title", "by Bob"));
        Do(() => As(_eve).PutAsync("title", "by Eve"));
        Assert.Equal("by Bob", As(null).Get("title")!.Value.AsText);
        Assert.Equal("by Ada", As(null, trusted: () => [_ada.Pub]).Get("title")!.Value.AsText);
        Assert.Equal("by Eve", As(_eve).Get("title")!.Value.AsText);
        Do(() => As(_ada).PutAsync("title", GraphValue.Null));
        Assert.Null(As(null).Get("title"));
        Assert.Empty(As(null).GetAll());
    }

    [Fact]
    public void Who_may_write_is_the_owners_word()
    {
        var may = new Permissions(_graph, _ada.Pub, "page");
        Do(() => may.AllowAsync(_ada, _bob.Pub));
        Do(() => As(_bob).PutAsync("title", "by Bob"));
        var reader = As(null, trusted: may.Writers);
        Assert.Equal("by Bob", reader.Get("title")!.Value.AsText);
        Do(() => may.RevokeAsync(_ada, _bob.Pub));
        Assert.Null(reader.Get("title"));
        Assert.Throws<ArgumentException>(() => Do(() => may.AllowAsync(_eve, _eve.Pub)));
    }

    [Fact]
    public void A_counter_loses_no_step_however_many_are_made_at_once()
    {
        var (ada, bob) = (new SharedCounter(As(_ada)), new SharedCounter(As(_bob)));
        _world.On(() =>
        {
            for (var i = 0; i < 50; i++) (_, _) = (ada.AddAsync(), bob.AddAsync(-0.5));
        });
        Do(() => new SharedCounter(As(_eve)).AddAsync(1000));
        Assert.Equal(25, ada.Value);
        Assert.Equal(-25, ada.Of(_bob.Pub));
    }

    [Fact]
    public void A_set_takes_the_latest_word_on_each_member()
    {
        var (ada, bob) = (new SharedSet(As(_ada)), new SharedSet(As(_bob)));
        Do(() => ada.AddAsync("milk"));
        Do(() => ada.AddAsync(5.0));
        Do(() => bob.RemoveAsync("milk"));
        Assert.Equal([GraphValue.Of(5)], ada.Items);
        Do(() => ada.AddAsync("milk"));
        Assert.True(bob.Contains("milk"));
    }

    [Fact]
    public void A_text_edited_by_one_is_what_a_plain_text_would_be()
    {
        var random = Prng.Derive(Fuzz.Seed, "text of one");
        var (text, plain) = (new SharedText(As(_ada)), "");
        for (var i = 0; i < 60; i++)
        {
            if (plain.Length > 0 && random.Chance(0.35))
            {
                var at = random.Next(plain.Length);
                var count = random.Next(1, Math.Min(6, plain.Length - at));
                Do(() => text.DeleteAsync(at, count));
                plain = plain.Remove(at, count);
            }
            else
            {
                var (at, typed) = (random.Next(plain.Length + 1), new string((char)('a' + random.Next(26)), random.Next(1, 4)) + random.Next(10));
                Do(() => text.InsertAsync(at, typed));
                plain = plain.Insert(at, typed);
            }
            Assert.True(plain == text.Value, $"seed {Fuzz.Seed}, step {i}: {plain} / {text.Value}");
        }
    }

    [Fact]
    public void Texts_edited_apart_come_together_the_same_and_no_words_are_mixed()
    {
        for (var round = 0; round < 20; round++)
        {
            var world = new GraphWorld(Prng.DeriveSeed(Fuzz.Seed, "texts" + round));
            var (one, other) = (world.Graph(), world.Graph());
            var (ada, bob) = (new SharedText(new SharedObject(one, "t", _ada, AdaAndBob)), new SharedText(new SharedObject(other, "t", _bob, AdaAndBob)));
            for (var step = 0; step < 4; step++)
            {
                world.On(() =>
                {
                    foreach (var (text, letter) in new[] { (ada, 'a'), (bob, 'b') })
                    {
                        var length = text.Value.Length;
                        if (length > 4 && world.Random.Chance(0.4)) _ = text.DeleteAsync(world.Random.Next(length - 2), 2);
                        else _ = text.InsertAsync(world.Random.Next(length + 1), new string(letter, 3) + step);
                    }
                });
                world.Run(TimeSpan.FromSeconds(1));
                if (world.Random.Chance(0.5)) Exchange(world, one, other);
            }
            world.On(() => _ = ada.InsertAsync(0, "[ada]"));
            world.On(() => _ = bob.InsertAsync(0, "[bob]"));
            world.Run(TimeSpan.FromSeconds(1));
            Exchange(world, other, one);
            Exchange(world, one, other);
            Assert.True(ada.Value == bob.Value, $"seed {Fuzz.Seed}, round {round}: {ada.Value} / {bob.Value}");
            Assert.Contains("[ada]", ada.Value, StringComparison.Ordinal);
            Assert.Contains("[bob]", ada.Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_text_survives_what_an_author_may_write()
    {
        var text = new SharedText(As(_ada));
        Do(() => text.InsertAsync(0, "good"));
        var site = _bob.Pub[..16];
        foreach (var (key, value) in new[] { ("i/", "::x"), ($"i/1.{site}", "x"), ($"i/2.{site}", $"2.{site}:0:self"), ($"i/3.{site}", $"4.{site}:0:a"), ($"i/4.{site}", $"3.{site}:0:b"),
            ($"i/99999999999999999999.{site}", "::x"), ($"i/5.{_ada.Pub[..16]}", "::in her name"), ($"i/6.{site}", "none:999999:x"), ("d/x", "y"), ($"d/1.{_ada.Pub[..16]}/2-9999999999", "1"), ($"i/7.{site}", ":5:") })
            Do(() => As(_bob).PutAsync(key, value));
        Do(() => As(_bob).PutAsync($"d/1.{_ada.Pub[..16]}/2-2", true));
        Assert.Equal("go", text.Value);
        Fuzz.Run("SharedText", [Encoding.UTF8.GetBytes($"i/2.{site}\n1.{_ada.Pub[..16]}:1:abc"), Encoding.UTF8.GetBytes($"d/1.{_ada.Pub[..16]}/0-3\n1")], bytes =>
        {
            var world = new GraphWorld(1);
            var graph = world.Graph();
            var parts = Encoding.UTF8.GetString(bytes).Split('\n');
            if (parts.Length < 2 || parts[0].Length > 1000) return;
            world.On(() => _ = new SharedObject(graph, "page", _bob, AdaAndBob).PutAsync(parts[0] is "" or "_" ? "k" : parts[0], parts[1]));
            _ = new SharedText(new SharedObject(graph, "page", null, AdaAndBob)).Value;
        }, allocationFactor: 100_000);
    }

    [Fact]
    public void Who_is_removed_from_a_group_reads_nothing_that_is_written_from_then_on()
    {
        var (ada, bob, eve) = (new Group(_graph, _ada.Pub, "club", _ada), new Group(_graph, _ada.Pub, "club", _bob), new Group(_graph, _ada.Pub, "club", _eve));
        Do(() => ada.AddAsync(_bob.Pub, _bob.EncryptionPub));
        Do(() => ada.AddAsync(_eve.Pub, _eve.EncryptionPub));
        var before = bob.Encrypt("for all three")!;
        Assert.Equal("for all three", eve.Decrypt(before));
        Do(() => ada.RemoveAsync(_eve.Pub));
        var after = bob.Encrypt("for the two of us")!;
        Assert.Equal(2, bob.Epoch);
        Assert.Equal("for the two of us", ada.Decrypt(after));
        Assert.Null(eve.Decrypt(after));
        Assert.Null(eve.Encrypt("x"));
        Assert.Equal("for all three", eve.Decrypt(before));
        Assert.Equal(new[] { _ada.Pub, _bob.Pub }.Order(StringComparer.Ordinal), ada.Members().Order(StringComparer.Ordinal));
        Assert.Throws<InvalidOperationException>(() => Do(() => eve.AddAsync(_eve.Pub, _eve.EncryptionPub)));
    }

    [Fact]
    public void A_name_is_looked_up_over_those_whom_one_knows()
    {
        var (carol, dave) = (SeaPair.Create(_world.Random), SeaPair.Create(_world.Random));
        var web = new TrustWeb(_graph, _ada.Pub);
        Do(() => web.SayAsync(_ada, _bob.Pub, "Bob"));
        Do(() => new TrustWeb(_graph, _bob.Pub).SayAsync(_bob, carol.Pub, "Carol"));
        Do(() => new TrustWeb(_graph, _eve.Pub).SayAsync(_eve, _eve.Pub, "Carol"));
        var found = Assert.Single(web.Find("carol"));
        Assert.Equal((carol.Pub, 2), (found.Pub, found.Distance));
        Assert.Equal([_bob.Pub], found.Introducers);
        Assert.Empty(web.Find("Dave"));
        // Those who know disagree: the asker sees both.
        Do(() => web.SayAsync(_ada, dave.Pub, "Dave"));
        Do(() => new TrustWeb(_graph, dave.Pub).SayAsync(dave, _eve.Pub, "Carol"));
        Assert.Equal(2, web.Find("Carol").Count);
        Assert.Equal([_ada.Pub, _bob.Pub, dave.Pub], web.Trusted().Order(StringComparer.Ordinal).OrderBy(pub => pub == _ada.Pub ? 0 : pub == _bob.Pub ? 1 : 2));
        Do(() => web.WithdrawAsync(_ada, _bob.Pub));
        Assert.Equal(_eve.Pub, Assert.Single(web.Find("Carol")).Pub);
    }

    [Fact]
    public void Any_three_of_five_open_an_account_and_two_do_not()
    {
        var shares = Do(() => Recovery.CreateAsync(_graph, _ada, needed: 3, count: 5));
        for (var one = 0; one < 5; one++)
            for (var two = one + 1; two < 5; two++)
            {
                Assert.Null(Recovery.Open(_graph, _ada.Pub, [shares[one], shares[two], shares[one]], out var problem));
                Assert.Equal("3 different shares are needed, 2 are here.", problem);
                for (var three = two + 1; three < 5; three++) Assert.Equal(_ada, Recovery.Open(_graph, _ada.Pub, [shares[three], " " + shares[one], shares[two] + "\n"], out _));
            }
        var slip = shares[0][..^4] + (shares[0][^4] == 'A' ? 'B' : 'A') + shares[0][^3..];
        Assert.Null(Recovery.Open(_graph, _ada.Pub, [slip, shares[1], shares[2]], out var wrong));
        Assert.Contains("a character of it is wrong", wrong, StringComparison.Ordinal);
        var later = Do(() => Recovery.CreateAsync(_graph, _ada, needed: 2, count: 3));
        Assert.Null(Recovery.Open(_graph, _ada.Pub, [shares[0], shares[1], shares[2]], out var old));
        Assert.Contains("earlier split", old, StringComparison.Ordinal);
        Assert.NotNull(Recovery.Open(_graph, _ada.Pub, [later[0], later[2]], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => Do(() => Recovery.CreateAsync(_graph, _ada, needed: 1, count: 3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Do(() => Recovery.CreateAsync(_graph, _ada, needed: 4, count: 3)));
    }

    private static void Exchange(GraphWorld world, SharedGraph from, SharedGraph to)
    {
        var writes = new List<GraphWrite>();
        from.Store.WalkSouls("", false, soul =>
        {
            from.Walk(soul, "", false, (key, entry) =>
            {
                writes.Add(new GraphWrite(soul, key, entry.State, entry.Value));
                return true;
            });
            return true;
        });
        world.On(() => to.Merge(writes, null, static _ => { }));
        world.Run(TimeSpan.FromSeconds(1));
    }
}
