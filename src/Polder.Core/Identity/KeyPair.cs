using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Polder.Cryptography;

namespace Polder.Identity;

/// <summary>
/// A peer's secret: one X25519 and one Ed25519 pair, independent of each other. Owns its memory, which is pinned and
/// overwritten by <see cref="Dispose"/>.
/// </summary>
public sealed class KeyPair : IDisposable
{
    /// <summary>Random bytes that a new identity is made of.</summary>
    public const int EntropyBytes = 64;

    private readonly byte[] _boxSecret = GC.AllocateUninitializedArray<byte>(X25519.KeyBytes, pinned: true);
    private readonly byte[] _signingSecret = GC.AllocateUninitializedArray<byte>(Ed25519.SecretKeyBytes, pinned: true);
    private bool _disposed;

    private KeyPair(ReadOnlySpan<byte> boxSecret, ReadOnlySpan<byte> signingSeed)
    {
        Span<byte> box = stackalloc byte[X25519.KeyBytes], signing = stackalloc byte[Ed25519.PublicKeyBytes];
        boxSecret.CopyTo(_boxSecret);
        X25519.PublicKey(boxSecret, box);
        Ed25519.Expand(signingSeed, _signingSecret, signing);
        Public = PublicKey.FromHalves(box, signing);
    }

    /// <summary>A new identity from 64 random bytes. Production draws them from the system, simulations from their seed.</summary>
    public static KeyPair FromEntropy(ReadOnlySpan<byte> entropy)
    {
        if (entropy.Length != EntropyBytes) throw new ArgumentException("64 random bytes make an identity.", nameof(entropy));
        return new KeyPair(entropy[..32], entropy[32..]);
    }

    /// <summary>Reads a private key in IPv8's form (74 bytes, "LibNaCLSK:"), as py-ipv8 keeps in its key files.</summary>
    public static bool TryImport(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out KeyPair? pair)
    {
        pair = bytes.Length == KeyFormat.Bytes && bytes.StartsWith(KeyFormat.PrivateTag)
            ? new KeyPair(bytes[KeyFormat.TagBytes..KeyFormat.SigningOffset], bytes[KeyFormat.SigningOffset..])
            : null;
        return pair is not null;
    }

    /// <summary>The private key in IPv8's form, 74 bytes. The caller owns the copy and overwrites it.</summary>
    public byte[] Export()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var bytes = new byte[KeyFormat.Bytes];
        KeyFormat.PrivateTag.CopyTo(bytes);
        _boxSecret.CopyTo(bytes.AsSpan(KeyFormat.TagBytes));
        _signingSecret.AsSpan(0, Ed25519.SeedBytes).CopyTo(bytes.AsSpan(KeyFormat.SigningOffset));
        return bytes;
    }

    /// <summary>The public half.</summary>
    public PublicKey Public { get; }

    /// <summary>Writes the 64-byte Ed25519 signature of <paramref name="message"/>.</summary>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Ed25519.Sign(_signingSecret, message, signature);
    }

    /// <summary>The X25519 secret shared with the owner of a public key, 32 bytes; false when it would be all zero.</summary>
    public bool TryAgree(ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return X25519.TryAgree(_boxSecret, publicKey, shared);
    }

    /// <summary>Opens a box that was sealed to <see cref="Public"/>; <c>null</c> when it was not.</summary>
    public byte[]? TryOpen(ReadOnlySpan<byte> box)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return SealedBox.TryOpen(Public.BoxKey, _boxSecret, box);
    }

    /// <summary>Overwrites the secrets.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_boxSecret);
        CryptographicOperations.ZeroMemory(_signingSecret);
    }
}
