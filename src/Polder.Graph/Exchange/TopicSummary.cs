using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polder.Graph.Exchange;

/// <summary>
/// A Merkle tree over the entries of a topic, of one fixed form: 4,096 leaves by the first 12 bits of an entry's place, 64 branches of 64 leaves.
/// A leaf is the sum (mod 2^128) of the hashes of its entries, so that one change costs one addition, whatever the size; a branch is the
/// first 16 bytes of the SHA-256 of its leaves. Two nodes with the same branches hold the same, but for what somebody constructs on purpose:
/// sums can be made to collide, and who does that can hide entries of his own making.
/// </summary>
internal sealed class TopicSummary
{
    public const int Branches = 64, LeavesPerBranch = 64, Leaves = Branches * LeavesPerBranch;

    private readonly UInt128[] _leaves = new UInt128[Leaves];

    /// <summary>Entries in it.</summary>
    public long Count { get; private set; }

    /// <summary>The leaf of a place.</summary>
    public static int LeafOf(ulong place) => (int)(place >> 52);

    public void Add(ulong place, UInt128 hash)
    {
        unchecked { _leaves[LeafOf(place)] += hash; }
        Count++;
    }

    public void Remove(ulong place, UInt128 hash)
    {
        unchecked { _leaves[LeafOf(place)] -= hash; }
        Count--;
    }

    public UInt128 Leaf(int leaf) => _leaves[leaf];

    /// <summary>The 64 leaves of a branch.</summary>
    public UInt128[] LeavesOf(int branch) => _leaves.AsSpan(branch * LeavesPerBranch, LeavesPerBranch).ToArray();

    /// <summary>All branches.</summary>
    public UInt128[] BranchHashes()
    {
        var branches = new UInt128[Branches];
        Span<byte> bytes = stackalloc byte[16 * LeavesPerBranch], hash = stackalloc byte[SHA256.HashSizeInBytes];
        for (var branch = 0; branch < Branches; branch++)
        {
            for (var i = 0; i < LeavesPerBranch; i++) BinaryPrimitives.WriteUInt128BigEndian(bytes[(16 * i)..], _leaves[branch * LeavesPerBranch + i]);
            SHA256.HashData(bytes, hash);
            branches[branch] = BinaryPrimitives.ReadUInt128BigEndian(hash);
        }
        return branches;
    }

    public void Clear()
    {
        Array.Clear(_leaves);
        Count = 0;
    }
}
