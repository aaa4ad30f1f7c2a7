using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Cryptography;

/// <summary>The real thing: X25519 and ChaCha20-Poly1305 from libsodium (faster than .NET's below 2 KB), SHA-256 and HMAC from .NET.</summary>
public sealed unsafe class SodiumSessionCrypto : ISessionCrypto
{
    private const int TagBytes = 16, NonceBytes = 12;

    /// <summary>The one instance; it has no state and may be used from any thread.</summary>
    public static SodiumSessionCrypto Instance { get; } = new();

    /// <inheritdoc/>
    public void MakeKey(Prng random, Span<byte> secret, Span<byte> publicKey)
    {
        ArgumentNullException.ThrowIfNull(random);
        random.Fill(secret);
        X25519.PublicKey(secret, publicKey);
    }

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey, Span<byte> shared) =>
        X25519.TryAgree(secret, publicKey, shared);

    /// <inheritdoc/>
    public bool TryAgree(KeyPair own, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        ArgumentNullException.ThrowIfNull(own);
        return own.TryAgree(publicKey, shared);
    }

    /// <inheritdoc/>
    public void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        // One call on one buffer is cheaper than an incremental hash object, and handshake pieces are short.
        Span<byte> joined = stackalloc byte[512];
        if (first.Length + second.Length > joined.Length) joined = new byte[first.Length + second.Length];
        first.CopyTo(joined);
        second.CopyTo(joined[first.Length..]);
        SHA256.HashData(joined[..(first.Length + second.Length)], digest);
    }

    /// <inheritdoc/>
    public void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> digest) => HMACSHA256.HashData(key, data, digest);

    /// <inheritdoc/>
    public void Seal(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> text, Span<byte> box)
    {
        Require(key, box.Length == text.Length + TagBytes);
        var nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, counter);
        fixed (byte* k = key, a = associated, m = text, c = box)
            if (Sodium.ChaCha20Poly1305Encrypt(c, null, m, (ulong)text.Length, a, (ulong)associated.Length, null, nonce, k) != 0)
                throw new InvalidOperationException("ChaCha20-Poly1305 failed.");
    }

    /// <inheritdoc/>
    public bool TryOpen(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> text)
    {
        if (box.Length < TagBytes) return false;
        Require(key, text.Length == box.Length - TagBytes);
        var nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, counter);
        fixed (byte* k = key, a = associated, m = text, c = box)
            return Sodium.ChaCha20Poly1305Decrypt(m, null, null, c, (ulong)box.Length, a, (ulong)associated.Length, nonce, k) == 0;
    }

    private static void WriteNonce(byte* nonce, ulong counter)
    {
        var bytes = new Span<byte>(nonce, NonceBytes);
        bytes[..4].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[4..], counter);
    }

    private static void Require(ReadOnlySpan<byte> key, bool lengthsAreRight)
    {
        if (key.Length != 32 || !lengthsAreRight) throw new ArgumentException("A key or box has the wrong length.");
    }
}
