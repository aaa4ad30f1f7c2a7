using Polder.Net;
using Polder.Simulation;

namespace Polder.Tests.Simulation;

/// <summary>Each kind of box behaves as RFC 4787 says, asked from outside as a STUN client asks.</summary>
public sealed class NatBoxTests
{
    public static TheoryData<NatDependence, NatDependence> Kinds()
    {
        var data = new TheoryData<NatDependence, NatDependence>();
        foreach (var mapping in Enum.GetValues<NatDependence>())
            foreach (var filtering in Enum.GetValues<NatDependence>()) data.Add(mapping, filtering);
        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_box_is_classified_as_what_it_is(NatDependence mapping, NatDependence filtering)
    {
        var lab = new Lab(new NatBehaviour(mapping, filtering));
        Assert.Equal(mapping, lab.ClassifyMapping());
        Assert.Equal(filtering, lab.ClassifyFiltering());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_box_behind_a_carriers_full_cone_is_classified_as_what_it_is(NatDependence mapping, NatDependence filtering)
    {
        var lab = new Lab(new NatBehaviour(mapping, filtering), NatBehaviour.FullCone);
        Assert.Equal(mapping, lab.ClassifyMapping());
        Assert.Equal(filtering, lab.ClassifyFiltering());
    }

    [Fact]
    public void Behind_a_symmetric_carrier_the_stricter_box_shows()
    {
        var lab = new Lab(NatBehaviour.FullCone, NatBehaviour.Symmetric);
        Assert.Equal(NatDependence.AddressAndPortDependent, lab.ClassifyMapping());
        Assert.Equal(NatDependence.AddressAndPortDependent, lab.ClassifyFiltering());
    }

    [Fact]
    public void A_mapping_dies_when_it_is_not_used_and_lives_when_it_is()
    {
        var lab = new Lab(NatBehaviour.FullCone with { Lifetime = 30.Seconds });
        var outer = lab.OuterSeenBy(0);
        lab.World.RunFor(25.Seconds);
        Assert.True(lab.Reaches(1, outer));
        lab.World.RunFor(10.Seconds);
        Assert.False(lab.Reaches(1, outer));
        outer = lab.OuterSeenBy(0);
        lab.World.RunFor(25.Seconds);
        Assert.Equal(outer, lab.OuterSeenBy(0));
        lab.World.RunFor(25.Seconds);
        Assert.True(lab.Reaches(1, outer));
    }

    [Fact]
    public void Only_a_box_that_refreshes_inbound_is_kept_open_from_outside()
    {
        foreach (var refreshes in new[] { false, true })
        {
            var lab = new Lab(NatBehaviour.FullCone with { Lifetime = 30.Seconds, InboundRefreshes = refreshes });
            var outer = lab.OuterSeenBy(0);
            for (var i = 0; i < 5; i++)
            {
                lab.World.RunFor(20.Seconds);
                _ = lab.Reaches(0, outer);
            }
            Assert.Equal(refreshes, lab.Reaches(0, outer));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Neighbours_reach_each_other_through_the_outside_only_with_hairpin(bool hairpin)
    {
        var lab = new Lab(NatBehaviour.FullCone with { Hairpin = hairpin });
        var neighbour = lab.World.AddNode("neighbour", Home.In(lab.Inner.Box!), _ => null);
        var outer = lab.OuterSeenBy(0);
        var before = lab.Heard;
        neighbour.Run(() => neighbour.Socket.Send(outer, [9]));
        lab.World.RunFor(1.Seconds);
        Assert.Equal(hairpin, lab.Heard > before);
        before = lab.Heard;
        neighbour.Run(() => neighbour.Socket.Send(lab.Inner.Socket.LocalEndpoint, [9]));
        lab.World.RunFor(1.Seconds);
        Assert.True(lab.Heard > before);
    }

    [Fact]
    public void A_box_that_forgets_or_moves_lets_nothing_in_until_it_is_asked_again()
    {
        var lab = new Lab(NatBehaviour.FullCone);
        var outer = lab.OuterSeenBy(0);
        lab.Inner.Box!.Forget();
        Assert.False(lab.Reaches(0, outer));
        lab.Inner.Box.ChangeAddress();
        var moved = lab.OuterSeenBy(0);
        Assert.False(moved.SameAddress(outer));
        Assert.True(lab.Reaches(1, moved));
        Assert.False(lab.Reaches(1, outer));
    }

    [Fact]
    public void Two_homes_use_the_same_private_addresses_and_do_not_reach_each_other_by_them()
    {
        var lab = new Lab(NatBehaviour.FullCone);
        var other = lab.World.AddNode("other", Home.Behind(NatBehaviour.FullCone), _ => null);
        Assert.Equal(lab.Inner.Socket.LocalEndpoint, other.Socket.LocalEndpoint);
        var before = lab.Heard;
        other.Run(() => other.Socket.Send(lab.Inner.Socket.LocalEndpoint, [9]));
        lab.World.RunFor(1.Seconds);
        Assert.Equal(before, lab.Heard);
    }

    /// <summary>A node behind the box, and two outside machines with two ports each.</summary>
    private sealed class Lab
    {
        private readonly SimulatedNode[] _outside = new SimulatedNode[4];
        private readonly Endpoint[] _seen = new Endpoint[4];

        public Lab(NatBehaviour behaviour, NatBehaviour? carrier = null)
        {
            var box = carrier is null ? null : World.AddNat(carrier);
            Inner = World.AddNode("inner", new Home { Nat = behaviour, Box = box }, node =>
            {
                node.Socket.Received = (_, _) => Heard++;
                return null;
            });
            // 0 and 1: one address, two ports, as two nodes of one machine; 2 and 3: other addresses.
            for (var i = 0; i < 4; i++)
            {
                var index = i;
                _outside[i] = World.AddNode($"outside{i}", Home.Public, node =>
                {
                    node.Socket.Received = (from, _) => _seen[index] = from;
                    return null;
                });
            }
            SecondPort = World.AddSocket(_outside[0], 9090, (from, _) => _seen[1] = from);
        }

        public World World { get; } = new(1);
        public SimulatedNode Inner { get; }
        public int Heard { get; private set; }
        private Polder.Simulation.Network.SimulatedSocket SecondPort { get; }

        /// <summary>The inner node's endpoint as this outside port sees it: 0 and 1 share an address, 2 has another.</summary>
        public Endpoint OuterSeenBy(int outside)
        {
            var to = outside == 1 ? SecondPort.LocalEndpoint : _outside[outside].Socket.LocalEndpoint;
            Inner.Run(() => Inner.Socket.Send(to, [1]));
            World.RunFor(1.Seconds);
            return _seen[outside];
        }

        public bool Reaches(int outside, Endpoint outer)
        {
            var before = Heard;
            _outside[0].Run(() => (outside == 1 ? SecondPort : _outside[outside].Socket).Send(outer, [2]));
            World.RunFor(1.Seconds);
            return Heard > before;
        }

        public NatDependence ClassifyMapping()
        {
            var (first, samePeer, otherPeer) = (OuterSeenBy(0), OuterSeenBy(1), OuterSeenBy(2));
            return first == samePeer && first == otherPeer ? NatDependence.EndpointIndependent
                : first == samePeer ? NatDependence.AddressDependent : NatDependence.AddressAndPortDependent;
        }

        public NatDependence ClassifyFiltering()
        {
            Inner.Box!.Forget();
            var outer = OuterSeenBy(0);
            return Reaches(2, outer) ? NatDependence.EndpointIndependent
                : Reaches(1, outer) ? NatDependence.AddressDependent : NatDependence.AddressAndPortDependent;
        }
    }
}
