using System.Diagnostics.CodeAnalysis;
using Polder.Identity;

namespace Polder.Apps.Bundles;

/// <summary>A public key without its 10-byte tag, which is the same for all: 64 bytes.</summary>
internal static class KeyTail
{
    public const int Bytes = KeyFormat.Bytes - KeyFormat.TagBytes;

    public static ReadOnlySpan<byte> Of(PublicKey key) => key.Bytes[KeyFormat.TagBytes..];

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
