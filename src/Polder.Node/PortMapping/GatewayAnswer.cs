using System.Net;

namespace Polder.Node.PortMapping;

/// <summary>What a gateway answered to a request of PCP or NAT-PMP.</summary>
/// <param name="Result">0: done; else the protocol's own code.</param>
/// <param name="External">The outer address, where the answer holds one.</param>
/// <param name="ExternalPort">The outer port; 0 where the answer holds none.</param>
/// <param name="Lifetime">For how long it holds.</param>
/// <param name="Epoch">The gateway's clock: when it runs backwards, the gateway forgot its mappings.</param>
internal readonly record struct GatewayAnswer(int Result, IPAddress? External, ushort ExternalPort, TimeSpan Lifetime, TimeSpan Epoch);
