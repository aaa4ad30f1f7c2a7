using System.Security.Cryptography;
using System.Text;

namespace Polder.Cryptography;

/// <summary>
/// A secret sealed under a passphrase: Argon2id over its UTF-8 as typed (no Unicode normalisation: the program carries no
/// tables for it), then XSalsa20-Poly1305.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1     1  operations of Argon2id (passes)
///      2     2  memory of Argon2id in MiB
///      4    16  salt
///     20    24  nonce
///     44  16+n  Poly1305 tag and encrypted secret
/// </code></remarks>
public static unsafe class PassphraseBox
{
    private const byte Version = 1;
    private const int SaltBytes = 16, NonceBytes = 24, KeyBytes = 32, TagBytes = 16;
    private const int HeaderBytes = 4 + SaltBytes + NonceBytes;
    private const int Argon2Id = 2;

    /// <summary>Default passes of Argon2id (libsodium's "moderate").</summary>
    public const byte OperationsDefault = 3;
    /// <summary>Default memory of Argon2id in MiB (libsodium's "interactive").</summary>
    public const ushort MemoryMebibytesDefault = 64;
    /// <summary>A sealed file that asks for more memory than this, in MiB, is refused: it was not made by us.</summary>
    public const ushort MemoryMebibytesMax = 1024;

    /// <summary>Seals <paramref name="secret"/>. <paramref name="entropy"/> is 40 fresh random bytes: salt and nonce.</summary>
    public static byte[] Seal(
        ReadOnlySpan<byte> secret, string passphrase, ReadOnlySpan<byte> entropy,
        byte operations = OperationsDefault, ushort memoryMebibytes = MemoryMebibytesDefault)
    {
        if (entropy.Length != SaltBytes + NonceBytes) throw new ArgumentException("40 random bytes are needed.", nameof(entropy));
        var box = new byte[HeaderBytes + TagBytes + secret.Length];
        box[0] = Version;
        box[1] = operations;
        box[2] = (byte)(memoryMebibytes >> 8);
        box[3] = (byte)(memoryMebibytes & 0xFF);
        entropy.CopyTo(box.AsSpan(4));
        Span<byte> key = stackalloc byte[KeyBytes];
        Derive(passphrase, box.AsSpan(4, SaltBytes), operations, memoryMebibytes, key);
        fixed (byte* m = secret, n = box.AsSpan(4 + SaltBytes, NonceBytes), k = key, o = box.AsSpan(HeaderBytes))
            if (Sodium.SecretboxEasy(o, m, (ulong)secret.Length, n, k) != 0) throw new InvalidOperationException("Sealing failed.");
        CryptographicOperations.ZeroMemory(key);
        return box;
    }

    /// <summary>Opens what <see cref="Seal"/> made; <c>null</c> when the passphrase is wrong or the bytes are damaged.</summary>
    public static byte[]? TryOpen(ReadOnlySpan<byte> box, string passphrase)
    {
        if (box.Length < HeaderBytes + TagBytes || box[0] != Version) return null;
        var memoryMebibytes = (ushort)((box[2] << 8) | box[3]);
        if (box[1] is 0 or > 20 || memoryMebibytes is 0 or > MemoryMebibytesMax) return null;
        Span<byte> key = stackalloc byte[KeyBytes];
        Derive(passphrase, box.Slice(4, SaltBytes), box[1], memoryMebibytes, key);
        var secret = new byte[box.Length - HeaderBytes - TagBytes];
        fixed (byte* m = secret, n = box.Slice(4 + SaltBytes, NonceBytes), k = key, o = box[HeaderBytes..])
        {
            var opened = Sodium.SecretboxOpenEasy(m, o, (ulong)(box.Length - HeaderBytes), n, k) == 0;
            CryptographicOperations.ZeroMemory(key);
            return opened ? secret : null;
        }
    }

    private static void Derive(string passphrase, ReadOnlySpan<byte> salt, byte operations, ushort memoryMebibytes, Span<byte> key)
    {
        var text = Encoding.UTF8.GetBytes(passphrase);
        fixed (byte* t = text, s = salt, k = key)
            if (Sodium.Pwhash(k, KeyBytes, t, (ulong)text.Length, s, operations, (nuint)memoryMebibytes << 20, Argon2Id) != 0)
                throw new InvalidOperationException($"There is not enough memory ({memoryMebibytes} MiB) to derive the key from the passphrase.");
        CryptographicOperations.ZeroMemory(text);
    }
}
