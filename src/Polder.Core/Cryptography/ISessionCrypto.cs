using Polder.Identity;
using Polder.Runtime;

namespace Polder.Cryptography;

/// <summary>
/// What secure sessions compute with: X25519, SHA-256, HMAC-SHA-256 and ChaCha20-Poly1305 everywhere but in large simulations, where
/// keyed mixing of the same sizes stands in. Without state; keys, secrets and digests have 32 bytes, tags 16.
/// </summary>
public interface ISessionCrypto
{
    /// <summary>Makes a fresh key pair.</summary>
    void MakeKey(Prng random, Span<byte> secret, Span<byte> publicKey);

    /// <summary>The secret shared by a fresh key and somebody's public key; false when it would be all zero.</summary>
    bool TryAgree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey, Span<byte> shared);

    /// <summary>The secret shared by an identity and somebody's public key; false when it would be all zero.</summary>
    bool TryAgree(KeyPair own, ReadOnlySpan<byte> publicKey, Span<byte> shared);

    /// <summary>The digest of two pieces, one behind the other.</summary>
    void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest);

    /// <summary>The keyed digest of a piece.</summary>
    void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> digest);

    /// <summary>
    /// Encrypts under key and counter (the nonce is four zero bytes and the counter, little-endian). <paramref name="box"/> has 16 bytes
    /// more than the text and may begin at the same place.
    /// </summary>
    void Seal(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> text, Span<byte> box);

    /// <summary>Decrypts; false, and nothing said about <paramref name="text"/>, when anything was changed. Both may begin at the same place.</summary>
    bool TryOpen(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> text);
}
