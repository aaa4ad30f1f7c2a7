using System.Security.Cryptography;
using Polder.Cryptography;

namespace Polder.Overlay.Content;

/// <summary>
/// The hash tree of a piece of content, as far as it is known, and which leaves are here. A leaf's hash is SHA-256(0, bytes), a node's
/// SHA-256(1, left, right); a node without a right neighbour goes up unchanged (as RFC 6962 does). A leaf is believed when the hashes beside
/// its path lead to the root.
/// </summary>
public sealed class LeafTree
{
    /// <summary>Bytes of a leaf; the last may have less.</summary>
    public const int LeafBytes = 16 * 1024;

    /// <summary>Leaves at most: 64 GiB of content.</summary>
    public const int LeavesMax = 1 << 22;

    /// <summary>Hashes beside a path at most.</summary>
    public const int PathMax = 22;

    private readonly Hash256[][] _levels;
    private readonly ulong[] _have;

    /// <summary>A tree of which only the root is known.</summary>
    public LeafTree(ContentSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentOutOfRangeException.ThrowIfLessThan(summary.Size, 1, nameof(summary));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(summary.LeafCount, LeavesMax, nameof(summary));
        Summary = summary;
        var levels = new List<Hash256[]>();
        for (var count = summary.LeafCount; ; count = (count + 1) / 2)
        {
            levels.Add(new Hash256[count]);
            if (count == 1) break;
        }
        _levels = [.. levels];
        _levels[^1][0] = summary.Root;
        _have = new ulong[(summary.LeafCount + 63) / 64];
    }

    /// <summary>What it is the tree of.</summary>
    public ContentSummary Summary { get; }

    /// <summary>Leaves that are here.</summary>
    public int HaveCount { get; private set; }

    /// <summary>Whether every leaf is here.</summary>
    public bool IsComplete => HaveCount == Summary.LeafCount;

    /// <summary>Hash of a leaf's bytes.</summary>
    public static Hash256 HashLeaf(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, LeafBytes, nameof(bytes));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(bytes);
        Span<byte> digest = stackalloc byte[Hash256.Bytes];
        hash.GetHashAndReset(digest);
        return new Hash256(digest);
    }

    /// <summary>The whole tree over the hashes of all leaves.</summary>
    public static LeafTree Of(long size, IReadOnlyList<Hash256> leaves)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        ArgumentOutOfRangeException.ThrowIfZero(leaves.Count, nameof(leaves));
        var level = leaves.ToArray();
        while (level.Length > 1)
        {
            var above = new Hash256[(level.Length + 1) / 2];
            for (var i = 0; i < above.Length; i++) above[i] = 2 * i + 1 < level.Length ? HashNode(level[2 * i], level[2 * i + 1]) : level[2 * i];
            level = above;
        }
        var tree = new LeafTree(new ContentSummary(size, level[0]));
        if (tree.Summary.LeafCount != leaves.Count) throw new ArgumentException($"{size} bytes have {tree.Summary.LeafCount} leaves, not {leaves.Count}.", nameof(leaves));
        for (var i = 0; i < leaves.Count; i++) tree._levels[0][i] = leaves[i];
        for (var depth = 1; depth < tree._levels.Length; depth++)
            for (var i = 0; i < tree._levels[depth].Length; i++) tree._levels[depth][i] = tree.Parent(depth - 1, i);
        return tree;
    }

    /// <summary>Whether a leaf is here.</summary>
    public bool Has(int leaf) => (_have[leaf >> 6] >> (leaf & 63) & 1) != 0;

    /// <summary>Notes that a leaf is here. Its bytes were checked and stored before.</summary>
    public void Note(int leaf)
    {
        if (Has(leaf)) return;
        _have[leaf >> 6] |= 1ul << (leaf & 63);
        HaveCount++;
    }

    /// <summary>Notes that a leaf is not here any more: its bytes turned out to be damaged.</summary>
    public void Forget(int leaf)
    {
        if (!Has(leaf)) return;
        _have[leaf >> 6] &= ~(1ul << (leaf & 63));
        HaveCount--;
    }

    /// <summary>The hash of a leaf, if it is known.</summary>
    public Hash256? this[int leaf] => _levels[0][leaf] is var hash && hash == default ? null : hash;

    /// <summary>
    /// Checks a leaf's hash by the hashes beside its path, from the leaf upwards; when they lead to the root they are kept. False: they do not.
    /// </summary>
    public bool TryAdd(int leaf, Hash256 hash, ReadOnlySpan<Hash256> path)
    {
        if (leaf < 0 || leaf >= Summary.LeafCount || path.Length != PathLength(leaf)) return false;
        if (_levels[0][leaf] is var known && known != default) return known == hash;
        Span<Hash256> own = stackalloc Hash256[PathMax + 1];
        own[0] = hash;
        var (index, used) = (leaf, 0);
        for (var depth = 0; depth < _levels.Length - 1; depth++, index >>= 1)
        {
            if ((index ^ 1) >= _levels[depth].Length) own[depth + 1] = own[depth];
            else
            {
                var beside = path[used++];
                own[depth + 1] = (index & 1) == 0 ? HashNode(own[depth], beside) : HashNode(beside, own[depth]);
            }
        }
        if (own[_levels.Length - 1] != Summary.Root) return false;
        (index, used) = (leaf, 0);
        for (var depth = 0; depth < _levels.Length - 1; depth++, index >>= 1)
        {
            _levels[depth][index] = own[depth];
            if ((index ^ 1) < _levels[depth].Length) _levels[depth][index ^ 1] = path[used++];
        }
        return true;
    }

    /// <summary>How many hashes stand beside a leaf's path.</summary>
    public int PathLength(int leaf)
    {
        var (index, length) = (leaf, 0);
        for (var depth = 0; depth < _levels.Length - 1; depth++, index >>= 1)
            if ((index ^ 1) < _levels[depth].Length) length++;
        return length;
    }

    /// <summary>Writes the hashes beside a leaf's path, from the leaf upwards, and gives how many; −1 when one is not known.</summary>
    public int WritePath(int leaf, Span<Hash256> path)
    {
        var (index, length) = (leaf, 0);
        for (var depth = 0; depth < _levels.Length - 1; depth++, index >>= 1)
        {
            if ((index ^ 1) >= _levels[depth].Length) continue;
            var beside = _levels[depth][index ^ 1];
            if (beside == default) return -1;
            path[length++] = beside;
        }
        return length;
    }

    /// <summary>Bytes of <see cref="WriteHave"/>: a bit a leaf.</summary>
    public static int HaveBytes(int leaves) => (leaves + 7) / 8;

    /// <summary>Writes which leaves are here: bit i of byte i / 8 from the lowest.</summary>
    public void WriteHave(Span<byte> bits)
    {
        for (var i = 0; i < HaveBytes(Summary.LeafCount); i++) bits[i] = unchecked((byte)(_have[i >> 3] >> (8 * (i & 7))));
    }

    /// <summary>Everything known, for a file: which leaves are here, then all hashes, level by level from the leaves, zeros for unknown ones.</summary>
    public byte[] Save()
    {
        var bytes = new byte[SavedBytes];
        WriteHave(bytes);
        var at = HaveBytes(Summary.LeafCount);
        foreach (var level in _levels)
            foreach (var hash in level)
            {
                hash.CopyTo(bytes.AsSpan(at));
                at += Hash256.Bytes;
            }
        return bytes;
    }

    /// <summary>Reads what <see cref="Save"/> wrote. Null when it is not whole or does not fit: then nothing is known but the root.</summary>
    public static LeafTree? Load(ContentSummary summary, ReadOnlySpan<byte> bytes)
    {
        var tree = new LeafTree(summary);
        if (bytes.Length != tree.SavedBytes) return null;
        var have = bytes[..HaveBytes(summary.LeafCount)];
        var at = have.Length;
        foreach (var level in tree._levels)
            for (var i = 0; i < level.Length; i++, at += Hash256.Bytes) level[i] = new Hash256(bytes.Slice(at, Hash256.Bytes));
        if (tree._levels[^1][0] != summary.Root) return null;
        for (var leaf = 0; leaf < summary.LeafCount; leaf++)
            if ((have[leaf >> 3] >> (leaf & 7) & 1) != 0 && tree._levels[0][leaf] != default) tree.Note(leaf);
        return tree;
    }

    private int SavedBytes => checked(HaveBytes(Summary.LeafCount) + _levels.Sum(static level => level.Length) * Hash256.Bytes);

    private Hash256 Parent(int depth, int index)
    {
        var level = _levels[depth];
        return 2 * index + 1 < level.Length ? HashNode(level[2 * index], level[2 * index + 1]) : level[2 * index];
    }

    private static Hash256 HashNode(Hash256 left, Hash256 right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Hash256.Bytes];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Hash256.Bytes)..]);
        return Hash256.Of(input);
    }
}
