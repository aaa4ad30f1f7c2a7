using System.Net;
using Polder.Node.PortMapping;
using Polder.Overlay.Nat;
using Polder.Simulation;
using Polder.Tests.Overlay;

namespace Polder.Tests.Node.PortMapping;

public sealed class PortMappingStatusTests
{
    private static PortLease Lease(string external) =>
        new(new NatPmpControl(FakeGateway.Here), IPEndPoint.Parse(external), 8090, TimeSpan.FromHours(1));

    [Fact]
    public void The_overlay_is_told_of_a_mapping_and_of_its_end()
    {
        var node = new World(1).AddNode("node", null, OverlayTestNodes.Options);
        var changes = 0;
        node.Run(() =>
        {
            var status = new PortMappingStatus(node.HostOf());
            status.Changed += () => changes++;
            status.Take(new PortMappingState(Lease("203.0.113.7:8090"), null));
            Assert.Equal("NAT-PMP", status.View.How);
            Assert.Null(status.View.Trouble);
            Assert.Equal(("203.0.113.7:8090", false), Told(node.HostOf().Nat));
            status.Take(new PortMappingState(Lease("203.0.113.7:8090"), null));
            Assert.Equal(1, changes);
            status.Take(new PortMappingState(null, "gone"));
            Assert.Null(node.HostOf().Nat.View.Mapped);
            Assert.Equal("gone", status.View.Trouble);
            status.Stop();
        });
    }

    [Fact]
    public void A_mapping_behind_two_routers_is_told_as_such_and_not_offered()
    {
        var node = new World(1).AddNode("node", null, OverlayTestNodes.Options);
        node.Run(() =>
        {
            var status = new PortMappingStatus(node.HostOf());
            status.Take(new PortMappingState(null, "a second router", Lease("100.64.0.9:8090")));
            Assert.Null(status.View.External);
            Assert.Equal("a second router", status.View.Trouble);
            Assert.Equal(("100.64.0.9:8090", true), Told(node.HostOf().Nat));
            status.Stop();
        });
    }

    private static (string? External, bool IsBehindTwo) Told(NatTraversal nat) => (nat.View.Mapped?.External.ToString(), nat.View.Mapped?.IsBehindTwo ?? false);
}
