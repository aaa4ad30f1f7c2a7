using Polder.Net;

namespace Polder.Overlay;

/// <summary>An endpoint in eight bytes where it is IPv4, as nearly all are; an IPv6 one is boxed.</summary>
internal struct PackedEndpoint
{
    private ulong _ipv4;
    private object? _ipv6;

    public PackedEndpoint(Endpoint value) => Value = value;

    public Endpoint Value
    {
        readonly get => _ipv6 is Endpoint boxed ? boxed : Endpoint.FromIPv4((uint)(_ipv4 >> 16), unchecked((ushort)_ipv4));
        set
        {
            if (value.IsIPv4) (_ipv4, _ipv6) = ((ulong)value.IPv4 << 16 | value.Port, null);
            else if (!(_ipv6 is Endpoint before && before == value)) _ipv6 = value;
        }
    }
}
