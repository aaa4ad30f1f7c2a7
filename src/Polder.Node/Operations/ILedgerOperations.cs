namespace Polder.Node.Operations;

/// <summary>What people do with the ledger as a whole: figures, taking in many blocks, searching.</summary>
public interface ILedgerOperations
{
    /// <summary>Figures of everything that is held.</summary>
    Task<LedgerStatsView> StatsAsync(CancellationToken cancellation = default);

    /// <summary>Judges many packed blocks made elsewhere and keeps those that nothing is wrong with; says only what is wrong with the others.</summary>
    Task<TakenInView> TakeInAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default);

    /// <summary>Peers by the beginning of their short name or key, blocks by the beginning (from 4 digits) of their hash.</summary>
    Task<LedgerSearchView> SearchAsync(string text, CancellationToken cancellation = default);
}

/// <summary>The ledger in figures.</summary>
/// <param name="Store">Where it is: "sqlite" or "postgres".</param>
/// <param name="Blocks">Half blocks held.</param>
/// <param name="Chains">Peers of whom there are blocks.</param>
/// <param name="Peers">Those, and the others whom blocks name.</param>
/// <param name="Records">Agreed records of help: both halves held, and they say the same.</param>
/// <param name="Frauds">Proofs of fraud.</param>
/// <param name="DiskBytes">What the store takes of the disk.</param>
/// <param name="DiskBytesMax">What it may take of it; null when there is no limit.</param>
/// <param name="BlocksMax">How many blocks are kept of strangers before the oldest give way.</param>
/// <param name="Days">What was signed on each day, oldest first.</param>
public sealed record LedgerStatsView(
    string Store, long Blocks, long Chains, long Peers, long Records, int Frauds, long DiskBytes, long? DiskBytesMax, long BlocksMax, IReadOnlyList<DayView> Days);

/// <summary>One day of the ledger, by the clocks of those who signed.</summary>
/// <param name="Day">"2026-11-21"; null for blocks whose date cannot be.</param>
/// <param name="Blocks">Blocks signed.</param>
/// <param name="Users">Peers who signed.</param>
/// <param name="Newcomers">Peers who signed their first block.</param>
public sealed record DayView(string? Day, long Blocks, long Users, long Newcomers);

/// <summary>What became of many blocks.</summary>
/// <param name="Kept">New and kept.</param>
/// <param name="Known">Here already.</param>
/// <param name="Invalid">Not kept.</param>
/// <param name="Problems">The first of those, with their place (from 0) among the blocks given.</param>
public sealed record TakenInView(int Kept, int Known, int Invalid, IReadOnlyList<TakenInProblem> Problems);

/// <summary>A block that was not kept.</summary>
/// <param name="Index">Its place among the blocks given, from 0.</param>
/// <param name="Reason">What is wrong, in words.</param>
public sealed record TakenInProblem(int Index, string Reason);

/// <summary>What a search found.</summary>
/// <param name="Text">What was searched.</param>
/// <param name="Chains">Peers, those with the most blocks first.</param>
/// <param name="Blocks">Blocks.</param>
/// <param name="More">Whether there is more than is shown.</param>
public sealed record LedgerSearchView(string Text, IReadOnlyList<ChainLine> Chains, IReadOnlyList<BlockView> Blocks, bool More);

/// <summary>A chain in one line.</summary>
/// <param name="PublicKey">Hex of 74 bytes.</param>
/// <param name="Name">The short name.</param>
/// <param name="Blocks">How many blocks of it are held.</param>
/// <param name="Length">The highest number held.</param>
public sealed record ChainLine(string PublicKey, string Name, long Blocks, long Length);
