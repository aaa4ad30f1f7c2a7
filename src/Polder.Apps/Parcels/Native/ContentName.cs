using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>
/// The name of a piece of content in a parcel: the root of a hash tree over its leaves, its size and its leaf size (wormhole.md §8). The same
/// bytes have the same name on every node.
/// </summary>
/// <remarks><code>
/// leaf            64 KiB, doubled until there are at most 2^18 leaves; the last one is shorter
/// h(leaf)       = SHA256(00 ‖ bytes)
/// h(pair)       = SHA256(01 ‖ left ‖ right), an odd one out moves up unchanged; no leaf at all: SHA256("")
/// root          = SHA256(02 ‖ size (8) ‖ leaf (4) ‖ top), big-endian
/// </code></remarks>
internal static class ContentName
{
    /// <summary>Bytes of a leaf of everything up to 16 GiB.</summary>
    public const int LeafBytesLeast = 64 * 1024;

    /// <summary>Leaves of one item at most.</summary>
    public const int LeavesMax = 1 << 18;

    /// <summary>
    /// Bytes of a leaf at most: it goes in one record of at most 1 MiB. So an item has at most 2^18 × 512 KiB = 128 GiB; records could carry no more.
    /// </summary>
    public const int LeafBytesMost = 512 * 1024;

    /// <summary>The largest item, 128 GiB.</summary>
    public const long SizeMax = (long)LeavesMax * LeafBytesMost;

    /// <summary>Bytes of a leaf of an item of that size.</summary>
    public static int LeafBytesOf(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, SizeMax);
        var leaf = LeafBytesLeast;
        while ((long)leaf * LeavesMax < size) leaf *= 2;
        return leaf;
    }

    /// <summary>How many leaves an item of that size has; 0 for an empty one.</summary>
    public static int LeafCountOf(long size)
    {
        var leaf = LeafBytesOf(size);
        return (int)((size + leaf - 1) / leaf);
    }

    /// <summary>Bytes of one leaf: all are whole but the last.</summary>
    public static int LengthOf(long size, int leaf)
    {
        var bytes = LeafBytesOf(size);
        return (int)Math.Min(bytes, size - (long)leaf * bytes);
    }

    /// <summary>The hash of a leaf's bytes.</summary>
    public static Hash256 HashLeaf(ReadOnlySpan<byte> bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> digest = stackalloc byte[Hash256.Bytes];
        digest[0] = 0;
        hash.AppendData(digest[..1]);
        hash.AppendData(bytes);
        hash.GetHashAndReset(digest);
        return new Hash256(digest);
    }

    /// <summary>The root over the hashes of all leaves. Their number must be that of the size.</summary>
    public static Hash256 Root(long size, ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.Length != LeafCountOf(size)) throw new ArgumentException($"{size} bytes have {LeafCountOf(size)} leaves, not {leaves.Length}.", nameof(leaves));
        Span<byte> input = stackalloc byte[1 + 8 + 4 + Hash256.Bytes];
        input[0] = 2;
        BinaryPrimitives.WriteInt64BigEndian(input[1..], size);
        BinaryPrimitives.WriteInt32BigEndian(input[9..], LeafBytesOf(size));
        Top(leaves).CopyTo(input[13..]);
        return Hash256.Of(input);
    }

    // A tree whose odd one out moves up is the tree that splits at the largest power of two below the count; a stack of the
    // subtrees that are whole needs one pass and 18 places.
    private static Hash256 Top(ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.IsEmpty) return Hash256.Of([]);
        Span<Hash256> stack = stackalloc Hash256[20];
        var height = 0;
        for (var i = 0; i < leaves.Length; i++)
        {
            stack[height++] = leaves[i];
            for (var whole = BitOperations.TrailingZeroCount(i + 1); whole > 0; whole--, height--) stack[height - 2] = Pair(stack[height - 2], stack[height - 1]);
        }
        for (; height > 1; height--) stack[height - 2] = Pair(stack[height - 2], stack[height - 1]);
        return stack[0];
    }

    private static Hash256 Pair(in Hash256 left, in Hash256 right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Hash256.Bytes];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Hash256.Bytes)..]);
        return Hash256.Of(input);
    }
}
