using System.Buffers.Binary;
using Polder.Cryptography;

namespace Polder.Overlay.Content;

/// <summary>
/// The name of a piece of content: SHA-256 over "polder content 1", its size (8 bytes, big-endian) and the root of its hash tree. Whoever has
/// the name can check size, root and every leaf.
/// </summary>
public readonly record struct ContentId(Hash256 Hash)
{
    /// <summary>Its size: 32 bytes.</summary>
    public const int Bytes = Hash256.Bytes;

    /// <summary>The name of content of that size and root.</summary>
    public static ContentId Of(long size, Hash256 root)
    {
        Span<byte> input = stackalloc byte[16 + 8 + Hash256.Bytes];
        "polder content 1"u8.CopyTo(input);
        BinaryPrimitives.WriteInt64BigEndian(input[16..], size);
        root.CopyTo(input[24..]);
        return new ContentId(Hash256.Of(input));
    }

    /// <summary>Reads 64 hex digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ContentId id)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        id = default;
        if (text.Length != 2 * Bytes || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = new ContentId(new Hash256(bytes));
        return true;
    }

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString() => Hash.ToString();
}

/// <summary>What a piece of content is: enough to check every byte of it.</summary>
/// <param name="Size">Bytes, at least 1.</param>
/// <param name="Root">Root of its hash tree.</param>
public sealed record ContentSummary(long Size, Hash256 Root)
{
    /// <summary>Its name.</summary>
    public ContentId Id { get; } = ContentId.Of(Size, Root);

    /// <summary>How many leaves it has.</summary>
    public int LeafCount { get; } = checked((int)((Size + LeafTree.LeafBytes - 1) / LeafTree.LeafBytes));

    /// <summary>Bytes of one leaf: 16 KiB, the last may have less.</summary>
    public int LengthOf(int leaf) => (int)Math.Min(LeafTree.LeafBytes, Size - (long)leaf * LeafTree.LeafBytes);
}
