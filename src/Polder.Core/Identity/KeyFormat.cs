namespace Polder.Identity;

/// <summary>The layout of IPv8's normal key type (libnacl form).</summary>
/// <remarks><code>
/// offset  size  public key             private key
///      0    10  ASCII "LibNaCLPK:"     ASCII "LibNaCLSK:"
///     10    32  X25519 public key      X25519 secret
///     42    32  Ed25519 public key     Ed25519 seed
/// </code></remarks>
public static class KeyFormat
{
    /// <summary>Bytes of a public or private key in wire form.</summary>
    public const int Bytes = 74;
    /// <summary>Bytes of the tag in front.</summary>
    public const int TagBytes = 10;
    /// <summary>Where the second half, the signing key, begins.</summary>
    public const int SigningOffset = 42;

    /// <summary>Tag of a public key.</summary>
    public static ReadOnlySpan<byte> PublicTag => "LibNaCLPK:"u8;
    /// <summary>Tag of a private key.</summary>
    public static ReadOnlySpan<byte> PrivateTag => "LibNaCLSK:"u8;
}
