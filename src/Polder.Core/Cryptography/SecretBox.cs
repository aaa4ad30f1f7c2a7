using System.Runtime.CompilerServices;

namespace Polder.Cryptography;

/// <summary>Secret-key encryption with libsodium's <c>crypto_secretbox</c> (XSalsa20-Poly1305): tag (16 bytes) ‖ ciphertext.</summary>
public static unsafe class SecretBox
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;
    /// <summary>Bytes of a nonce, which is never used twice under one key.</summary>
    public const int NonceBytes = 24;
    /// <summary>Bytes that the box is longer than the message.</summary>
    public const int TagBytes = 16;

    /// <summary>Seals <paramref name="message"/> into <paramref name="box"/>, which is 16 bytes longer and does not overlap it.</summary>
    public static void Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> message, Span<byte> box)
    {
        Check(key, nonce);
        if (box.Length != message.Length + TagBytes) throw new ArgumentException("The box is 16 bytes longer than the message.", nameof(box));
        fixed (byte* k = key, n = nonce, m = message, b = box)
        {
            // An empty span has no address; the function wants one even where it reads nothing.
            byte none;
            if (Sodium.SecretboxEasy(b, m is null ? &none : m, (ulong)message.Length, n, k) != 0) throw new InvalidOperationException("Sealing failed.");
        }
    }

    /// <summary>Opens what <see cref="Seal"/> made, into a span 16 bytes shorter; false when the key is another or a bit was changed.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> box, Span<byte> message)
    {
        Check(key, nonce);
        if (box.Length < TagBytes) return false;
        if (message.Length != box.Length - TagBytes) throw new ArgumentException("The message is 16 bytes shorter than the box.", nameof(message));
        fixed (byte* k = key, n = nonce, m = message, b = box)
        {
            byte none;
            return Sodium.SecretboxOpenEasy(m is null ? &none : m, b, (ulong)box.Length, n, k) == 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce)
    {
        if (key.Length != KeyBytes) throw new ArgumentException("A key has 32 bytes.", nameof(key));
        if (nonce.Length != NonceBytes) throw new ArgumentException("A nonce has 24 bytes.", nameof(nonce));
    }
}
