namespace Polder.Cryptography;

/// <summary>X25519 key agreement (RFC 7748).</summary>
public static unsafe class X25519
{
    /// <summary>Bytes of a secret, a public key and a shared secret.</summary>
    public const int KeyBytes = 32;

    /// <summary>The public key of a secret; both 32 bytes.</summary>
    public static void PublicKey(ReadOnlySpan<byte> secret, Span<byte> publicKey)
    {
        if (secret.Length != KeyBytes || publicKey.Length != KeyBytes) throw new ArgumentException("X25519 keys have 32 bytes.");
        fixed (byte* s = secret, p = publicKey)
            if (Sodium.ScalarmultBase(p, s) != 0) throw new InvalidOperationException("X25519 failed.");
    }

    /// <summary>The shared secret, 32 bytes; false when it would be all zero (a small-order public key).</summary>
    public static bool TryAgree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        if (secret.Length != KeyBytes || shared.Length != KeyBytes) throw new ArgumentException("X25519 keys have 32 bytes.");
        if (publicKey.Length != KeyBytes) return false;
        fixed (byte* s = secret, p = publicKey, o = shared)
            return Sodium.Scalarmult(o, s, p) == 0;
    }
}
