using System.Globalization;
using Polder.Graph;
using Polder.Graph.Model;
using Polder.Graph.Store;
using Polder.Graph.Sync;

namespace Polder.Tests.Graph;

/// <summary>What a raw gun peer sees of a node (vectors wire-server.json, and what gun.js does worse).</summary>
public sealed class GraphHubTests
{
    private readonly GraphWorld _world = new(11);
    private readonly SharedGraph _graph;
    private readonly GraphHub _hub;

    public GraphHubTests()
    {
        SharedGraph? graph = null;
        GraphHub? hub = null;
        _world.On(() =>
        {
            graph = _world.Graph(new GraphOptions { FrameCharactersMax = 20_000 });
            hub = new GraphHub(graph);
        });
        (_graph, _hub) = (graph!, hub!);
    }

    private RawPeer Peer(string? pid = null) => new(_world, _hub, pid);

    private static string Put(string id, string soul, string key, string value, string state = "1700000000000") =>
        $$$$$"""{"#":"{{{{{id}}}}}","put":{"{{{{{soul}}}}}":{"_":{"#":"{{{{{soul}}}}}",">":{"{{{{{key}}}}}":{{{{{state}}}}}}},"{{{{{key}}}}}":{{{{{value}}}}}}}}""";

    [Fact]
    public void The_sides_tell_each_other_who_they_are()
    {
        var peer = Peer();
        peer.Say("""{"dam":"?","pid":"peerA","#":"hs2"}""");
        var answer = Assert.Single(peer.AnswersTo("hs2"));
        Assert.Equal("?", answer.GetProperty("dam").GetString());
        Assert.Equal(_hub.PeerId, answer.GetProperty("pid").GetString());
        Assert.Equal("peerA", peer.Peer.PeerId);
        peer.Messages.Clear();
        peer.Say("""{"dam":"?","pid":"peerA","@":"x","#":"hs3"}""");
        peer.Say("""{"dam":"hi","#":"hs4"}""");
        peer.Say("""{"dam":"opt","opt":{"peers":"http://192.0.2.1/gun"},"#":"hs5"}""");
        peer.Say("""{"dam":"nonsense","#":"hs6"}""");
        peer.Say("[]");
        Assert.Empty(peer.Messages);
        peer.Say($$"""{"dam":"?","pid":"{{_hub.PeerId}}","@":"x","#":"hs7"}""");
        Assert.True(peer.IsClosed);
    }

    [Fact]
    public void Recorded_conversations_mean_the_same_here()
    {
        // Every frame that the vectors' peers sent is sent again, in their order; what must hold of our answers is checked by kind.
        foreach (var flavour in (string[])["axe", "flood"])
        {
            // One relay served all scenarios of a flavour: what one wrote another reads.
            var store = new MemoryGraphStore();
            foreach (var scenario in GunVectors.Read("wire-server").GetProperty(flavour).EnumerateArray())
            {
                var world = new GraphWorld(3);
                GraphHub? hub = null;
                world.On(() => hub = new GraphHub(world.Graph(store: store, offset: TimeSpan.FromMilliseconds((flavour == "axe" ? 1795231353230 : 1795231425020) - world.Milliseconds))));
                var peers = new Dictionary<string, RawPeer>();
                double at = 0;
                foreach (var frame in scenario.GetProperty("frames").EnumerateArray())
                {
                    if (!frame.TryGetProperty("peer", out var name) || frame.Text("dir") is "recv") continue;
                    world.Run(TimeSpan.FromMilliseconds(frame.GetProperty("ms").GetDouble() - at));
                    at = Math.Max(at, frame.GetProperty("ms").GetDouble());
                    if (!peers.TryGetValue(name.GetString()!, out var peer)) peers.Add(name.GetString()!, peer = new RawPeer(world, hub!));
                    if (frame.Text("dir") == "send") peer.Say(frame.Text("raw"));
                    else peer.Leave();
                }
                world.Run(TimeSpan.FromSeconds(3));
                // Everything that gun answered we answered, with as much data.
                foreach (var frame in scenario.GetProperty("frames").EnumerateArray())
                {
                    if (!frame.TryGetProperty("peer", out var name) || frame.Text("dir") != "recv" || !GunVectors.TryItem(frame.Text("raw"), out var got)) continue;
                    foreach (var message in got.Items.Count > 0 ? got.Items : [got])
                    {
                        if (message["@"] is not { } to || message["dam"] is not null) continue;
                        var id = to.AsText ?? to.Number.ToString(CultureInfo.InvariantCulture);
                        var ours = peers[name.GetString()!].AnswersTo(id);
                        // An id that gun made for a message that had none.
                        if (ours.Count == 0 && message["put"] is not null && id.Length == 9) continue;
                        Assert.True(ours.Count > 0, $"{flavour}, {scenario.Text("name")}: no answer to {id}");
                        if (message["ok"] is not null && scenario.Text("name") is not ("text state" or "writes that get no answer")) Assert.Contains(ours, static answer => answer.TryGetProperty("ok", out _));
                        if (message["put"] is null || scenario.Text("name") is "text state") continue;
                        var keys = ours.Where(static answer => answer.TryGetProperty("put", out _)).SelectMany(static answer => answer.GetProperty("put").EnumerateObject().SelectMany(static node => node.Value.EnumerateObject().Select(key => node.Name + " " + key.Name))).ToHashSet();
                        foreach (var (soul, node) in message["put"]!.Members)
                            foreach (var (key, _) in node.Members)
                                if (!soul.StartsWith("undefined", StringComparison.Ordinal) && scenario.Text("name") != "writes that get no answer") Assert.True(keys.Contains(soul + " " + key), $"{flavour}, {scenario.Text("name")}: {id} lacks {soul} {key}");
                    }
                }
            }
        }
    }

    [Fact]
    public void Every_write_is_answered_once()
    {
        var peer = Peer();
        peer.Say(Put("s0", "w/s", "v", "5"));
        peer.Say(Put("s1", "w/s", "v", "5"));
        peer.Say(Put("s2", "w/s", "v", "6", "1699999999999"));
        foreach (var id in (string[])["s0", "s1", "s2"]) Assert.True(Assert.Single(peer.AnswersTo(id)).GetProperty("ok").GetBoolean());
        string[] malformed =
        [
            """{"#":"s4","put":{"w/s":{"_":{"#":"w/s"},"v":1}}}""", """{"#":"s5","put":{"w/s5":{"_":{"#":"w/s5",">":{"a":1700000000000}},"a":1,"b":2}}}""",
            """{"#":"s6","put":{"w/s":{"_":{"#":"w/other",">":{"v":1700000000001}},"v":1}}}""", """{"#":"s7","put":{"w/s":{"_":{"#":"w/s",">":{"v":1700000000001}},"v":[1]}}}""",
            """{"#":"s8","put":{"w/s":{"_":{"#":"w/s",">":{"v":1700000000001}},"v":{"a":1}}}}""", """{"#":"s9","put":{"w/s":{"v":1}}}""",
            """{"#":"s10","put":{"w/s":{"_":{"#":"w/s",">":{"v":"5"}},"v":1}}}""", """{"#":"s11","put":5}""",
        ];
        foreach (var frame in malformed) peer.Say(frame);
        for (var i = 4; i <= 11; i++) Assert.True(Assert.Single(peer.AnswersTo($"s{i}")).TryGetProperty("err", out _));
        Assert.Null(_graph.Find("w/s5", "a"));
        Assert.Equal(5.0, _graph.Find("w/s", "v")!.Value.Value.AsNumber);
    }

    [Fact]
    public void A_write_from_the_future_waits_and_is_acknowledged_when_it_is_there()
    {
        var (peer, follower) = (Peer(), Peer());
        follower.Say("""{"#":"g0","get":{"#":"w/f"}}""");
        var soon = (_world.Milliseconds + 2000).ToString(CultureInfo.InvariantCulture);
        peer.Say(Put("f1", "w/f", "v", "\"later\"", soon));
        Assert.Empty(peer.AnswersTo("f1"));
        Assert.Null(_graph.Find("w/f", "v"));
        _world.Run(TimeSpan.FromSeconds(3));
        Assert.True(Assert.Single(peer.AnswersTo("f1")).GetProperty("ok").GetBoolean());
        Assert.Contains(follower.Messages, static message => message.TryGetProperty("put", out _));
        peer.Say(Put("f2", "w/f", "v", "\"never\"", (_world.Milliseconds + 25 * 3600_000.0).ToString(CultureInfo.InvariantCulture)));
        Assert.True(Assert.Single(peer.AnswersTo("f2")).TryGetProperty("err", out _));
        Assert.Equal(0, _graph.Held);
    }

    [Fact]
    public void Followers_get_changes_under_a_new_id_and_others_nothing()
    {
        var (a, b, c) = (Peer(), Peer(), Peer());
        b.Say("""{"#":"lu1","get":{"#":"w/live"}}""");
        c.Say("""{"#":"lu2","get":{"#":"w/live",".":"v"}}""");
        Assert.Single(b.AnswersTo("lu1"));
        foreach (var peer in (RawPeer[])[a, b, c]) peer.Messages.Clear();
        a.Say(Put("lu3", "w/live", "v", "1"));
        a.Say(Put("lu4", "w/live", "w", "1"));
        _world.Run(TimeSpan.FromMilliseconds(50));
        var push = Assert.Single(b.Messages, static message => message.TryGetProperty("put", out _));
        Assert.Equal(2, push.GetProperty("put").GetProperty("w/live").EnumerateObject().Count(static key => key.Name != "_"));
        Assert.NotEqual("lu3", push.GetProperty("#").GetString());
        Assert.Equal(["_", "v"], Assert.Single(c.Messages).GetProperty("put").GetProperty("w/live").EnumerateObject().Select(static key => key.Name));
        Assert.All(a.Messages, static message => Assert.False(message.TryGetProperty("put", out _)));
        b.Leave();
        b.Messages.Clear();
        a.Say(Put("lu5", "w/live", "v", "2", "1700000000001"));
        _world.Run(TimeSpan.FromMilliseconds(50));
        Assert.Empty(b.Messages);
        Assert.Equal(1, c.Peer.Following);
    }

    [Fact]
    public void Reads_are_relayed_and_answers_find_their_way_back()
    {
        var (a, b) = (Peer("pidA"), Peer("pidB"));
        a.Say("""{"#":"rr1","get":{"#":"w/remote"}}""");
        Assert.Single(a.AnswersTo("rr1"));
        Assert.Contains(b.Messages, static message => message.GetProperty("#").GetString() == "rr1" && message.TryGetProperty("get", out _));
        b.Say("""{"#":"rrB1","@":"rr1","put":{"w/remote":{"_":{"#":"w/remote",">":{"z":1700000000000}},"z":"from B"}}}""");
        Assert.Contains(a.AnswersTo("rr1"), static message => message.TryGetProperty("put", out _) && message.GetProperty("#").GetString() == "rrB1");
        Assert.True(Assert.Single(b.AnswersTo("rrB1")).GetProperty("ok").GetBoolean());
        Assert.Equal("from B", _graph.Find("w/remote", "z")!.Value.Value.AsText);
        // Whoever is named has it already.
        b.Messages.Clear();
        a.Say("""{"#":"ps1","><":"pidB","get":{"#":"w/ps"}}""");
        _world.Run(TimeSpan.FromSeconds(1));
        Assert.Empty(b.Messages);
    }

    [Fact]
    public void A_tie_in_an_answer_is_broken_as_everywhere()
    {
        var (a, b) = (Peer(), Peer());
        a.Say(Put("t0", "w/tie", "v", "\"b\""));
        b.Say("""{"#":"t1","get":{"#":"w/tie"}}""");
        a.Say("""{"#":"t2","@":"t1","put":{"w/tie":{"_":{"#":"w/tie",">":{"v":1700000000000}},"v":"a"}}}""");
        Assert.Equal("b", _graph.Find("w/tie", "v")!.Value.Value.AsText);
    }

    [Fact]
    public void Offline_edits_of_both_sides_come_in_when_they_return()
    {
        var (a, b) = (Peer("pidA"), Peer("pidB"));
        a.Say("""{"#":"h1","get":{"#":"doc"}}""");
        b.Say("""{"#":"h2","get":{"#":"doc"}}""");
        a.Say(Put("h3", "doc", "title", "\"old\""));
        a.Leave();
        b.Leave();
        // Both come back; gun.js in Node does not even ask again.
        a = Peer("pidA");
        var ask = Assert.Single(a.Messages, static message => message.TryGetProperty("get", out var get) && get.GetProperty("#").GetString() == "doc");
        b = Peer("pidB");
        a.Say($$$$$"""{"#":"h4","@":"{{{{{ask.GetProperty("#").GetString()}}}}}","put":{"doc":{"_":{"#":"doc",">":{"title":1700000000005,"list":1700000000005}},"title":"by a","list":{"#":"new"}}}}""");
        // A link to what nobody has seen is followed.
        var second = Assert.Single(a.Messages, static message => message.TryGetProperty("get", out var get) && get.GetProperty("#").GetString() == "new");
        a.Say($$$$$"""{"#":"h5","@":"{{{{{second.GetProperty("#").GetString()}}}}}","put":{"new":{"_":{"#":"new",">":{"x":1700000000005}},"x":1}}}""");
        var askB = Assert.Single(b.Messages, static message => message.TryGetProperty("get", out var get) && get.GetProperty("#").GetString() == "doc");
        b.Say($$$$$"""{"#":"h6","@":"{{{{{askB.GetProperty("#").GetString()}}}}}","put":{"doc":{"_":{"#":"doc",">":{"title":1700000000000,"body":1700000000006}},"title":"old","body":"by b"}}}""");
        _world.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("by a", _graph.Find("doc", "title")!.Value.Value.AsText);
        Assert.Equal("by b", _graph.Find("doc", "body")!.Value.Value.AsText);
        Assert.Equal(1.0, _graph.Find("new", "x")!.Value.Value.AsNumber);
        // And each gets what the other wrote.
        Assert.Contains(b.Messages, static message => message.TryGetProperty("put", out var put) && put.GetRawText().Contains("by a", StringComparison.Ordinal));
        Assert.Contains(a.Messages, static message => message.TryGetProperty("put", out var put) && put.GetRawText().Contains("by b", StringComparison.Ordinal));
        Assert.True(_hub.Counts.Healed >= 4);
    }

    [Fact]
    public void Lexical_reads_are_always_answered_and_as_they_should()
    {
        var peer = Peer();
        foreach (var name in (string[])["a", "b", "ba", "bb", "c", "d"]) peer.Say(Put("lx" + name, "lex/" + name, "v", $"\"{name}\""));
        foreach (var (name, number) in (ReadOnlySpan<(string, int)>)[("aa", 1), ("ab", 2), ("b", 3), ("ba", 4), ("c", 5), ("d", 6)]) peer.Say(Put("lk" + name, "w/lex", name, number.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal("lex/a", Souls("""{"#":{"*":"lex/"}}"""));
        Assert.Equal("lex/a lex/b lex/ba lex/bb lex/c lex/d", Souls("""{"#":{"*":"lex/"},"%":50000}"""));
        Assert.Equal("lex/b lex/ba lex/bb lex/c", Souls("""{"#":{"*":"lex/",">":"lex/b","<":"lex/c"},"%":50000}"""));
        Assert.Equal("lex/b lex/ba lex/bb lex/c", Souls("""{"#":{">":"lex/b","<":"lex/c"},"%":50000}"""));
        Assert.Equal("lex/d", Souls("""{"#":{"*":"lex/","-":1},"%":1}"""));
        Assert.Equal("", Souls("""{"#":{"*":"nothing/"},"%":50000}"""));
        Assert.Equal("", Souls("""{"*":"users/"}"""));
        Assert.Equal("aa", Keys("""{"#":"w/lex",".":{"*":"a"}}"""));
        Assert.Equal("aa ab", Keys("""{"#":"w/lex",".":{"*":"a"},"%":50000}"""));
        Assert.Equal("b ba c", Keys("""{"#":"w/lex",".":{">":"b","<":"c"},"%":50000}"""));
        Assert.Equal("aa ab b", Keys("""{"#":"w/lex",".":{"<":"b"},"%":50000}"""));
        Assert.Equal("c d", Keys("""{"#":"w/lex",".":{"*":"","-":1},"%":18}"""));

        string Souls(string get) => string.Join(' ', Nodes(get).Select(static node => node.Name));
        string Keys(string get) => string.Join(' ', Nodes(get).SelectMany(static node => node.Value.EnumerateObject()).Select(static key => key.Name).Where(static key => key != "_"));

        List<System.Text.Json.JsonProperty> Nodes(string get)
        {
            var id = RandomNames.Id(_world.Random);
            peer.Say($$"""{"#":"{{id}}","get":{{get}}}""");
            var answers = peer.AnswersTo(id);
            Assert.NotEmpty(answers);
            return [.. answers.Where(static answer => answer.TryGetProperty("put", out _)).SelectMany(static answer => answer.GetProperty("put").EnumerateObject())];
        }
    }

    [Fact]
    public void Frames_are_read_as_gun_reads_them_and_bare_words_cost_one_message()
    {
        var peer = Peer();
        peer.Say(Put("fr0", "w/get", "a", "1"));
        peer.Say("""[{"#":"fr1","get":{"#":"w/get"}},{"#":"bad","put":{"c":{"_":{"#":"c",">":{"a":-Infinity}},"a":1}}},{"#":"fr2","get":{"#":"w/get"}},{"#":"m","@":3L8teNxeC0,"ok":1}]""");
        peer.Say("""["{\"#\":\"fr3\",\"get\":{\"#\":\"w/get\"}}"]""");
        peer.Say("""{"#":55,"get":{"#":"w/get"}}""");
        foreach (var id in (string[])["fr1", "fr2", "fr3", "55"]) Assert.Single(peer.AnswersTo(id));
        Assert.Equal(System.Text.Json.JsonValueKind.Number, peer.AnswersTo("55")[0].GetProperty("@").ValueKind);
        peer.Messages.Clear();
        foreach (var frame in (string[])[" {\"#\":\"fr7\",\"get\":{\"#\":\"w/get\"}}", "garbage", "", "5", "{\"#\":\"fr8\",\"get\":{\"#\":\"w/get\""]) peer.Say(frame);
        Assert.Empty(peer.Messages);
        // An id twice: no answer, until it is forgotten.
        peer.Say("""{"#":"fr1","get":{"#":"w/get"}}""");
        Assert.Empty(peer.Messages);
        _world.Run(TimeSpan.FromSeconds(30));
        peer.Say("""{"#":"fr1","get":{"#":"w/get"}}""");
        Assert.Single(peer.AnswersTo("fr1"));
        peer.Say(Put("big", "w/big", "v", "\"" + new string('x', 30_000) + "\""));
        Assert.Contains(peer.Messages, static message => message.TryGetProperty("err", out var error) && error.GetString() == "Message too big!");
    }

    [Fact]
    public void Souls_named_like_the_prototype_are_kept_and_not_passed_on()
    {
        var (a, b) = (Peer(), Peer());
        b.Say("""{"#":"p0","get":{"#":{"*":""},"%":1000}}""");
        b.Messages.Clear();
        foreach (var name in (string[])["constructor", "__proto__", "toString"])
        {
            a.Say(Put("p" + name, name, "v", "1"));
            Assert.True(Assert.Single(a.AnswersTo("p" + name)).GetProperty("ok").GetBoolean());
            a.Say($$$"""{"#":"g{{{name}}}","get":{"#":"{{{name}}}"}}""");
            Assert.True(Assert.Single(a.AnswersTo("g" + name)).TryGetProperty("put", out _));
        }
        _world.Run(TimeSpan.FromSeconds(1));
        Assert.Empty(b.Messages);
    }

    [Fact]
    public void An_answer_that_is_there_already_is_left_out()
    {
        var peer = Peer();
        peer.Say(Put("hs0", "w/get", "a", "1"));
        peer.Say("""{"#":"hs1","get":{"#":"w/get",".":"a"}}""");
        var hash = peer.AnswersTo("hs1")[0].GetProperty("##").GetInt32();
        Assert.Equal(-1176450797, hash);
        peer.Say($$$"""{"#":"hs2","##":{{{hash}}},"get":{"#":"w/get",".":"a"}}""");
        Assert.Empty(peer.AnswersTo("hs2"));
        peer.Say($$$"""{"#":"hs3","##":{{{hash + 1}}},"get":{"#":"w/get",".":"a"}}""");
        Assert.Single(peer.AnswersTo("hs3"));
    }

    [Fact]
    public void A_stranger_from_elsewhere_writes_at_a_bounded_rate()
    {
        var world = new GraphWorld(5);
        GraphHub? hub = null;
        world.On(() => hub = new GraphHub(world.Graph(new GraphOptions { WrittenPerSecondMax = 10 })));
        var peer = new RawPeer(world, hub!) { IsLocal = false };
        for (var i = 0; i < 100; i++) peer.Say(Put("r" + RandomNames.Id(world.Random), "w", "k" + i, "1"));
        Assert.Contains(peer.Messages, static message => message.TryGetProperty("err", out _));
        Assert.True(hub!.Graph.Store.CountKeys("w") < 50);
    }

    [Fact]
    public void What_strangers_bring_makes_room_for_newer_and_what_is_ours_stays()
    {
        var world = new GraphWorld(8);
        GraphHub? hub = null;
        world.On(() => hub = new GraphHub(world.Graph(new GraphOptions { GuestBytesMax = 5_000, WrittenPerSecondMax = 1_000_000 })));
        var (own, stranger) = (new RawPeer(world, hub!), new RawPeer(world, hub!) { IsLocal = false });
        own.Say(Put("o" + RandomNames.Id(world.Random), "w", "ours", "1"));
        for (var i = 0; i < 500; i++)
        {
            stranger.Say(Put("r" + RandomNames.Id(world.Random), "w", "k" + i, "1", $"{1700000000001 + i}"));
            Assert.True(hub!.Graph.Store.GuestBytes <= 5_500);
        }
        Assert.NotNull(hub!.Graph.Find("w", "ours"));
        Assert.NotNull(hub.Graph.Find("w", "k499"));
        Assert.Null(hub.Graph.Find("w", "k0"));
        Assert.True(hub.Graph.Evicted > 200);
        // What had to go is not taken again: a peer that still has it would bring it back for ever.
        stranger.Say(Put("again0001", "w", "k0", "1", "1700000000001"));
        Assert.Contains("Older", stranger.AnswersTo("again0001")[0].GetProperty("err").GetString(), StringComparison.Ordinal);
        Assert.Null(hub.Graph.Find("w", "k0"));
    }

    [Fact]
    public void Older_writes_are_history_where_it_is_asked_for_and_never_win()
    {
        var world = new GraphWorld(10);
        var graph = world.Graph(new GraphOptions { HistoryOf = ["doc"] });
        foreach (var (soul, state, value) in new[] { ("doc", 5.0, "now"), ("doc", 3.0, "late arrival"), ("doc", 7.0, "newest"), ("doc", 5.0, "now"), ("other", 5.0, "now"), ("other", 7.0, "newest") })
            world.On(() => graph.Merge([new GraphWrite(soul, "k", state, value)], null, static _ => { }));
        Assert.Equal("newest", graph.Find("doc", "k")!.Value.Value.AsText);
        Assert.Equal([new GraphEntry(5, "now"), new GraphEntry(3, "late arrival")], graph.Store.History("doc", "k"));
        Assert.Empty(graph.Store.History("other", "k"));
    }

    [Fact]
    public void Whoever_is_asked_back_gets_newer_values_of_what_it_holds_and_no_keys_that_it_did_not_ask_for()
    {
        var world = new GraphWorld(11);
        GraphHub? hub = null;
        world.On(() => hub = new GraphHub(world.Graph()));
        var peer = new RawPeer(world, hub!);
        foreach (var key in new[] { "asked", "held", "other" }) peer.Say(Put("w" + RandomNames.Id(world.Random), "n", key, "5"));
        var client = new RawPeer(world, hub!, "client");
        client.Say("""{"#":"c00000001","get":{"#":"n",".":"asked"}}""");
        var question = client.Messages.Single(static message => message.TryGetProperty("get", out var get) && !get.TryGetProperty(".", out _)).GetProperty("#").GetString();
        client.Messages.Clear();
        client.Say($$$$"""{"#":"c00000002","@":"{{{{question}}}}","put":{"n":{"_":{"#":"n",">":{"held":1}},"held":1}}}""");
        var back = client.Messages.Single(static message => message.TryGetProperty("put", out _)).GetProperty("put").GetProperty("n");
        Assert.Equal(5, back.GetProperty("held").GetInt32());
        Assert.True(back.TryGetProperty("asked", out _));
        Assert.False(back.TryGetProperty("other", out _));
    }

    [Fact]
    public void One_key_brings_only_so_much_a_day_and_addresses_share_a_rate()
    {
        var world = new GraphWorld(9);
        GraphHub? hub = null;
        world.On(() => hub = new GraphHub(world.Graph(new GraphOptions { KeyCharactersPerDayMax = 2_000 })));
        var (pair, other) = (Polder.Graph.Sea.SeaPair.Create(world.Random), world.Graph());
        world.On(() =>
        {
            for (var i = 0; i < 30; i++) _ = other.As(pair)["p"].PutAsync("k" + i, "v");
        });
        world.Settle();
        var writes = new List<GraphWrite>();
        other.Walk($"~{pair.Pub}/p", "", false, (key, entry) =>
        {
            writes.Add(new GraphWrite($"~{pair.Pub}/p", key, entry.State, entry.Value));
            return true;
        });
        var stranger = new RawPeer(world, hub!) { IsLocal = false };
        world.On(() => hub!.Graph.Merge(writes, stranger.Peer, static _ => { }));
        world.Settle();
        Assert.InRange(hub!.Graph.Store.CountKeys($"~{pair.Pub}/p"), 1, 15);
        // The owner's own programs are not held up.
        world.On(() => hub.Graph.Merge(writes, new RawPeer(world, hub).Peer, static _ => { }));
        world.Settle();
        Assert.Equal(30, hub.Graph.Store.CountKeys($"~{pair.Pub}/p"));
    }

    [Fact]
    public void A_large_node_is_answered_in_slices()
    {
        var world = new GraphWorld(6);
        SharedGraph? graph = null;
        GraphHub? hub = null;
        world.On(() =>
        {
            graph = world.Graph(new GraphOptions { AnswerCharactersMax = 2000 });
            hub = new GraphHub(graph);
            graph.Merge([.. Enumerable.Range(0, 500).Select(static i => new GraphWrite("big", $"k{i}", 1700000000000, GraphValue.Of(i)))], null, static _ => { });
        });
        var peer = new RawPeer(world, hub!);
        peer.Say("""{"#":"b1","get":{"#":"big"}}""");
        var slices = peer.AnswersTo("b1");
        Assert.True(slices.Count > 5);
        Assert.Equal(500, slices.Sum(static slice => slice.GetProperty("put").GetProperty("big").EnumerateObject().Count() - 1));
        for (var i = 0; i + 1 < slices.Count; i++) Assert.Equal(slices[i].GetProperty("%").GetString(), slices[i + 1].GetProperty("#").GetString());
    }
}
