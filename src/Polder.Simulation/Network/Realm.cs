using Polder.Net;

namespace Polder.Simulation.Network;

/// <summary>A part of the network with addresses of its own: the Internet, or what lies behind a NAT box.</summary>
internal sealed class Realm(NatBox? gateway)
{
    private uint _given;

    /// <summary>The box through which this realm reaches the next one; null for the Internet.</summary>
    public NatBox? Gateway => gateway;

    public Dictionary<Endpoint, SimulatedSocket> Hosts { get; } = [];

    /// <summary>Boxes by their outer address, with port 0.</summary>
    public Dictionary<Endpoint, NatBox> Boxes { get; } = [];

    /// <summary>
    /// An address that nobody else has here. On the Internet they lie in networks far apart, as strangers do; behind a home's box
    /// they are 192.168.1.x and behind a carrier's (a box with boxes behind it) 100.64.x.x.
    /// </summary>
    public Endpoint NewAddress(bool forBox)
    {
        if (gateway is { Behaviour.Translates: false })
        {
            // Behind a firewall that translates nothing: an address of the next realm, which leads to the firewall.
            var address = gateway.OuterRealm.NewAddress(forBox);
            gateway.OuterRealm.Boxes[address] = gateway;
            return address;
        }
        var number = _given++;
        if (gateway is null) return Address(20 + number % 79, 1 + number / 79 % 250, 1 + number / 19_750 % 250, 10);
        return forBox ? Address(100, 64 + number / 250 % 64, 1 + number % 250, 10) : Address(192, 168, 1 + number / 250 % 250, 2 + number % 250);
    }

    private static Endpoint Address(uint a, uint b, uint c, uint d) => Endpoint.FromIPv4(a << 24 | b << 16 | c << 8 | d, 0);
}
