using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Net;
using Polder.Overlay.Discovery;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// A place outside the network where its nodes can find each other under a common key, such as BitTorrent's mainline DHT. Register one
/// with <see cref="FirstContact.Add(IMeetingPoint)"/>; while none is, the status says "not available". What it gives is untrusted.
/// </summary>
public interface IMeetingPoint
{
    /// <summary>What people call it: "BitTorrent DHT".</summary>
    string Name { get; }

    /// <summary>Addresses found under the key, at most a few hundred; empty when nobody was found. Called on the loop and completes there.</summary>
    Task<IReadOnlyList<Endpoint>> FindAsync(MeetingKey key, CancellationToken cancel);

    /// <summary>Says under the key that a node listens at this UDP port. Called on the loop and completes there.</summary>
    Task AnnounceAsync(MeetingKey key, ushort port, CancellationToken cancel);
}

/// <summary>The key of a network at meeting points: SHA-1 of "polder/meeting/1" and the network id, 20 bytes as an info-hash is.</summary>
/// <param name="Bytes">The 20 bytes.</param>
public sealed record MeetingKey(ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The key of a network.</summary>
    public static MeetingKey Of(NetworkId network)
    {
        Span<byte> input = stackalloc byte[16 + 16];
        "polder/meeting/1"u8.CopyTo(input);
        BinaryPrimitives.WriteUInt128BigEndian(input[16..], network.Value);
        return new(SHA1.HashData(input));
    }
}
