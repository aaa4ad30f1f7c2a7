using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.AddressBook;

/// <summary>One of the longest-lived neighbours of our choosing.</summary>
/// <param name="Address">Where it answered last.</param>
/// <param name="Key">Who it is.</param>
/// <param name="Since">When we first met it, in seconds since 1970, over all runs.</param>
internal readonly record struct Anchor(Endpoint Address, PublicKey Key, uint Since);

/// <summary>Anchors as bytes; what is read is untrusted.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRANCH"
///      8     1  version 01
///      9     1  number of anchors, at most 64
///     10     n  anchors: address 7 or 19 ("ip_address"), public key 74, since 4 (seconds since 1970)
///    10+n   32  SHA-256 of all before it
/// </code></remarks>
internal static class AnchorList
{
    public const int Max = 64;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "PLDRANCH"u8;

    public static byte[] Write(IReadOnlyList<Anchor> anchors)
    {
        var bytes = new byte[10 + anchors.Count * (19 + KeyFormat.Bytes + 4) + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes(Magic);
        writer.WriteByte(Version);
        writer.WriteByte(checked((byte)anchors.Count));
        foreach (var anchor in anchors)
        {
            writer.WriteAddress(anchor.Address);
            writer.WriteBytes(anchor.Key.Bytes);
            writer.WriteUInt32(anchor.Since);
        }
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>The anchors; empty when the bytes are damaged.</summary>
    public static IReadOnlyList<Anchor> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 10 + Hash256.Bytes || Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return [];
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(Magic.Length).SequenceEqual(Magic) && reader.ReadByte() == Version, WireError.UnknownTag);
        var count = reader.ReadByte();
        reader.Require(count <= Max, WireError.TooLong);
        var anchors = new List<Anchor>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var address = reader.ReadAddress();
            reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var key), WireError.BadKey);
            var since = reader.ReadUInt32();
            if (!reader.Failed && address.IsSendable) anchors.Add(new Anchor(address, key!, since));
        }
        return reader.Finish() ? anchors : [];
    }
}
