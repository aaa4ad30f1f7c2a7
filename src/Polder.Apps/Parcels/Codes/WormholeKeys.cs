using System.Security.Cryptography;
using System.Text;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Codes;

/// <summary>What both sides derive from the key that SPAKE2 gave them (docs/wire/wormhole.md, "Keys and phases").</summary>
/// <remarks><code>
/// derive(purpose, n) = HKDF-SHA256(key, no salt, info = purpose, n)
/// verifier           = derive("wormhole:verifier", 32)
/// phase key          = derive("wormhole:phase:" ‖ SHA256(side) ‖ SHA256(phase), 32)        side = the writer's
/// body               = nonce(24) ‖ tag(16) ‖ ciphertext                                    XSalsa20-Poly1305
/// transit key        = derive(app id ‖ "/transit-key", 32)
/// </code></remarks>
/// <param name="key">The key of the run.</param>
public sealed class WormholeKeys(Hash256 key)
{
    /// <summary>The app id of file transfer, the identity of its SPAKE2 runs.</summary>
    public const string FileTransferAppId = "lothar.com/wormhole/text-or-file-xfer";
    /// <summary>Bytes that a sealed body is longer than its text.</summary>
    public const int OverheadBytes = SecretBox.NonceBytes + SecretBox.TagBytes;

    /// <summary>Both people can compare this: equal means nobody sits between them.</summary>
    public Hash256 Verifier => new(Derive("wormhole:verifier"u8, 32));

    /// <summary>The key of the bulk transfer.</summary>
    public Hash256 TransitKey => new(Derive("lothar.com/wormhole/text-or-file-xfer/transit-key"u8, 32));

    /// <summary>Bytes for a purpose of its own.</summary>
    public byte[] Derive(ReadOnlySpan<byte> purpose, int length)
    {
        Span<byte> secret = stackalloc byte[Hash256.Bytes];
        key.CopyTo(secret);
        var bytes = new byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, bytes, default, purpose);
        CryptographicOperations.ZeroMemory(secret);
        return bytes;
    }

    /// <summary>The key of one phase of one writer.</summary>
    public byte[] PhaseKey(string side, string phase)
    {
        Span<byte> purpose = stackalloc byte[15 + 2 * Hash256.Bytes];
        "wormhole:phase:"u8.CopyTo(purpose);
        Hash256.Of(Encoding.UTF8.GetBytes(side)).CopyTo(purpose[15..]);
        Hash256.Of(Encoding.UTF8.GetBytes(phase)).CopyTo(purpose[(15 + Hash256.Bytes)..]);
        return Derive(purpose, SecretBox.KeyBytes);
    }

    /// <summary>Seals what <paramref name="side"/> writes in <paramref name="phase"/>. The nonce is 24 fresh random bytes.</summary>
    public byte[] Seal(string side, string phase, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext)
    {
        var body = new byte[OverheadBytes + plaintext.Length];
        nonce.CopyTo(body);
        SecretBox.Seal(PhaseKey(side, phase), nonce, plaintext, body.AsSpan(SecretBox.NonceBytes));
        return body;
    }

    /// <summary>Opens a body; <c>null</c> when it was not written with this key, by this side, in this phase.</summary>
    public byte[]? TryOpen(string side, string phase, ReadOnlySpan<byte> body)
    {
        if (body.Length < OverheadBytes) return null;
        var plaintext = new byte[body.Length - OverheadBytes];
        return SecretBox.TryOpen(PhaseKey(side, phase), body[..SecretBox.NonceBytes], body[SecretBox.NonceBytes..], plaintext) ? plaintext : null;
    }
}
