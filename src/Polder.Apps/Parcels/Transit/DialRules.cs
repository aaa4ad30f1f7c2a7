using System.Net;

namespace Polder.Apps.Parcels.Transit;

/// <summary>Where the other side may make us dial: its hints shall be no gun.</summary>
/// <param name="LoopbackOnly">Only this machine's own addresses ("--loopback").</param>
/// <param name="PeerMayBeHere">Whether the other side can be on this machine: we met at a mailbox on it.</param>
public readonly record struct DialRules(bool LoopbackOnly, bool PeerMayBeHere)
{
    /// <summary>How long one attempt may take.</summary>
    public static readonly TimeSpan DialMax = TimeSpan.FromSeconds(3);

    /// <summary>Whether this address, found for a hint, may be dialled.</summary>
    public bool Allows(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address)) return LoopbackOnly || PeerMayBeHere;
        if (LoopbackOnly) return false;
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length)) return false;
        if (length == 16) return !address.IsIPv6Multicast && !address.IsIPv6LinkLocal && !address.IsIPv6SiteLocal && bytes[..16].ContainsAnyExcept((byte)0);
        // This network, link-local, multicast and the reserved rest with broadcast.
        return bytes[0] is not 0 and < 224 && !(bytes[0] == 169 && bytes[1] == 254);
    }
}
