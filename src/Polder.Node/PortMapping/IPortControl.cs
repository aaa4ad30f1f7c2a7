using System.Net;

namespace Polder.Node.PortMapping;

/// <summary>A way to ask the gateway for a port: PCP, NAT-PMP or UPnP. Called from anywhere; answers within the caller's limit.</summary>
internal interface IPortControl
{
    /// <summary>What people call it.</summary>
    string Name { get; }

    /// <summary>Maps, or renews what it mapped before. Null when the gateway does not answer, does not speak this, or refuses.</summary>
    Task<PortLease?> MapAsync(ushort innerPort, ushort outerPort, CancellationToken cancellation);

    /// <summary>Takes a mapping away, best effort.</summary>
    Task UnmapAsync(PortLease lease, CancellationToken cancellation);
}

/// <summary>A port that the gateway maps to us for a while.</summary>
/// <param name="By">By which it was asked for.</param>
/// <param name="External">Outer address and port.</param>
/// <param name="InnerPort">Our own port.</param>
/// <param name="Lifetime">For how long it was granted.</param>
internal sealed record PortLease(IPortControl By, IPEndPoint External, ushort InnerPort, TimeSpan Lifetime);
