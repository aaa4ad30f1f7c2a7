using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Overlay.Content;

namespace Polder.Apps.Chat;

/// <summary>
/// How attachments lie where others fetch them: in parts that are sealed to leaves of the content tree, each on its own, so that any part can
/// be checked, resumed and read. AES-256-GCM under a key made for this one file; the part's number is the nonce, the size of the file is bound in.
/// </summary>
internal static class AttachmentCipher
{
    public const int TagBytes = 16;
    /// <summary>Bytes of the file in one leaf.</summary>
    public const int PartBytes = LeafTree.LeafBytes - TagBytes;
    /// <summary>The largest file.</summary>
    public const long SizeMax = (long)PartBytes * LeafTree.LeavesMax;

    /// <summary>Bytes that a file takes sealed.</summary>
    public static long SealedBytes(long size) => size + PartsOf(size) * TagBytes;

    public static long PartsOf(long size) => (size + PartBytes - 1) / PartBytes;

    /// <summary>Seals part <paramref name="number"/> of a file of that size into a leaf.</summary>
    public static void Seal(AesGcm key, long size, long number, ReadOnlySpan<byte> part, Span<byte> leaf)
    {
        Span<byte> nonce = stackalloc byte[12], bound = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], number);
        BinaryPrimitives.WriteInt64BigEndian(bound, size);
        key.Encrypt(nonce, part, leaf[..part.Length], leaf.Slice(part.Length, TagBytes), bound);
    }

    /// <summary>Opens a leaf; false when it is not part of this file under this key.</summary>
    public static bool TryOpen(AesGcm key, long size, long number, ReadOnlySpan<byte> leaf, Span<byte> part)
    {
        if (leaf.Length < TagBytes || part.Length != leaf.Length - TagBytes) return false;
        Span<byte> nonce = stackalloc byte[12], bound = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], number);
        BinaryPrimitives.WriteInt64BigEndian(bound, size);
        try
        {
            key.Decrypt(nonce, leaf[..part.Length], leaf[part.Length..], part, bound);
            return true;
        }
        catch (AuthenticationTagMismatchException) { return false; }
    }

    public static AesGcm Cipher(Hash256 key)
    {
        Span<byte> bytes = stackalloc byte[32];
        key.CopyTo(bytes);
        var cipher = new AesGcm(bytes, TagBytes);
        CryptographicOperations.ZeroMemory(bytes);
        return cipher;
    }
}
