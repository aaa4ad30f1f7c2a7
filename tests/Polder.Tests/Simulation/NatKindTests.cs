using Polder.Net;
using Polder.Simulation;
using Polder.Tests.Architecture;

namespace Polder.Tests.Simulation;

/// <summary>
/// The simulated boxes are what natlab's are: one table, which natlab's own <c>probe</c> is held against in the lab's tests
/// (tests/Polder.Lab.Tests), and the simulated probe here.
/// </summary>
public sealed class NatKindTests
{
    public static TheoryData<string, string, string, string, string, string> Kinds()
    {
        var data = new TheoryData<string, string, string, string, string, string>();
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "tests", "natlab", "kinds.csv")))
            if (line.Split(',') is [var kind, var mapping, var filtering, var port, var step, var translates] && kind is not "kind" && !line.StartsWith('#'))
                data.Add(kind, mapping, filtering, port, step, translates);
        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_looks_as_natlab_finds_it(string kind, string mapping, string filtering, string port, string step, string translates)
    {
        for (var seed = 1ul; seed <= 5; seed++)
        {
            var findings = NatFindings.Probe(seed, Parse(kind));
            Assert.Equal((mapping, filtering, port, step), (findings.Mapping, findings.Filtering, findings.Port, findings.Step));
            Assert.Equal(translates == "yes", findings.Translates);
            Assert.Equal(kind == "fw", findings.Hairpin);
        }
    }

    [Fact]
    public void Every_name_is_in_the_table() =>
        Assert.Empty(NatKinds.Names.Except(Kinds().Select(row => row.Data.Item1)));

    [Fact]
    public void Hairpin_is_seen_where_it_is_on() => Assert.True(NatFindings.Probe(1, Parse("full hairpin=1")).Hairpin);

    [Fact]
    public void Two_homes_behind_one_carrier_differ_from_two_homes_behind_two()
    {
        var world = new World(1);
        var carrier = world.AddNat(NatKinds.Find("full")! with { Hairpin = true });
        var homes = Enumerable.Range(0, 2).Select(i => world.AddNode($"h{i}", new Home { Nat = NatKinds.Find("port"), Box = carrier }, _ => null)).ToList();
        Assert.Equal(homes[0].Socket.LocalEndpoint, homes[1].Socket.LocalEndpoint);
        Assert.NotEqual(homes[0].Box!.Outside, homes[1].Box!.Outside);
        Assert.True(homes[0].Box!.Outside.IPv4 >> 22 == 0x64400000 >> 22);
    }

    [Fact]
    public void A_carriers_port_block_and_its_bound_of_flows_hold()
    {
        var world = new World(1);
        var seen = new List<Endpoint>();
        var outside = Enumerable.Range(0, 30).Select(i => world.AddNode($"o{i}", Home.Public, node =>
        {
            node.Socket.Received = (from, _) => seen.Add(from);
            return null;
        })).ToList();
        var inner = world.AddNode("inner", Parse("sym range=30000-30099 flows=20 timeout=30"), _ => null);
        Knock();
        Assert.Equal(20, seen.Count);
        Assert.All(seen, endpoint => Assert.InRange(endpoint.Port, 30_000, 30_099));
        // What rests longer than the lifetime makes room for others.
        world.RunFor(31.Seconds);
        Assert.Equal(10, Knock(skip: 20));

        int Knock(int skip = 0)
        {
            var before = seen.Count;
            foreach (var other in outside.Skip(skip)) inner.Run(() => inner.Socket.Send(other.Socket.LocalEndpoint, [1]));
            world.RunFor(1.Seconds);
            return seen.Count - before;
        }
    }

    [Fact]
    public void Behind_a_firewall_a_host_has_a_public_address_and_is_reached_only_by_whom_it_wrote_to()
    {
        var world = new World(1);
        var heard = 0;
        var inner = world.AddNode("inner", Parse("fw reject=1"), node =>
        {
            node.Socket.Received = (_, _) => heard++;
            return null;
        });
        var outside = world.AddNode("outside", Home.Public, _ => null);
        Assert.False(inner.Socket.LocalEndpoint.IsPrivate);
        Assert.Equal(inner.Socket.LocalEndpoint, inner.PublicEndpoint);
        Knock();
        Assert.Equal((0, 1), (heard, inner.Box!.Rejected));
        inner.Run(() => inner.Socket.Send(outside.Socket.LocalEndpoint, [1]));
        Knock();
        Assert.Equal((1, 1), (heard, inner.Box.Rejected));

        void Knock()
        {
            outside.Run(() => outside.Socket.Send(inner.PublicEndpoint, [1]));
            world.RunFor(1.Seconds);
        }
    }

    [Theory]
    [InlineData("", "a NAT kind is missing")]
    [InlineData("cone", "\"cone\" is no NAT kind")]
    [InlineData("port+sym+full", "at most two boxes")]
    [InlineData("port timeout=0", "\"timeout=0\" is not understood")]
    [InlineData("port range=9-3", "\"range=9-3\" is not understood")]
    [InlineData("port colour=red", "\"colour=red\" is not understood")]
    [InlineData("public hairpin=1", "a public host has no box")]
    public void What_is_no_kind_is_named(string text, string complaint)
    {
        Assert.False(NatKinds.TryParse(text.Split(' ', StringSplitOptions.RemoveEmptyEntries), out _, out var error));
        Assert.Contains(complaint, error, StringComparison.Ordinal);
    }

    private static Home Parse(string text)
    {
        Assert.True(NatKinds.TryParse(text.Split(' '), out var home, out var error), error);
        return home;
    }
}
