using System.Net;

namespace Polder.Node.PortMapping;

/// <summary>Asks by NAT-PMP: first for the mapping, then for the outer address.</summary>
internal sealed class NatPmpControl(Gateway gateway, int port = Pcp.Port) : IPortControl
{
    private readonly IPEndPoint _router = new(gateway.Router, port);

    public string Name => "NAT-PMP";

    public async Task<PortLease?> MapAsync(ushort innerPort, ushort outerPort, CancellationToken cancellation)
    {
        if (await MapAsync(innerPort, outerPort, PortMapper.LeaseWanted, cancellation).ConfigureAwait(false) is not { Result: 0 } mapped) return null;
        if (mapped.ExternalPort == 0 || mapped.Lifetime <= TimeSpan.Zero) return null;
        GatewayAnswer address = default;
        var answered = await GatewaySocket.AskAsync(gateway.Own, _router, NatPmp.AddressRequest.ToArray(), NatPmp.AnswerBytesMax,
            bytes => NatPmp.TryReadAddress(bytes, out address), anyPort: false, cancellation).ConfigureAwait(false);
        if (!answered || address.Result != 0 || address.External is not { } outer) return null;
        return new PortLease(this, new IPEndPoint(outer, mapped.ExternalPort), innerPort, mapped.Lifetime);
    }

    public Task UnmapAsync(PortLease lease, CancellationToken cancellation) => MapAsync(lease.InnerPort, 0, TimeSpan.Zero, cancellation);

    private async Task<GatewayAnswer?> MapAsync(ushort innerPort, ushort outerPort, TimeSpan lifetime, CancellationToken cancellation)
    {
        var request = new byte[NatPmp.MapBytes];
        NatPmp.WriteMap(request, innerPort, outerPort, lifetime);
        GatewayAnswer answer = default;
        return await GatewaySocket.AskAsync(gateway.Own, _router, request, NatPmp.AnswerBytesMax,
            bytes => NatPmp.TryReadMap(bytes, innerPort, out answer), anyPort: false, cancellation).ConfigureAwait(false) ? answer : null;
    }
}
