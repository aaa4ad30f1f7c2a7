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

/// <summary>What a NAT box does. "Full cone", "symmetric" and "carrier" are values of this, not classes.</summary>
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

    /// <summary>Whether the inner port is kept outside while it is free there. Default true.</summary>
    public bool KeepsPort { get; init; } = true;

    /// <summary>Maps and filters endpoint-independently.</summary>
    public static NatBehaviour FullCone { get; } = new(NatDependence.EndpointIndependent, NatDependence.EndpointIndependent);

    /// <summary>The commonest at home: maps endpoint-independently, filters by address and port.</summary>
    public static NatBehaviour PortRestricted { get; } = new(NatDependence.EndpointIndependent, NatDependence.AddressAndPortDependent);

    /// <summary>Maps and filters by address and port: its outer port towards one peer says nothing about the next.</summary>
    public static NatBehaviour Symmetric { get; } = new(NatDependence.AddressAndPortDependent, NatDependence.AddressAndPortDependent) { KeepsPort = false };
}
