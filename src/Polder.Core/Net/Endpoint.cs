using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polder.Net;

/// <summary>An IP address and a UDP or TCP port. IPv4 addresses are kept in their IPv6-mapped form, so there is one form of each.</summary>
public readonly record struct Endpoint : IComparable<Endpoint>
{
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    private readonly ulong _high, _low;

    private Endpoint(ulong high, ulong low, ushort port) => (_high, _low, Port) = (high, low, port);

    /// <summary>An IPv4 endpoint; the address is its four bytes read as a big-endian number.</summary>
    public static Endpoint FromIPv4(uint address, ushort port) => new(0, MappedPrefix | address, port);

    /// <summary>An endpoint from 4 or 16 address bytes.</summary>
    public static Endpoint FromBytes(ReadOnlySpan<byte> address, ushort port) => address.Length switch
    {
        4 => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address), port),
        16 => new(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port),
        _ => throw new ArgumentException("An IP address has 4 or 16 bytes.", nameof(address)),
    };

    /// <summary>From the framework's type; a scope id is dropped.</summary>
    public static Endpoint From(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return FromBytes(bytes[..length], checked((ushort)port));
    }

    /// <summary>0.0.0.0:0, which on the wire means "none".</summary>
    public static Endpoint None { get; } = FromIPv4(0, 0);

    /// <summary>The port.</summary>
    public ushort Port { get; }

    /// <summary>Whether the address is IPv4.</summary>
    public bool IsIPv4 => _high == 0 && _low >> 32 == 0xFFFF;

    /// <summary>The IPv4 address as a big-endian number; 0 for IPv6.</summary>
    public uint IPv4 => IsIPv4 ? unchecked((uint)_low) : 0;

    /// <summary>The same address with another port.</summary>
    public Endpoint WithPort(ushort port) => new(_high, _low, port);

    /// <summary>Whether both have the same address, whatever their ports.</summary>
    public bool SameAddress(Endpoint other) => _high == other._high && _low == other._low;

    /// <summary>Whether the address is 0.0.0.0 or ::.</summary>
    public bool IsUnspecified => _high == 0 && (_low == MappedPrefix || _low == 0);

    /// <summary>Whether the address is in 127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsIPv4 ? IPv4 >> 24 == 127 : _high == 0 && _low == 1;

    /// <summary>Whether the address is private: 10/8, 172.16/12, 192.168/16 or fc00::/7.</summary>
    public bool IsPrivate => IsIPv4
        ? IPv4 >> 24 == 10 || IPv4 >> 20 == 0xAC1 || IPv4 >> 16 == 0xC0A8
        : _high >> 57 == 0x7E;

    /// <summary>Whether the address is link-local: 169.254/16 or fe80::/10.</summary>
    public bool IsLinkLocal => IsIPv4 ? IPv4 >> 16 == 0xA9FE : _high >> 54 == 0x3FA;

    /// <summary>Whether the address is multicast (224/4, ff00::/8), the reserved 240/4, or the broadcast address.</summary>
    public bool IsMulticastOrBroadcast => IsIPv4 ? IPv4 >> 28 >= 0xE : _high >> 56 == 0xFF;

    /// <summary>Whether a datagram can be sent there at all: a port, and an address of one machine.</summary>
    public bool IsSendable => Port != 0 && !IsUnspecified && !IsMulticastOrBroadcast;

    /// <summary>A key for the network that the address lies in: its first bits (IPv4 of 32, IPv6 of the upper 64), the rest zero.</summary>
    public Endpoint Network(int ipv4Bits, int ipv6Bits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ipv4Bits, 32);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ipv6Bits, 64);
        if (IsIPv4) return FromIPv4(ipv4Bits == 0 ? 0 : IPv4 & (uint.MaxValue << (32 - ipv4Bits)), 0);
        return new(ipv6Bits == 0 ? 0 : _high & (ulong.MaxValue << (64 - ipv6Bits)), 0, 0);
    }

    /// <summary>Writes 4 address bytes (IPv4) or 16 (IPv6) and returns how many.</summary>
    public int WriteAddress(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, IPv4);
            return 4;
        }
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        return 16;
    }

    /// <summary>The framework's address.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..WriteAddress(bytes)]);
    }

    /// <summary>The framework's endpoint.</summary>
    public IPEndPoint ToIPEndPoint() => new(ToIPAddress(), Port);

    /// <summary>Reads "127.0.0.1:8090" or "[::1]:8090". Names are not looked up; the port is required and not 0.</summary>
    public static bool TryParse(string text, out Endpoint endpoint)
    {
        endpoint = None;
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        var host = text.AsSpan(0, colon);
        var bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (bracketed) host = host[1..^1];
        if (!IPAddress.TryParse(host, out var address)) return false;
        // "1:8090" would otherwise be read as 0.0.0.1, and "::1:8090" leaves open which part is the port.
        if (address.AddressFamily == AddressFamily.InterNetwork ? bracketed || host.Count('.') != 3 : !bracketed) return false;
        endpoint = From(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(Endpoint other) =>
        _high != other._high ? _high.CompareTo(other._high) : _low != other._low ? _low.CompareTo(other._low) : Port.CompareTo(other.Port);

    /// <summary>A mixed hash, the same in every run.</summary>
    public override int GetHashCode()
    {
        unchecked
        {
            var mixed = (_high ^ _low * 0x9E3779B97F4A7C15 ^ Port * 0xC2B2AE3D27D4EB4Ful) * 0xFF51AFD7ED558CCD;
            return (int)(mixed >> 32);
        }
    }

    /// <summary>"127.0.0.1:8090" or "[::1]:8090".</summary>
    public override string ToString() => IsIPv4 ? $"{ToIPAddress()}:{Port}" : $"[{ToIPAddress()}]:{Port}";

    /// <summary>Order of address, then port.</summary>
    public static bool operator <(Endpoint left, Endpoint right) => left.CompareTo(right) < 0;
    /// <summary>Order of address, then port.</summary>
    public static bool operator >(Endpoint left, Endpoint right) => left.CompareTo(right) > 0;
    /// <summary>Order of address, then port.</summary>
    public static bool operator <=(Endpoint left, Endpoint right) => left.CompareTo(right) <= 0;
    /// <summary>Order of address, then port.</summary>
    public static bool operator >=(Endpoint left, Endpoint right) => left.CompareTo(right) >= 0;
}
