using System.Net;
using System.Security.Cryptography;

namespace Polder.Node.PortMapping;

/// <summary>Asks by PCP. One nonce for the life of the mapping, so that it can be renewed and taken away.</summary>
internal sealed class PcpControl(Gateway gateway, int port = Pcp.Port) : IPortControl
{
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(Pcp.NonceBytes);
    private IPAddress _outer = IPAddress.Any;

    public string Name => "PCP";

    public async Task<PortLease?> MapAsync(ushort innerPort, ushort outerPort, CancellationToken cancellation)
    {
        if (await AskAsync(innerPort, outerPort, PortMapper.LeaseWanted, cancellation).ConfigureAwait(false) is not { Result: 0 } answer) return null;
        if (answer.External is not { } outer || answer.ExternalPort == 0 || answer.Lifetime <= TimeSpan.Zero) return null;
        _outer = outer;
        return new PortLease(this, new IPEndPoint(outer, answer.ExternalPort), innerPort, answer.Lifetime);
    }

    public Task UnmapAsync(PortLease lease, CancellationToken cancellation) => AskAsync(lease.InnerPort, 0, TimeSpan.Zero, cancellation);

    private async Task<GatewayAnswer?> AskAsync(ushort innerPort, ushort outerPort, TimeSpan lifetime, CancellationToken cancellation)
    {
        var request = new byte[Pcp.MapBytes];
        Pcp.WriteMap(request, gateway.Own, _nonce, innerPort, outerPort, lifetime > TimeSpan.Zero ? _outer : IPAddress.Any, lifetime);
        GatewayAnswer answer = default;
        return await GatewaySocket.AskAsync(gateway.Own, new IPEndPoint(gateway.Router, port), request, Pcp.AnswerBytesMax,
            bytes => Pcp.TryReadMap(bytes, _nonce, innerPort, out answer), anyPort: false, cancellation).ConfigureAwait(false) ? answer : null;
    }
}
