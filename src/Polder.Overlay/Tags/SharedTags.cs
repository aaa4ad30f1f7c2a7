using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Overlay.Tags;

/// <summary>
/// Frame 0x30, SharedTags: which tags its sender is in, as hashes of 4 bytes that only somebody in the same tag recognises. Said when a session opens
/// and whenever the set changes; each replaces the one before.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0   4n   hashes: the first 4 bytes of SHA-256 over "polder/tags/1", the smaller and the larger of the two public keys (74 bytes each)
///               and the overlay id (20); 0 to 64 of them, in rising order
/// </code></remarks>
internal static class SharedTags
{
    public const int Max = 64;

    /// <summary>The hash of a tag between two peers: the same on both sides, another one between others.</summary>
    public static uint HashOf(CommunityId tag, PublicKey one, PublicKey other)
    {
        var (smaller, larger) = one < other ? (one, other) : (other, one);
        Span<byte> input = stackalloc byte[13 + 2 * KeyFormat.Bytes + CommunityId.Bytes];
        "polder/tags/1"u8.CopyTo(input);
        smaller.Bytes.CopyTo(input[13..]);
        larger.Bytes.CopyTo(input[(13 + KeyFormat.Bytes)..]);
        tag.CopyTo(input[(13 + 2 * KeyFormat.Bytes)..]);
        return (uint)(Hash256.Of(input).Head >> 32);
    }

    /// <summary>The body that names these tags.</summary>
    public static byte[] Write(IEnumerable<CommunityId> tags, PublicKey own, PublicKey other)
    {
        var hashes = tags.Take(Max).Select(tag => HashOf(tag, own, other)).Order().Distinct().ToArray();
        var body = new byte[4 * hashes.Length];
        for (var i = 0; i < hashes.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(4 * i), hashes[i]);
        return body;
    }

    /// <summary>Reads a body; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out uint[] hashes)
    {
        hashes = [];
        if (body.Length % 4 != 0 || body.Length > 4 * Max) return false;
        var read = new uint[body.Length / 4];
        for (var i = 0; i < read.Length; i++)
        {
            read[i] = BinaryPrimitives.ReadUInt32BigEndian(body[(4 * i)..]);
            if (i > 0 && read[i] <= read[i - 1]) return false;
        }
        hashes = read;
        return true;
    }
}
