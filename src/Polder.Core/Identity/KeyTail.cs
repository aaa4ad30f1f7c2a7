using System.Diagnostics.CodeAnalysis;

namespace Polder.Identity;

/// <summary>A public key without its 10-byte tag, which is the same for all: 64 bytes, as invitations, bundles and letters carry it.</summary>
public static class KeyTail
{
    /// <summary>Its length.</summary>
    public const int Bytes = KeyFormat.Bytes - KeyFormat.TagBytes;

    /// <summary>The bytes of a key that come after the tag.</summary>
    public static ReadOnlySpan<byte> Of(PublicKey key) => key.Bytes[KeyFormat.TagBytes..];

    /// <summary>The key of these 64 bytes; false when the length is another or no such key exists.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        if (bytes.Length != Bytes) return false;
        Span<byte> whole = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(whole);
        bytes.CopyTo(whole[KeyFormat.TagBytes..]);
        return PublicKey.TryParse(whole, out key);
    }
}
