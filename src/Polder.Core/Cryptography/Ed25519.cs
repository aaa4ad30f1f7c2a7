namespace Polder.Cryptography;

/// <summary>Ed25519 signatures (RFC 8032), deterministic. libsodium's verdict defines what is valid.</summary>
public static unsafe class Ed25519
{
    /// <summary>Bytes of a seed, the secret that a key pair is made of.</summary>
    public const int SeedBytes = 32;
    /// <summary>Bytes of a public key.</summary>
    public const int PublicKeyBytes = 32;
    /// <summary>Bytes of an expanded secret key: the seed, then the public key.</summary>
    public const int SecretKeyBytes = 64;
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureBytes = 64;

    /// <summary>Expands a seed of 32 bytes into a secret key of 64 and a public key of 32 bytes.</summary>
    public static void Expand(ReadOnlySpan<byte> seed, Span<byte> secretKey, Span<byte> publicKey)
    {
        Require(seed.Length == SeedBytes && secretKey.Length == SecretKeyBytes && publicKey.Length == PublicKeyBytes);
        fixed (byte* s = seed, sk = secretKey, pk = publicKey)
            if (Sodium.SignSeedKeypair(pk, sk, s) != 0) throw new InvalidOperationException("Ed25519 key generation failed.");
    }

    /// <summary>Signs <paramref name="message"/> with an expanded secret key; writes 64 bytes.</summary>
    public static void Sign(ReadOnlySpan<byte> secretKey, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Require(secretKey.Length == SecretKeyBytes && signature.Length == SignatureBytes);
        fixed (byte* sk = secretKey, m = message, s = signature)
            if (Sodium.SignDetached(s, 0, m, (ulong)message.Length, sk) != 0) throw new InvalidOperationException("Ed25519 signing failed.");
    }

    /// <summary>Whether <paramref name="signature"/> is that key's signature of the message; false for any wrong length.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeyBytes || signature.Length != SignatureBytes) return false;
        fixed (byte* pk = publicKey, m = message, s = signature)
            return Sodium.SignVerifyDetached(s, m, (ulong)message.Length, pk) == 0;
    }

    /// <summary>Whether 32 bytes are a point of the main group in its one encoding: what every honest public key is.</summary>
    public static bool IsPoint(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != PublicKeyBytes) return false;
        fixed (byte* pk = publicKey) return Sodium.IsValidPoint(pk) == 1;
    }

    private static void Require(bool lengthsAreRight)
    {
        if (!lengthsAreRight) throw new ArgumentException("A key, seed or signature has the wrong length.");
    }
}
