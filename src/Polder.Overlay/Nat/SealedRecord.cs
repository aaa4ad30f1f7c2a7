using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Overlay.Nat;

/// <summary>A box around a puncture record that only its recipient opens. The record inside is signed; the box says nothing about who made it.</summary>
/// <remarks><code>
/// offset  size  field
///      0    32  a fresh X25519 public key
///     32     n  the record, ChaCha20-Poly1305 under HMAC-SHA-256(shared secret, "polder puncture 1" | fresh key | recipient's key (74)), counter 0
///   32+n    16  tag
/// </code></remarks>
internal static class SealedRecord
{
    public const int OverheadBytes = KeyBytes + TagBytes;
    private const int KeyBytes = 32, TagBytes = 16;
    private static ReadOnlySpan<byte> Label => "polder puncture 1"u8;

    public static byte[] Seal(ReadOnlySpan<byte> record, PublicKey recipient, ISessionCrypto crypto, Prng random)
    {
        var box = new byte[record.Length + OverheadBytes];
        Span<byte> secret = stackalloc byte[KeyBytes], shared = stackalloc byte[KeyBytes], key = stackalloc byte[KeyBytes];
        crypto.MakeKey(random, secret, box.AsSpan(0, KeyBytes));
        // A recipient whose key gives an all-zero secret chose it so: nobody else is harmed by a box that it cannot open.
        if (!crypto.TryAgree(secret, recipient.BoxKey, shared)) random.Fill(shared);
        KeyOf(crypto, shared, box.AsSpan(0, KeyBytes), recipient, key);
        crypto.Seal(key, 0, default, record, box.AsSpan(KeyBytes));
        secret.Clear();
        shared.Clear();
        key.Clear();
        return box;
    }

    public static byte[]? TryOpen(ReadOnlySpan<byte> box, KeyPair recipient, ISessionCrypto crypto)
    {
        if (box.Length <= OverheadBytes || box.Length > PunctureRecord.BytesMax + OverheadBytes) return null;
        Span<byte> shared = stackalloc byte[KeyBytes], key = stackalloc byte[KeyBytes];
        if (!crypto.TryAgree(recipient, box[..KeyBytes], shared)) return null;
        KeyOf(crypto, shared, box[..KeyBytes], recipient.Public, key);
        var record = new byte[box.Length - OverheadBytes];
        var opened = crypto.TryOpen(key, 0, default, box[KeyBytes..], record);
        shared.Clear();
        key.Clear();
        return opened ? record : null;
    }

    private static void KeyOf(ISessionCrypto crypto, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> fresh, PublicKey recipient, Span<byte> key)
    {
        Span<byte> context = stackalloc byte[Label.Length + KeyBytes + KeyFormat.Bytes];
        Label.CopyTo(context);
        fresh.CopyTo(context[Label.Length..]);
        recipient.Bytes.CopyTo(context[(Label.Length + KeyBytes)..]);
        crypto.Mac(shared, context, key);
    }
}
