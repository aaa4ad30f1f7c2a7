using System.Runtime.InteropServices;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Stores;

/// <summary>
/// One agreed record of help in 16 bytes: both halves are held, signed by two, and say the same (reputation.md §1.1). Peers are the
/// store's own numbers; <see cref="IBlockStore.WorkKeys"/> says whose they are.
/// </summary>
/// <param name="Contributor">Number of who helped.</param>
/// <param name="Consumer">Number of who was helped; another than the contributor.</param>
/// <param name="Amount">How much; 1 to 2^40.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AgreedWork(int Contributor, int Consumer, long Amount);

/// <summary>Takes some agreed records; the span holds during the call only.</summary>
public delegate void AgreedWorkReader(ReadOnlySpan<AgreedWork> records);

/// <summary>A key and its number in a store. Numbers are above 0, dense but for those of peers that are gone, and stay while the store is open.</summary>
/// <param name="Number">The number.</param>
/// <param name="Key">74 bytes.</param>
public readonly record struct NumberedKey(int Number, ReadOnlyMemory<byte> Key);

/// <summary>What agreed records say of one peer in one unit; sums end at 2^63 − 1.</summary>
/// <param name="Gave">What it did for others.</param>
/// <param name="Got">What others did for it.</param>
/// <param name="Records">In how many records.</param>
public readonly record struct WorkSums(long Gave, long Got, long Records)
{
    /// <summary>With one record more, as far as it is about this peer.</summary>
    internal WorkSums With(in AgreedWork record, int peer) =>
        record.Contributor == peer ? this with { Gave = Plus(Gave, record.Amount), Records = Records + 1 }
        : record.Consumer == peer ? this with { Got = Plus(Got, record.Amount), Records = Records + 1 } : this;

    /// <summary>With one record less.</summary>
    internal WorkSums Without(in AgreedWork record, int peer) =>
        record.Contributor == peer ? this with { Gave = Math.Max(0, Gave - record.Amount), Records = Math.Max(0, Records - 1) }
        : record.Consumer == peer ? this with { Got = Math.Max(0, Got - record.Amount), Records = Math.Max(0, Records - 1) } : this;

    private static long Plus(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
}

/// <summary>A block and its place in the order in which blocks were added. Places rise; there may be holes.</summary>
/// <param name="Place">From 1.</param>
/// <param name="Block">The block.</param>
public readonly record struct PlacedBlock(long Place, HalfBlock Block);

/// <summary>What a store holds in all; what waits for the disk may be missing.</summary>
/// <param name="Blocks">Half blocks.</param>
/// <param name="Bytes">What they take, without the keys and numbers that are kept once for many.</param>
/// <param name="Records">Agreed records of help.</param>
/// <param name="Chains">Peers of whom there are blocks.</param>
/// <param name="Peers">Those, and the others whom blocks name.</param>
public readonly record struct StoreTotals(long Blocks, long Bytes, long Records, long Chains, long Peers);

/// <summary>What a store counts of one day, by the clocks of those who signed.</summary>
/// <param name="Day">The day; null for blocks dated before 1970 or after 2170.</param>
/// <param name="Blocks">Blocks held that were signed on it.</param>
/// <param name="Users">Chains with a block on it, for chains that came in order.</param>
/// <param name="Newcomers">Chains whose first block is of it.</param>
public readonly record struct DayCount(DateOnly? Day, long Blocks, long Users, long Newcomers)
{
    /// <summary>The day of blocks whose date cannot be.</summary>
    internal const int Undated = -1;

    private const ulong MillisecondsADay = 86_400_000;
    private const int DaysMax = 73_414;

    /// <summary>Days since 1970 of a block's time; bounded, because strangers write it.</summary>
    internal static int NumberOf(ulong timestamp) => timestamp / MillisecondsADay is <= DaysMax and var day ? (int)day : Undated;

    internal static DayCount Of(int day, long blocks, long users, long newcomers) =>
        new(day == Undated ? null : DateOnly.FromDayNumber(DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber + day), blocks, users, newcomers);
}
