using Polder.Cryptography;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Stores;

/// <summary>
/// Where half blocks live. Reads are synchronous and see everything written so far, flushed or not. Writes are queued and
/// committed in groups in the order they were made; <see cref="FlushAsync"/> is the promise that they survive a crash.
/// Nothing that was added is changed, and nothing is removed but by <see cref="EvictAsync"/>. Everything is called on the node's loop.
/// </summary>
/// <remarks>
/// Chains are named by the 74 bytes of their owner's key. Look-ups that must be fast: (key, number) and (link key, link number).
/// That is two indexes on small integers once keys are numbered. A block is asked for by its hash by people only: that may
/// take as long as going through all of them. Frauds, refusals and invalid blocks are few: they can be read into memory at
/// the start.
/// </remarks>
public interface IBlockStore
{
    /// <summary>Blocks held, of everybody.</summary>
    long Count { get; }

    /// <summary>Blocks held of one chain.</summary>
    int CountOf(ReadOnlySpan<byte> key);

    /// <summary>The chains of which blocks are held, with how many and the highest number. In no order that anything may hang on.</summary>
    IReadOnlyList<ChainSummary> Chains();

    /// <summary>The block at this place of that chain.</summary>
    HalfBlock? Get(ReadOnlySpan<byte> key, uint sequence);

    /// <summary>The block with this hash. May go through all blocks: for people, not for protocols.</summary>
    HalfBlock? Get(Hash256 hash);

    /// <summary>The block with the highest number. Blocks below it may be missing.</summary>
    HalfBlock? Latest(ReadOnlySpan<byte> key);

    /// <summary>The nearest block with a lower number.</summary>
    HalfBlock? Before(ReadOnlySpan<byte> key, uint sequence);

    /// <summary>The nearest block with a higher number.</summary>
    HalfBlock? After(ReadOnlySpan<byte> key, uint sequence);

    /// <summary>Blocks of a chain with numbers from <paramref name="from"/> to <paramref name="to"/>, both included, lowest first, at most <paramref name="max"/>.</summary>
    IReadOnlyList<HalfBlock> Range(ReadOnlySpan<byte> key, uint from, uint to, int max);

    /// <summary>
    /// Blocks of any chain that link to numbers <paramref name="from"/> to <paramref name="to"/> (from 1) of this one: by link
    /// number, then in the order they were added, at most <paramref name="max"/>.
    /// </summary>
    IReadOnlyList<HalfBlock> LinkingTo(ReadOnlySpan<byte> key, uint from, uint to, int max);

    /// <summary>The lowest number that is not held: 1 when the first block is missing.</summary>
    uint LowestUnknown(ReadOnlySpan<byte> key);

    /// <summary>Every block, in the order they were added. Blocks may be added while it is gone through; those may come too or not.</summary>
    IEnumerable<HalfBlock> All();

    /// <summary>Every block behind a place in the order of all, with its own place; from the first when <paramref name="place"/> is 0. What waits for the disk has no place yet and does not come.</summary>
    IEnumerable<PlacedBlock> AllAfter(long place);

    /// <summary>What is held in all, from accounts that are kept: nothing is counted when asked.</summary>
    StoreTotals Totals();

    /// <summary>
    /// Every block of others that names this key as its counterparty, proposals included, in the order they were added. Fast for the
    /// owner of the store, for whom it is asked at every start; for any other key it may go through all blocks.
    /// </summary>
    IEnumerable<HalfBlock> Naming(ReadOnlySpan<byte> key);

    /// <summary>Blocks whose hash begins with these bytes (at least 2 of the 32), at most <paramref name="max"/>: for people who search.</summary>
    IReadOnlyList<HalfBlock> FindByHash(ReadOnlySpan<byte> prefix, int max);

    /// <summary>What the store takes of the disk at present, in bytes, room that it could use again not counted. What eviction brings down.</summary>
    long DiskBytes { get; }

    /// <summary>What was signed on each day, oldest first: kept up to date, not counted when asked. At most some 73,000 days.</summary>
    IReadOnlyList<DayCount> Days();

    /// <summary>The units in which there are agreed records, in no order that anything may hang on.</summary>
    IReadOnlyList<string> WorkUnits();

    /// <summary>
    /// Every agreed record of help in a unit, compact and in bulk: what a graph is made of at the start (reputation.md §1.1). A record is
    /// there from the moment when both its halves are held and flushed, each once, until the later half was evicted; those of proven
    /// cheaters are among them. Records whose halves wait for the disk may be missing.
    /// </summary>
    void ReadWork(string unit, AgreedWorkReader read);

    /// <summary>
    /// Whose the numbers of <see cref="ReadWork"/> are, for numbers above <paramref name="after"/>, rising: everybody who signed or is
    /// named by a block on the disk. Read it after the records, so that none is unknown.
    /// </summary>
    IEnumerable<NumberedKey> WorkKeys(int after = 0);

    /// <summary>The sums of one peer's agreed records in a unit: a look-up.</summary>
    WorkSums SumsOf(ReadOnlySpan<byte> key, string unit);

    /// <summary>
    /// Adds a block that was found not invalid. Answers false, and changes nothing, when there is a block at its place already:
    /// the first one stays, whether or not it is the same.
    /// </summary>
    bool Add(HalfBlock block);

    /// <summary>
    /// Adds many verified blocks at once; those whose place is taken are left out in silence. The way for bulk: nothing is
    /// looked up for the caller.
    /// </summary>
    void AddRange(IReadOnlyList<HalfBlock> blocks);

    /// <summary>
    /// Lets blocks go, those first that were added first, but none of which <paramref name="isKept"/> says so, and completes when
    /// that is safe on disk. Until then they may still be found. A call looks at a bounded number of blocks, the next one goes on
    /// from there, so it may let fewer go than it could. Proofs of fraud hold their own copies. One call at a time.
    /// </summary>
    /// <param name="max">At most so many.</param>
    /// <param name="isKept">Whether a block stays.</param>
    /// <returns>How many went.</returns>
    Task<int> EvictAsync(int max, Func<HalfBlock, bool> isKept);

    /// <summary>Everything known about proven frauds, in the order it was added.</summary>
    IReadOnlyList<FraudProof> Frauds();

    /// <summary>The first proof against the owner of this key.</summary>
    FraudProof? FraudOf(ReadOnlySpan<byte> key);

    /// <summary>Keeps a proof, both blocks in full. False when the same two blocks are kept already.</summary>
    bool AddFraud(FraudProof proof);

    /// <summary>Whether the owner refused this proposal.</summary>
    bool IsRefused(Hash256 proposal);

    /// <summary>Remembers a refusal.</summary>
    void AddRefusal(Hash256 proposal);

    /// <summary>Invalid blocks refused lately, newest last; of one chain when a key is given, of all when it is empty.</summary>
    IReadOnlyList<RefusedBlock> Refused(ReadOnlySpan<byte> key);

    /// <summary>Remembers an invalid block for the explorer. At most <see cref="Limits.RefusedBlocksMax"/>; the oldest gives way. Need not survive a crash.</summary>
    void AddRefused(RefusedBlock block);

    /// <summary>
    /// Completes when everything written before this call is safe on disk; many callers share one commit. Fails with an
    /// <see cref="IOException"/> that says what to do. What could not be written stays readable and queued, and every flush
    /// fails, until the store has written all of it after all; until then nothing may be signed.
    /// </summary>
    Task FlushAsync();
}

/// <summary>A chain in one line.</summary>
/// <param name="Key">The owner's 74 bytes.</param>
/// <param name="Blocks">How many are held.</param>
/// <param name="Latest">The highest number held.</param>
public readonly record struct ChainSummary(ReadOnlyMemory<byte> Key, int Blocks, uint Latest);

/// <summary>How somebody cheated.</summary>
public enum FraudKind
{
    /// <summary>Two different blocks of one chain with one number.</summary>
    DoubleSign = 1,
    /// <summary>Two agreements of one signer for one proposal.</summary>
    DoubleCountersign = 2,
}

/// <summary>Two blocks, both signed by the same key, that an honest signer never makes. Anybody can check it.</summary>
/// <param name="Kind">What the two prove.</param>
/// <param name="First">The block known first.</param>
/// <param name="Second">The other.</param>
public sealed record FraudProof(FraudKind Kind, HalfBlock First, HalfBlock Second)
{
    /// <summary>The 74 bytes of who signed both.</summary>
    public ReadOnlySpan<byte> Culprit => First.PublicKey;

    /// <summary>
    /// The proposal to which both agree, without which nobody else can check a double countersign; null in a double sign, and where a
    /// store keeps it with its other blocks.
    /// </summary>
    public HalfBlock? Proposal { get; init; }

    /// <summary>Whether both name the same two blocks, in any order.</summary>
    public bool SameBlocks(FraudProof other) =>
        (First.Hash == other.First.Hash && Second.Hash == other.Second.Hash) || (First.Hash == other.Second.Hash && Second.Hash == other.First.Hash);
}

/// <summary>An invalid block that was not kept.</summary>
/// <param name="Block">The block.</param>
/// <param name="Reason">What is wrong with it, in words.</param>
public sealed record RefusedBlock(HalfBlock Block, string Reason);
