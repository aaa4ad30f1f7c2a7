using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Apps.Chat;

/// <summary>
/// A group's secret for one member: X25519 between a key made for this box alone and the member's, HKDF-SHA-256, AES-256-GCM. Not libsodium's
/// sealed box only because that takes its randomness from the system, and a simulation must replay.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0    32  X25519 public key, used once
///     32    32  the secret, encrypted
///     64    16  tag
/// </code>Key: HKDF-SHA-256 of the shared secret, info "polder chat box 1" and both public keys; nonce zero.</remarks>
internal static class KeyBox
{
    public const int Bytes = 80, SecretBytes = 32;

    public static byte[] Seal(PublicKey to, Hash256 secret, Prng random)
    {
        Span<byte> ephemeral = stackalloc byte[32], shared = stackalloc byte[32], clear = stackalloc byte[SecretBytes];
        var box = new byte[Bytes];
        random.Fill(ephemeral);
        X25519.PublicKey(ephemeral, box.AsSpan(0, 32));
        // A key of small order agrees with nobody: whoever calls itself so gets a box that opens for nobody.
        if (!X25519.TryAgree(ephemeral, to.BoxKey, shared)) random.Fill(shared);
        secret.CopyTo(clear);
        using var cipher = Cipher(shared, box.AsSpan(0, 32), to);
        cipher.Encrypt(stackalloc byte[12], clear, box.AsSpan(32, SecretBytes), box.AsSpan(64));
        CryptographicOperations.ZeroMemory(clear);
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(ephemeral);
        return box;
    }

    /// <summary>The secret in a box; null when it is not for this key, or damaged.</summary>
    public static Hash256? TryOpen(KeyPair key, ReadOnlySpan<byte> box)
    {
        if (box.Length != Bytes) return null;
        Span<byte> shared = stackalloc byte[32], clear = stackalloc byte[SecretBytes];
        if (!key.TryAgree(box[..32], shared)) return null;
        using var cipher = Cipher(shared, box[..32], key.Public);
        try { cipher.Decrypt(stackalloc byte[12], box.Slice(32, SecretBytes), box[64..], clear); }
        catch (AuthenticationTagMismatchException) { return null; }
        return new Hash256(clear);
    }

    private static AesGcm Cipher(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> ephemeral, PublicKey to)
    {
        ReadOnlySpan<byte> tag = "polder chat box 1"u8;
        Span<byte> info = stackalloc byte[tag.Length + 64], key = stackalloc byte[32];
        tag.CopyTo(info);
        ephemeral.CopyTo(info[tag.Length..]);
        to.BoxKey.CopyTo(info[(tag.Length + 32)..]);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, key, [], info);
        var cipher = new AesGcm(key, 16);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }
}

/// <summary>Messages under a group's key: every header has a key of its own, so no nonce is ever used twice.</summary>
internal static class GroupCipher
{
    public const int TagBytes = 16;

    public static byte[] Seal(Hash256 secret, EventHeader header, ReadOnlySpan<byte> content)
    {
        var bytes = new byte[content.Length + TagBytes];
        Span<byte> bound = stackalloc byte[EventHeader.Bytes];
        var writer = new Polder.Wire.WireWriter(bound);
        header.Write(ref writer);
        using var cipher = Cipher(secret, bound);
        cipher.Encrypt(stackalloc byte[12], content, bytes.AsSpan(0, content.Length), bytes.AsSpan(content.Length), bound);
        return bytes;
    }

    public static byte[]? TryOpen(Hash256 secret, ChatEvent chat)
    {
        var box = chat.Content;
        if (box.Length < TagBytes) return null;
        var content = new byte[box.Length - TagBytes];
        using var cipher = Cipher(secret, chat.HeaderBytes);
        try { cipher.Decrypt(stackalloc byte[12], box[..content.Length], box[content.Length..], content, chat.HeaderBytes); }
        catch (AuthenticationTagMismatchException) { return null; }
        return content;
    }

    /// <summary>What a change says of its secret, so that all who open their boxes know that they got the same.</summary>
    public static Hash256 Commitment(Hash256 secret)
    {
        ReadOnlySpan<byte> tag = "polder chat commitment 1"u8;
        Span<byte> input = stackalloc byte[tag.Length + 32];
        tag.CopyTo(input);
        secret.CopyTo(input[tag.Length..]);
        return Hash256.Of(input);
    }

    private static AesGcm Cipher(Hash256 secret, ReadOnlySpan<byte> header)
    {
        Span<byte> input = stackalloc byte[32], key = stackalloc byte[32], salt = stackalloc byte[32];
        secret.CopyTo(input);
        SHA256.HashData(header, salt);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, input, key, salt, "polder chat message 1"u8);
        CryptographicOperations.ZeroMemory(input);
        var cipher = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }
}
