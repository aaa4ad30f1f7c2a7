namespace Polder.Cryptography;

/// <summary>
/// Anonymous encryption to an X25519 key: libsodium's <c>crypto_box_seal</c> (ephemeral key, XSalsa20-Poly1305),
/// as kotlin-ipv8 uses it for encrypted payloads. 48 bytes longer than the message.
/// </summary>
public static unsafe class SealedBox
{
    /// <summary>Bytes that sealing adds.</summary>
    public const int OverheadBytes = 48;

    /// <summary>Seals <paramref name="message"/> to an X25519 public key of 32 bytes.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> message)
    {
        if (recipient.Length != X25519.KeyBytes) throw new ArgumentException("X25519 keys have 32 bytes.", nameof(recipient));
        var box = new byte[message.Length + OverheadBytes];
        fixed (byte* m = message, r = recipient, b = box)
            if (Sodium.BoxSeal(b, m, (ulong)message.Length, r) != 0) throw new InvalidOperationException("Sealing failed.");
        return box;
    }

    /// <summary>Opens a sealed box; <c>null</c> when it was not sealed to this key or was changed.</summary>
    public static byte[]? TryOpen(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> box)
    {
        if (publicKey.Length != X25519.KeyBytes || secret.Length != X25519.KeyBytes) throw new ArgumentException("X25519 keys have 32 bytes.");
        if (box.Length < OverheadBytes) return null;
        var message = new byte[box.Length - OverheadBytes];
        fixed (byte* m = message, p = publicKey, s = secret, b = box)
            return Sodium.BoxSealOpen(m, b, (ulong)box.Length, p, s) == 0 ? message : null;
    }
}
