using Polder.Apps.Graphs;
using Polder.Graph;
using Polder.Graph.Exchange;
using Polder.Graph.Model;
using Polder.Runtime;

namespace Polder.Tests.Graph;

/// <summary>Summaries, topics and frames of the graph between own nodes.</summary>
public sealed class GraphExchangeTests
{
    [Fact]
    public void A_summary_is_the_same_however_it_came_about()
    {
        var world = new GraphWorld(Fuzz.Seed);
        var (one, other) = (world.Graph(), world.Graph());
        TopicIndex first = null!;
        world.On(() => first = new TopicIndex(one, "doc"));
        var writes = new List<GraphWrite>();
        for (var i = 0; i < 3000; i++)
            writes.Add(new GraphWrite(world.Random.Pick<string>(["doc", "doc/a", "doc/b", "linked", "linked/far", "other", "docs"]), "k" + world.Random.Next(300), world.Random.Next(5), GraphValue.Of(world.Random.Next(9))));
        writes.Add(new GraphWrite("doc", "link", 1, GraphValue.LinkTo("linked")));
        writes.Add(new GraphWrite("linked", "link", 1, GraphValue.LinkTo("linked/far")));
        world.On(() => one.Merge(writes.GetRange(0, 1500), null, static _ => { }));
        world.Settle();
        Assert.True(first.IsComplete);
        world.On(() => one.Merge(writes.GetRange(1500, writes.Count - 1500), null, static _ => { }));
        var shuffled = writes.ToArray();
        world.Random.Shuffle<GraphWrite>(shuffled);
        world.On(() => other.Merge(shuffled, null, static _ => { }));
        TopicIndex second = null!;
        world.On(() => second = new TopicIndex(other, "doc"));
        world.Settle();
        Assert.Equal(["doc", "doc/a", "doc/b", "linked", "linked/far"], second.Souls.Order(StringComparer.Ordinal));
        Assert.Equal(second.Souls.Order(StringComparer.Ordinal), first.Souls.Order(StringComparer.Ordinal));
        Assert.Equal(first.Summary.Count, second.Summary.Count);
        Assert.Equal(first.Summary.BranchHashes(), second.Summary.BranchHashes());
        // A link is taken back: what hung on it belongs no more.
        world.On(() => one.Merge([new GraphWrite("doc", "link", 9, GraphValue.Null)], null, static _ => { }));
        world.Settle();
        Assert.Equal(["doc", "doc/a", "doc/b"], first.Souls.Order(StringComparer.Ordinal));
        Assert.NotEqual(first.Summary.BranchHashes(), second.Summary.BranchHashes());
    }

    [Theory]
    [InlineData("notes", "notes", true)]
    [InlineData("notes", "notes/a/b", true)]
    [InlineData("notes", "notesbook", false)]
    [InlineData("notes", "~abc.def/notes", true)]
    [InlineData("notes", "~abc.def/notes/x", true)]
    [InlineData("notes", "~abc.def/other/notes", false)]
    [InlineData("shared/page", "~abc.def/shared/page", true)]
    [InlineData("~abc.def", "~abc.def/anything", true)]
    [InlineData("~abc.def", "~abc.defg", false)]
    [InlineData("~@ada", "~@ada", true)]
    [InlineData("notes", "notes/x<?99", false)]
    public void Souls_belong_by_name(string topic, string soul, bool belongs) => Assert.Equal(belongs, TopicName.Has(topic, soul));

    [Fact]
    public void Frames_come_back_as_they_went_and_survive_any_bytes()
    {
        var random = new Prng(5);
        UInt128[] Hashes(int count) => [.. Enumerable.Range(0, count).Select(_ => new UInt128(random.NextUInt64(), random.NextUInt64()))];
        var branches = Hashes(64);
        var leaves = new List<(int, UInt128[])> { (3, Hashes(64)), (63, Hashes(64)) };
        var places = new List<(int, List<PlaceAndHash>)> { (0, []), (4095, [new PlaceAndHash(1, 2), new PlaceAndHash(ulong.MaxValue, 3)]) };
        var entries = new List<GraphWrite> { new("s", "k", 1702151734629.0051, "v"), new("é😀", "\ud800", -5, GraphValue.LinkTo("\ud800x")), new("s", "", 0, GraphValue.Null) };
        Assert.Equal([1, 2], ExchangeFrames.ReadTopics(ExchangeFrames.Topics([1, 2])));
        Assert.Equal(branches, ExchangeFrames.ReadBranches(ExchangeFrames.Branches(7, branches)));
        Assert.Equal(leaves[1].Item2, ExchangeFrames.ReadLeaves(ExchangeFrames.Leaves(7, leaves))![1].Leaves);
        Assert.Equal(places[1].Item2, ExchangeFrames.ReadPlaces(ExchangeFrames.Places(7, places))![1].Entries);
        Assert.Equal([5ul, 9ul], ExchangeFrames.ReadWant(ExchangeFrames.Want(7, [5, 9]))!.Order());
        Assert.Equal(entries, ExchangeFrames.ReadEntries(ExchangeFrames.Entries(7, 11, entries), new GraphOptions(), out var number));
        Assert.Equal(11u, number);
        byte[][] corpus = [ExchangeFrames.Topics([1, 2]), ExchangeFrames.Branches(7, branches), ExchangeFrames.Leaves(7, leaves), ExchangeFrames.Places(7, places), ExchangeFrames.Want(7, [5, 9]), ExchangeFrames.Entries(7, 11, entries)];
        var options = new GraphOptions();
        Fuzz.Run("ExchangeFrames", corpus, bytes =>
        {
            ExchangeFrames.ReadTopics(bytes);
            ExchangeFrames.ReadBranches(bytes);
            ExchangeFrames.ReadLeaves(bytes);
            ExchangeFrames.ReadPlaces(bytes);
            ExchangeFrames.ReadWant(bytes);
            ExchangeFrames.ReadEntries(bytes, options, out _);
        }, allocationFactor: 100);
        for (var length = 0; length < corpus[^1].Length; length++) Assert.Null(ExchangeFrames.ReadEntries(corpus[^1].AsSpan(0, length), options, out _));
    }

    [Fact]
    public void Topics_in_a_file_come_back_and_damage_gives_none()
    {
        var bytes = GraphTopicsFile.Write(["notes", "~@ada", "é"]);
        Assert.Equal(["notes", "~@ada", "é"], GraphTopicsFile.Read(bytes));
        bytes[12] ^= 1;
        Assert.Empty(GraphTopicsFile.Read(bytes));
        Fuzz.Run("GraphTopicsFile", [GraphTopicsFile.Write(["notes"])], static data => GraphTopicsFile.Read(data), allocationFactor: 50);
    }
}
