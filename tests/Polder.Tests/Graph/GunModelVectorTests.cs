using System.Text.Json;
using Polder.Graph.Json;
using Polder.Graph.Merge;
using Polder.Graph.Model;
using Polder.Graph.Wire;
using Polder.Runtime;

namespace Polder.Tests.Graph;

/// <summary>Values, texts, names, clock and merge as gun.js 0.2020.1241 has them.</summary>
public sealed class GunModelVectorTests
{
    [Fact]
    public void Ham_decides_as_gun_does()
    {
        foreach (var row in GunVectors.Read("ham").GetProperty("cases").EnumerateArray())
        {
            var (present, stored, incoming) = (row.GetProperty("machine").GetDouble(), GunVectors.Entry(row.GetProperty("stored")), GunVectors.Entry(row.GetProperty("incoming"))!.Value);
            var decision = Ham.Decide(present, stored, incoming);
            Assert.Equal(row.Text("result"), decision.ToString().ToLowerInvariant());
            if (decision == HamDecision.Defer) Assert.Equal(row.GetProperty("deferMs").GetDouble(), Ham.WaitMilliseconds(present, incoming.State));
            if (row.TryGetProperty("afterRipe", out var ripe))
                Assert.Equal(GunVectors.Entry(ripe), Ham.Decide(incoming.State, stored, incoming) == HamDecision.Apply ? incoming : stored);
        }
    }

    [Fact]
    public void Ties_are_broken_as_gun_breaks_them()
    {
        var tie = GunVectors.Read("ham").GetProperty("tie");
        var values = tie.GetProperty("values").EnumerateArray().Select(static value => GraphValue.TryParse(value.Text("json"), out var read) ? read : throw new InvalidDataException()).ToList();
        var matrix = tie.GetProperty("matrix").EnumerateArray().Select(static row => row.GetString()!).ToList();
        for (var row = 0; row < values.Count; row++)
            for (var column = 0; column < values.Count; column++)
                Assert.True(matrix[row][column] == 'A' == Ham.Wins(new GraphEntry(5, values[column]), new GraphEntry(5, values[row])), $"{values[row]} against {values[column]}");
    }

    [Fact]
    public void Sequences_with_held_writes_end_as_in_gun()
    {
        foreach (var sequence in GunVectors.Read("ham").GetProperty("sequences").EnumerateArray())
        {
            var world = new GraphWorld();
            var first = sequence.GetProperty("steps")[0].GetProperty("machine").GetDouble();
            var graph = world.Graph(offset: TimeSpan.FromMilliseconds(first - world.Milliseconds));
            var now = first;
            foreach (var step in sequence.GetProperty("steps").EnumerateArray())
            {
                world.Run(TimeSpan.FromMilliseconds(step.GetProperty("machine").GetDouble() - now));
                now = step.GetProperty("machine").GetDouble();
                if (GunVectors.Entry(step.GetProperty("put")) is { } put) world.On(() => graph.Merge([new GraphWrite("s", "k", put.State, put.Value)], null, static _ => { }));
                world.Settle();
                Assert.Equal(GunVectors.Entry(step.GetProperty("visible")), graph.Find("s", "k"));
                Assert.Equal(step.GetProperty("waiting").GetInt32(), graph.Held);
            }
        }
    }

    [Fact]
    public void The_clock_gives_guns_states_and_never_goes_back()
    {
        var file = GunVectors.Read("clock");
        foreach (var row in file.GetProperty("relative").EnumerateArray())
        {
            var clock = new StateClock(TimeProvider.System);
            var (origin, last, back) = (row.GetProperty("relativeTo").GetDouble(), double.NegativeInfinity, false);
            foreach (var call in row.GetProperty("calls").EnumerateArray())
            {
                var state = clock.NextAt(origin + call.GetProperty("clockMs").GetDouble());
                Assert.True(state > last);
                // Where gun's clock goes back with the system's, ours stays ahead.
                back |= origin + call.GetProperty("state").GetDouble() < last;
                if (!back) Assert.Equal(call.GetProperty("state").GetDouble(), state - origin, 5e-4);
                last = state;
            }
        }
        var absolute = file.GetProperty("absolute");
        var second = new StateClock(TimeProvider.System);
        foreach (var state in absolute.GetProperty("states").EnumerateArray()) Assert.Equal(state.GetDouble(), second.NextAt(absolute.GetProperty("machineMs").GetDouble()));
    }

    [Fact]
    public void A_busy_clock_runs_ahead_as_guns_does()
    {
        var clock = new StateClock(TimeProvider.System);
        var samples = GunVectors.Read("clock").GetProperty("overload").GetProperty("samples").EnumerateArray().ToList();
        var start = samples[0].GetProperty("state").GetDouble();
        var given = Enumerable.Range(0, 1200).Select(_ => clock.NextAt(start)).ToList();
        foreach (var sample in samples.Where(static sample => sample.TryGetProperty("call", out _)))
            Assert.Equal(sample.GetProperty("state").GetDouble(), given[sample.GetProperty("call").GetInt32()], 1e-3);
        Assert.Equal(samples[^2].GetProperty("state").GetDouble(), clock.NextAt(start + 1), 2e-3);
    }

    [Fact]
    public void Values_are_valid_where_gun_takes_them()
    {
        foreach (var row in GunVectors.Read("valid").GetProperty("values").EnumerateArray())
        {
            if (!row.TryGetProperty("json", out var json)) continue;
            var valid = GraphValue.TryParse(json.GetString()!, out var value);
            // Dates, NaN and Infinity are no JSON; their texts stand for other values.
            if (row.Text("name") is "NaN" or "Infinity" or "date") continue;
            Assert.Equal(row.Text("valid") != "no", valid);
            if (valid) Assert.Equal(row.Text("valid") == "link", value.AsLink is not null);
        }
        Assert.Throws<ArgumentOutOfRangeException>(static () => GraphValue.Of(double.NaN));
    }

    [Fact]
    public void Json_texts_are_those_of_javascript()
    {
        foreach (var row in GunVectors.Read("json-text").GetProperty("rows").EnumerateArray())
        {
            var text = row.Text("native");
            Assert.Equal(text, JsonText.Of(GunVectors.Item(text)));
        }
        Assert.Equal("0", NumberText.Of(-0.0));
        Assert.Equal("1e-7", NumberText.Of(1e-7));
        Assert.Equal("123456789012345680000", NumberText.Of(123456789012345678901.0));
        Assert.Equal("-1.5e+300", NumberText.Of(-1.5e300));
        Assert.Equal("9007199254740993000", NumberText.Of(9007199254740993000.0));
    }

    [Fact]
    public void Numbers_read_back_to_the_same_double()
    {
        var random = new Prng(7);
        for (var i = 0; i < 20_000; i++)
        {
            var number = BitConverter.UInt64BitsToDouble(random.NextUInt64());
            if (!double.IsFinite(number)) continue;
            Assert.Equal(number == 0 ? 0.0 : number, GunVectors.Item(NumberText.Of(number)).Number);
        }
    }

    [Fact]
    public void Lexical_matching_is_guns()
    {
        foreach (var row in GunVectors.Read("lex").GetProperty("cases").EnumerateArray())
        {
            if (row.GetProperty("text").ValueKind != JsonValueKind.String) continue;
            Assert.True(Lexical.TryFrom(GunVectors.Item(row.GetProperty("lex")), out var query));
            Assert.True(row.GetProperty("match").GetBoolean() == query.Matches(row.Text("text")), row.GetRawText());
        }
    }

    [Fact]
    public void Hashes_are_guns()
    {
        var file = GunVectors.Read("hash");
        foreach (var row in file.GetProperty("text").EnumerateArray())
        {
            var text = row.GetProperty("text") switch
            {
                { ValueKind: JsonValueKind.String } given => GunVectors.Raw(given),
                { ValueKind: JsonValueKind.Object } many => string.Concat(Enumerable.Repeat(many.Text("repeat"), many.GetProperty("times").GetInt32())),
                _ => null,
            };
            if (text is not null) Assert.Equal(row.GetProperty("hash").GetInt32(), TextHash.Of(text));
        }
        foreach (var row in file.GetProperty("replies").EnumerateArray())
        {
            var text = row.Text("put");
            Assert.Equal(row.GetProperty("recomputed").GetInt32(), TextHash.Of(text));
            // Written by us from its parts it is the same text.
            var (put, writes) = (new PutText(), new List<GraphWrite>());
            if (PutReader.Read(GunVectors.Item(text), new Polder.Graph.GraphOptions(), writes) is not null) continue;
            foreach (var write in writes) put.Add(write.Soul, write.Key, write.Entry);
            Assert.Equal(text, put.ToString());
        }
    }

    [Fact]
    public void Names_are_made_as_gun_makes_them()
    {
        var file = GunVectors.Read("ids");
        Assert.Equal(RandomNames.Alphabet, file.Text("alphabet"));
        Assert.Equal(file.GetProperty("messageIdLength").GetInt32(), RandomNames.Id(new Prng(3)).Length);
        Assert.All(RandomNames.Id(new Prng(4)), static c => Assert.Contains(c, RandomNames.Alphabet));
        Assert.Equal("mwpuikri", RandomNames.Soul(1795231554462, new Prng(5))[..8]);
        Assert.True(RandomNames.Soul(1795231551241.001, new Prng(5)).Length > 20);
    }
}
