using Polder.Identity;

namespace Polder.Cryptography;

/// <summary>
/// How packets and blocks are signed. <see cref="Ed25519Signatures"/> everywhere but in large simulations, where a keyed
/// hash of the same size stands in for it (unforgeable inside its world, a hundred times faster).
/// </summary>
public interface ISignatures
{
    /// <summary>Writes the 64-byte signature of <paramref name="message"/> by <paramref name="key"/>.</summary>
    void Sign(KeyPair key, ReadOnlySpan<byte> message, Span<byte> signature);

    /// <summary>Whether <paramref name="signature"/> is the signature of <paramref name="message"/> by the owner of <paramref name="key"/>.</summary>
    bool Verify(PublicKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);
}

/// <summary>Real Ed25519.</summary>
public sealed class Ed25519Signatures : ISignatures
{
    /// <summary>The one instance; it has no state and may be used from any thread.</summary>
    public static Ed25519Signatures Instance { get; } = new();

    /// <inheritdoc/>
    public void Sign(KeyPair key, ReadOnlySpan<byte> message, Span<byte> signature) => key.Sign(message, signature);

    /// <inheritdoc/>
    public bool Verify(PublicKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(key.SigningKey, message, signature);
}
