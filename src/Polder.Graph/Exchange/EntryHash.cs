using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Graph.Model;

namespace Polder.Graph.Exchange;

/// <summary>
/// What entries are compared by between our own nodes. SHA-256 over soul and key (its place), or over soul, key, state and value: each
/// text as the number of its code units (4 bytes, big-endian) and the code units (2 bytes each, big-endian), the state as 8 bytes of its double.
/// </summary>
internal static class EntryHash
{
    /// <summary>Where an entry stands: first 8 bytes of the hash.</summary>
    public static ulong Place(string soul, string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(soul, key, null, 0, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>What stands there: first 16 bytes of the hash.</summary>
    public static UInt128 Of(string soul, string key, in GraphEntry entry)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(soul, key, entry.Value.ToJson(), entry.State, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private static void Hash(string soul, string key, string? value, double state, Span<byte> hash)
    {
        var length = 4 + 2 * soul.Length + 4 + 2 * key.Length + (value is null ? 0 : 8 + 4 + 2 * value.Length);
        var bytes = length <= 1024 ? stackalloc byte[length] : new byte[length];
        var at = 0;
        Text(soul, bytes);
        Text(key, bytes);
        if (value is not null)
        {
            BinaryPrimitives.WriteDoubleBigEndian(bytes[at..], state);
            at += 8;
            Text(value, bytes);
        }
        SHA256.HashData(bytes, hash);

        void Text(string text, Span<byte> to)
        {
            BinaryPrimitives.WriteInt32BigEndian(to[at..], text.Length);
            at += 4;
            foreach (var unit in text)
            {
                BinaryPrimitives.WriteUInt16BigEndian(to[at..], unit);
                at += 2;
            }
        }
    }
}
