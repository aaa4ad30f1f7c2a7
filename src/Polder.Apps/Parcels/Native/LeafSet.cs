using System.Buffers.Binary;
using System.Numerics;

namespace Polder.Apps.Parcels.Native;

/// <summary>Which leaves of an item are here: a bit each, and the run lengths in which the receiver tells the sender.</summary>
internal sealed class LeafSet
{
    /// <summary>Run lengths in one <c>have</c> record at most; a set that is torn into more pieces is told in fewer, and some leaves come twice.</summary>
    public const int RunsMax = 64 * 1024;

    private readonly ulong[] _bits;

    /// <summary>A set in which every leaf is missing.</summary>
    public LeafSet(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, ContentName.LeavesMax);
        Count = count;
        _bits = new ulong[(count + 63) / 64];
    }

    /// <summary>Leaves of the item.</summary>
    public int Count { get; }

    /// <summary>Leaves that are here.</summary>
    public int Present { get; private set; }

    /// <summary>Whether all are.</summary>
    public bool IsComplete => Present == Count;

    /// <summary>Whether a leaf is here.</summary>
    public bool this[int leaf] => (_bits[leaf >> 6] >> (leaf & 63) & 1) != 0;

    /// <summary>Notes that a leaf is here.</summary>
    public void Add(int leaf)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)leaf, (uint)Count, nameof(leaf));
        if (this[leaf]) return;
        _bits[leaf >> 6] |= 1ul << (leaf & 63);
        Present++;
    }

    /// <summary>Takes a leaf back.</summary>
    public void Remove(int leaf)
    {
        if (!this[leaf]) return;
        _bits[leaf >> 6] &= ~(1ul << (leaf & 63));
        Present--;
    }

    /// <summary>Takes all back.</summary>
    public void Clear()
    {
        Array.Clear(_bits);
        Present = 0;
    }

    /// <summary>The first leaf from there on that is missing; <see cref="Count"/> for none.</summary>
    public int NextMissing(int from)
    {
        for (var leaf = from; leaf < Count;)
        {
            var rest = ~_bits[leaf >> 6] >> (leaf & 63);
            if (rest != 0) return Math.Min(Count, leaf + BitOperations.TrailingZeroCount(rest));
            leaf = (leaf | 63) + 1;
        }
        return Count;
    }

    /// <summary>The bits for a journal: bit i of byte i / 8 from the lowest.</summary>
    public byte[] Save()
    {
        var bytes = new byte[(Count + 7) / 8];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = unchecked((byte)(_bits[i >> 3] >> (8 * (i & 7))));
        return bytes;
    }

    /// <summary>Reads what <see cref="Save"/> wrote; null when it does not fit.</summary>
    public static LeafSet? Load(int count, ReadOnlySpan<byte> bytes)
    {
        if (count is < 0 or > ContentName.LeavesMax || bytes.Length != (count + 7) / 8) return null;
        var set = new LeafSet(count);
        for (var leaf = 0; leaf < count; leaf++)
            if ((bytes[leaf >> 3] >> (leaf & 7) & 1) != 0) set.Add(leaf);
        return set;
    }

    /// <summary>The run lengths of missing, present, missing … leaves, 4 bytes each, big-endian. Their sum is the count.</summary>
    public byte[] ToRuns()
    {
        // Short runs of leaves that are here are left out, the shortest first, until it fits.
        for (var shortest = 1; ; shortest *= 2)
        {
            if (Runs(shortest) is { } runs) return runs;
        }
    }

    private byte[]? Runs(int shortest)
    {
        var bytes = new List<byte>(64);
        Span<byte> four = stackalloc byte[4];
        for (int leaf = 0, missing = 0; leaf < Count;)
        {
            var end = NextMissing(leaf);
            if (end - leaf >= shortest)
            {
                if (bytes.Count >= 4 * (RunsMax - 2)) return null;
                Put(missing, four);
                Put(end - leaf, four);
                missing = 0;
            }
            else missing += end - leaf;
            for (leaf = end; leaf < Count && !this[leaf]; leaf++) missing++;
            if (leaf == Count && missing > 0) Put(missing, four);
        }
        return [.. bytes];

        void Put(int run, Span<byte> to)
        {
            BinaryPrimitives.WriteInt32BigEndian(to, run);
            bytes.AddRange(to);
        }
    }

    /// <summary>Reads run lengths. Null when they do not add up to exactly the count, or there are too many.</summary>
    public static LeafSet? FromRuns(int count, ReadOnlySpan<byte> runs)
    {
        if (count is < 0 or > ContentName.LeavesMax || runs.Length % 4 != 0 || runs.Length > 4 * RunsMax) return null;
        long sum = 0;
        for (var at = 0; at < runs.Length; at += 4) sum += BinaryPrimitives.ReadUInt32BigEndian(runs[at..]);
        if (sum != count) return null;
        var set = new LeafSet(count);
        var (leaf, present) = (0, false);
        for (var at = 0; at < runs.Length; at += 4, present = !present)
        {
            var end = leaf + BinaryPrimitives.ReadInt32BigEndian(runs[at..]);
            if (present)
                for (; leaf < end; leaf++) set.Add(leaf);
            leaf = end;
        }
        return set;
    }
}
