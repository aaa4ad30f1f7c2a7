namespace Polder.Simulation;

/// <summary>On what a NAT box lets a mapping or a filter depend (RFC 4787, sections 4.1 and 5).</summary>
public enum NatDependence
{
    /// <summary>One for all: a mapping is used towards everybody; everybody may answer.</summary>
    EndpointIndependent,
    /// <summary>One for each remote address, whatever its port.</summary>
    AddressDependent,
    /// <summary>One for each remote address and port.</summary>
    AddressAndPortDependent,
}

/// <summary>Which outer port a NAT box gives a new mapping.</summary>
public enum NatPorts
{
    /// <summary>The inner one while it is free outside, else a random one.</summary>
    Kept,
    /// <summary>Any of its range.</summary>
    Random,
    /// <summary>The next one, for every new mapping of anybody behind the box.</summary>
    Sequential,
}

/// <summary>What a NAT box does. "Full cone", "symmetric" and "carrier" are values of this, not classes; <see cref="NatKinds"/> names them.</summary>
/// <param name="Mapping">When an inner endpoint gets another outer port.</param>
/// <param name="Filtering">Whose datagrams come in through a mapping.</param>
public sealed record NatBehaviour(NatDependence Mapping, NatDependence Filtering)
{
    /// <summary>How long a mapping lives without a datagram going out. Default 2 min, the least that RFC 4787 allows.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether a datagram coming in also keeps the mapping alive (RFC 4787 leaves it open). Default false.</summary>
    public bool InboundRefreshes { get; init; }

    /// <summary>Whether inner nodes reach each other through their outer endpoints. Default false: many boxes do not.</summary>
    public bool Hairpin { get; init; }

    /// <summary>Which outer ports it gives. Default <see cref="NatPorts.Kept"/>.</summary>
    public NatPorts Ports { get; init; } = NatPorts.Kept;

    /// <summary>Lowest outer port that is not the inner one. Default 1024; 20,000 where ports are sequential.</summary>
    public ushort PortFirst { get; init; } = 1_024;

    /// <summary>Highest such port: with <see cref="PortFirst"/> a port block, as carriers give. Default 65,535; 28,191 where ports are sequential.</summary>
    public ushort PortLast { get; init; } = ushort.MaxValue;

    /// <summary>Most flows (inner endpoint to remote endpoint) at once, of everybody behind the box; 0, the default, for any number.</summary>
    public int FlowsMax { get; init; }

    /// <summary>Whether addresses are translated. False: a routed firewall; who stands behind it has a public address. Default true.</summary>
    public bool Translates { get; init; } = true;

    /// <summary>Whether UDP passes at all. Default true.</summary>
    public bool PassesUdp { get; init; } = true;

    /// <summary>Whether unsolicited datagrams are answered with an ICMP error instead of silence; it is counted, UDP sockets do not show it. Default false.</summary>
    public bool Rejects { get; init; }

    /// <summary>Maps and filters endpoint-independently.</summary>
    public static NatBehaviour FullCone { get; } = new(NatDependence.EndpointIndependent, NatDependence.EndpointIndependent);

    /// <summary>The commonest at home: maps endpoint-independently, filters by address and port.</summary>
    public static NatBehaviour PortRestricted { get; } = new(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent);

    /// <summary>Maps and filters by address and port: its outer port towards one peer says nothing about the next.</summary>
    public static NatBehaviour Symmetric { get; } = new(NatDependence.AddressAndPortDependent, NatDependence.AddressAndPortDependent) { Ports = NatPorts.Random };
}
