using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polder.Graph.Sea;

/// <summary>
/// AES-256-GCM with nonces of any length (NIST SP 800-38D): SEA uses 15 bytes, .NET's own class takes 12 only. Built on AES-ECB and
/// GHASH without tables; tag of 16 bytes behind the ciphertext.
/// </summary>
internal static class AesGcmAnyNonce
{
    public const int TagBytes = 16;

    private const int BlockBytes = 16;

    public static byte[] Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plain)
    {
        using var aes = Cipher(key);
        var hashKey = HashKey(aes);
        var counter = FirstCounter(hashKey, nonce);
        var sealedBytes = new byte[plain.Length + TagBytes];
        Counter(aes, counter, plain, sealedBytes);
        Tag(aes, hashKey, counter, sealedBytes.AsSpan(0, plain.Length), sealedBytes.AsSpan(plain.Length));
        return sealedBytes;
    }

    /// <summary>The plain bytes, or null where the tag does not fit.</summary>
    public static byte[]? TryDecrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes)
    {
        if (sealedBytes.Length < TagBytes || nonce.Length == 0) return null;
        using var aes = Cipher(key);
        var hashKey = HashKey(aes);
        var counter = FirstCounter(hashKey, nonce);
        var cipher = sealedBytes[..^TagBytes];
        Span<byte> tag = stackalloc byte[TagBytes];
        Tag(aes, hashKey, counter, cipher, tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, sealedBytes[^TagBytes..])) return null;
        var plain = new byte[cipher.Length];
        Counter(aes, counter, cipher, plain);
        return plain;
    }

    private static Aes Cipher(ReadOnlySpan<byte> key)
    {
        var aes = Aes.Create();
        aes.Key = key.ToArray();
        return aes;
    }

    private static UInt128 HashKey(Aes aes)
    {
        Span<byte> block = stackalloc byte[BlockBytes];
        block.Clear();
        aes.EncryptEcb(block, block, PaddingMode.None);
        return BinaryPrimitives.ReadUInt128BigEndian(block);
    }

    private static UInt128 FirstCounter(UInt128 hashKey, ReadOnlySpan<byte> nonce)
    {
        if (nonce.Length == 12)
        {
            Span<byte> block = stackalloc byte[BlockBytes];
            nonce.CopyTo(block);
            BinaryPrimitives.WriteUInt32BigEndian(block[12..], 1);
            return BinaryPrimitives.ReadUInt128BigEndian(block);
        }
        return Multiply(Hash(hashKey, nonce) ^ ((UInt128)(ulong)nonce.Length * 8), hashKey);
    }

    private static void Tag(Aes aes, UInt128 hashKey, UInt128 counter, ReadOnlySpan<byte> cipher, Span<byte> tag)
    {
        var hash = Multiply(Hash(hashKey, cipher) ^ ((UInt128)(ulong)cipher.Length * 8), hashKey);
        Span<byte> block = stackalloc byte[BlockBytes];
        BinaryPrimitives.WriteUInt128BigEndian(block, counter);
        aes.EncryptEcb(block, block, PaddingMode.None);
        BinaryPrimitives.WriteUInt128BigEndian(tag, hash ^ BinaryPrimitives.ReadUInt128BigEndian(block));
    }

    private static void Counter(Aes aes, UInt128 counter, ReadOnlySpan<byte> from, Span<byte> to)
    {
        Span<byte> counters = stackalloc byte[64 * BlockBytes], stream = stackalloc byte[64 * BlockBytes];
        for (var at = 0; at < from.Length; at += stream.Length)
        {
            var count = Math.Min(stream.Length, from.Length - at);
            var blocks = (count + BlockBytes - 1) / BlockBytes;
            for (var i = 0; i < blocks; i++)
            {
                // Only the last 32 bits count, and wrap.
                counter = (counter & ~(UInt128)uint.MaxValue) | unchecked((uint)counter + 1);
                BinaryPrimitives.WriteUInt128BigEndian(counters[(i * BlockBytes)..], counter);
            }
            aes.EncryptEcb(counters[..(blocks * BlockBytes)], stream, PaddingMode.None);
            for (var i = 0; i < count; i++) to[at + i] = (byte)(from[at + i] ^ stream[i]);
        }
    }

    private static UInt128 Hash(UInt128 hashKey, ReadOnlySpan<byte> bytes)
    {
        Span<byte> last = stackalloc byte[BlockBytes];
        UInt128 hash = 0;
        while (bytes.Length > 0)
        {
            if (bytes.Length >= BlockBytes)
            {
                hash ^= BinaryPrimitives.ReadUInt128BigEndian(bytes);
                bytes = bytes[BlockBytes..];
            }
            else
            {
                last.Clear();
                bytes.CopyTo(last);
                hash ^= BinaryPrimitives.ReadUInt128BigEndian(last);
                bytes = [];
            }
            hash = Multiply(hash, hashKey);
        }
        return hash;
    }

    /// <summary>Product in GF(2^128), bits in GCM's order; the same steps whatever the bits are.</summary>
    private static UInt128 Multiply(UInt128 x, UInt128 y)
    {
        UInt128 product = 0;
        var reduction = (UInt128)0xE1 << 120;
        for (var i = 127; i >= 0; i--)
        {
            product ^= y & (unchecked(UInt128.Zero - ((x >> i) & 1)));
            y = (y >> 1) ^ (reduction & (unchecked(UInt128.Zero - (y & 1))));
        }
        return product;
    }
}
