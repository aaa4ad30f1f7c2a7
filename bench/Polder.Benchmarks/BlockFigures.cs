using System.Text;
using Polder.Cryptography;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Validation;
using Polder.Node.Runtime;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Benchmarks;

/// <summary>
/// Blocks validated and durably stored: signatures on the workers, the rules on the loop, SQLite flushed to the disk before the
/// clock stops. The limit is what one core could verify if it did nothing else.
/// </summary>
internal static class BlockFigures
{
    private const int ChainCount = 64, BlocksPerChain = 192;
    private const int RoundCount = 5;
    private const double OneWorkerMin = 0.85, BothCoresMin = 1.7;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var packed = Make();
        say($"{packed.Count} blocks of {packed[0].Length} bytes are signed");
        var raw = new RawSignatures(packed[0].Length);
        await IngestAsync(packed, workers: 2).ConfigureAwait(false);
        List<Round> one = [], both = [];
        for (var round = 0; round < RoundCount; round++)
        {
            stop.ThrowIfCancellationRequested();
            var before = raw.VerifiesPerSecond(TimeSpan.FromMilliseconds(150));
            var (a, oneCost) = await IngestAsync(packed, workers: 1).ConfigureAwait(false);
            var between = raw.VerifiesPerSecond(TimeSpan.FromMilliseconds(150));
            var (b, bothCost) = await IngestAsync(packed, workers: 2).ConfigureAwait(false);
            var after = raw.VerifiesPerSecond(TimeSpan.FromMilliseconds(150));
            one.Add(new(a, (before + between) / 2));
            both.Add(new(b, (between + after) / 2));
            say($"{a:0} with one worker, {b:0} with two; one core verifies {between:0}");
            say($"of the processors: {oneCost:0.0} and {bothCost:0.0} µs a block, {raw.VerifyMicroseconds(500):0.0} µs a verification");
        }
        var (x, y) = (Rounds.Median(one), Rounds.Median(both));
        return
        [
            new("blocks validated and stored, one worker", x.Path, "a second", x.Raw, x.Share, "at least 0.85 of one core's verifications", x.Share >= OneWorkerMin),
            new("blocks validated and stored, two workers", y.Path, "a second", y.Raw, y.Share, "at least 1.70 of one core's verifications", y.Share >= BothCoresMin),
        ];
    }

    /// <summary>Takes all in, into a database of its own; blocks a second until all are safe on the disk, and what a block cost the processors.</summary>
    private static async Task<(double PerSecond, double Microseconds)> IngestAsync(List<byte[]> packed, int workers)
    {
        using var folder = new BenchFolder();
        using var owner = BenchKeys.Make(999_998);
        await using var loop = new ThreadLoop("bench ledger");
        using var store = SqliteBlockStore.Open(folder.File("chain.db"), owner.Public.Bytes, TimeProvider.System.GetUtcNow());
        var environment = new NodeEnvironment(
            loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(1), NoSocket.Instance, new ThreadPoolWorkers(loop, workers), Ed25519Signatures.Instance);
        // Unpacking is part of the work: nothing that was computed before may help.
        var blocks = packed.Select(static bytes => HalfBlock.TryUnpack(bytes, out var block) ? block : throw new InvalidOperationException("A block of ours is unreadable."));
        var cost = ProcessorTime.OfProcess();
        var began = TimeProvider.System.GetTimestamp();
        var result = await loop.InvokeAsync(() =>
            new BlockIngest(environment, store, new BlockValidator(Ed25519Signatures.Instance)).RunAsync(blocks)).ConfigureAwait(false);
        var passed = TimeProvider.System.GetElapsedTime(began);
        cost = ProcessorTime.OfProcess() - cost;
        if (result.Kept != packed.Count) throw new InvalidOperationException($"Of {packed.Count} good blocks {result.Kept} were kept: {result}.");
        return (packed.Count / passed.TotalSeconds, cost.TotalMicroseconds / packed.Count);
    }

    /// <summary>Chains in pairs: each proposal of the one is followed by the agreement of the other.</summary>
    private static List<byte[]> Make()
    {
        var packed = new List<byte[]>(ChainCount * BlocksPerChain);
        for (var pair = 0; pair < ChainCount; pair += 2)
        {
            using var left = BenchKeys.Make(10_000 + pair);
            using var right = BenchKeys.Make(10_001 + pair);
            var (leftTip, rightTip) = (HalfBlock.GenesisHash, HalfBlock.GenesisHash);
            for (var number = 1u; number <= BlocksPerChain; number++)
            {
                var words = Encoding.ASCII.GetBytes($"a1d2i6amount{number.ToString(System.Globalization.CultureInfo.InvariantCulture).Length}i{number}");
                var proposal = HalfBlock.Create(Ed25519Signatures.Instance, left, new BlockFields
                {
                    Sequence = number, LinkKey = right.Public.Bytes, PreviousHash = leftTip, Type = "bench"u8, Transaction = words, Timestamp = 1_700_000_000_000ul + number,
                });
                var agreement = HalfBlock.Create(Ed25519Signatures.Instance, right, new BlockFields
                {
                    Sequence = number, LinkKey = left.Public.Bytes, LinkSequence = number, PreviousHash = rightTip, Type = "bench"u8, Transaction = words,
                    Timestamp = 1_700_000_000_001ul + number,
                });
                (leftTip, rightTip) = (proposal.Hash, agreement.Hash);
                packed.Add(proposal.Packed.ToArray());
                packed.Add(agreement.Packed.ToArray());
            }
        }
        return packed;
    }
}
