using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Fraud;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Node.Folders;
using Polder.Node.Runtime;
using Polder.Node.Storage;
using Polder.Runtime;

namespace Polder.Node.Dumps;

/// <summary>How a dump is taken in.</summary>
public sealed record ImportOptions
{
    /// <summary>The signatures were checked before, by somebody who is trusted: ten times as fast. Blocks of the own chain are checked all the same. Default false.</summary>
    public bool IsVerified { get; init; }

    /// <summary>Lines that cannot be read are passed over and counted instead of ending the import. Default false.</summary>
    public bool SkipsBroken { get; init; }

    /// <summary>Threads that check signatures; 0 for one a processor. Default 0.</summary>
    public int Workers { get; init; }
}

/// <summary>What an import did. Whatever was kept stays kept, so an import that ended early is simply run again.</summary>
/// <param name="Kept">New blocks kept.</param>
/// <param name="Known">Blocks that were here already, or whose place was taken.</param>
/// <param name="Invalid">Blocks and proofs that something is wrong with.</param>
/// <param name="Frauds">New proofs of fraud.</param>
/// <param name="Broken">Lines passed over.</param>
/// <param name="ChainsWithGaps">Chains of which blocks between others are missing, after the import.</param>
/// <param name="MissingBlocks">How many are missing in them together.</param>
/// <param name="Problems">The first problems, each with its line.</param>
/// <param name="Form">What the file turned out to be.</param>
public sealed record ImportReport(
    long Kept, long Known, long Invalid, int Frauds, long Broken, long ChainsWithGaps, long MissingBlocks, IReadOnlyList<string> Problems, string Form);

/// <summary>Takes a dump into a store: streaming, idempotent, in the order of the dump.</summary>
public static class LedgerImport
{
    private const int PartBlocks = 4_096;
    private const int LinesRemembered = 8_192;
    private const int ProblemsMax = 20;

    /// <summary>Takes a dump into the folder of a node that does not run.</summary>
    /// <exception cref="NodeStartException">There is no node, it runs, or its database cannot be used.</exception>
    /// <exception cref="DumpException">A line cannot be read; what came before it is kept.</exception>
    public static async Task<ImportReport> IntoFolderAsync(
        string data, Stream stream, ImportOptions options, string? passphrase = null, IProgress<(long Blocks, long Bytes)>? progress = null, CancellationToken cancellation = default)
    {
        if (DataFolder.Look(data) is null) throw new NodeStartException($"There is no node in {Path.GetFullPath(data)} yet. Make one: polder run --data {data}");
        using var folder = DataFolder.Open(data);
        PublicKey owner;
        if ((File.Exists(folder.DatabasePath) ? SqliteBlockStore.OwnerOf(folder.DatabasePath) : null) is { } known) owner = known;
        else
        {
            using var pair = KeyFile.Read(folder.KeyPath, passphrase);
            owner = pair.Public;
        }
        using var store = SqliteBlockStore.Open(folder.DatabasePath, owner.Bytes, TimeProvider.System.GetUtcNow(), bulk: true);
        return await RunAsync(store, owner, stream, options, progress, cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes a dump into a store that nobody else uses meanwhile.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="owner">Whose chain is judged however the options are; null for a store without an own chain.</param>
    /// <param name="stream">The dump.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told blocks and bytes read so far.</param>
    /// <param name="cancellation">Ends it early; what was taken in stays.</param>
    /// <exception cref="DumpException">A line cannot be read; what came before it is kept.</exception>
    public static async Task<ImportReport> RunAsync(
        IBlockStore store, PublicKey? owner, Stream stream, ImportOptions options, IProgress<(long Blocks, long Bytes)>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        var run = new Run(store, owner, new DumpReader(stream) { SkipsBroken = options.SkipsBroken }, progress, cancellation);
        try
        {
            if (options.IsVerified) await Task.Run(run.TakeVerified, cancellation).ConfigureAwait(false);
            else await run.JudgeAsync(options.Workers).ConfigureAwait(false);
        }
        finally { await store.FlushAsync().ConfigureAwait(false); }
        return run.Report();
    }

    /// <summary>What is wrong with a proof; null when it proves what it says. A proposal that it lacks may be in the store.</summary>
    internal static string? FaultOf(FraudProof proof, IBlockStore store)
    {
        if (proof is { Kind: FraudKind.DoubleCountersign, Proposal: null } && store.Get(proof.First.LinkKey, proof.First.LinkSequence) is { } proposal)
            proof = proof with { Proposal = proposal };
        return FraudRules.FaultOf(proof, Ed25519Signatures.Instance) is var fault and not FraudFault.None ? FraudRules.Words(fault) : null;
    }

    private sealed class Run(IBlockStore store, PublicKey? owner, DumpReader reader, IProgress<(long Blocks, long Bytes)>? progress, CancellationToken cancellation)
    {
        private readonly BlockValidator _validator = Rules();
        private readonly Queue<(HalfBlock Block, long Line)> _lines = new();
        private readonly List<string> _problems = [];
        private long _read, _kept, _invalid;
        private int _frauds;

        /// <summary>Every block judged, signatures on the workers.</summary>
        public async Task JudgeAsync(int workers)
        {
            var loop = new ThreadLoop("polder import");
            await using (loop.ConfigureAwait(false))
            {
                var environment = new NodeEnvironment(
                    loop, new LoopTimeProvider(TimeProvider.System, loop), new Prng(1), NoSocket.Instance, new ThreadPoolWorkers(loop, workers), Ed25519Signatures.Instance);
                var result = await loop.InvokeAsync(() => new BlockIngest(environment, store, _validator, null, null, Refuse).RunAsync(Blocks(remember: true))).ConfigureAwait(false);
                (_kept, _invalid) = (result.Kept, _invalid + result.Invalid);
            }
        }

        /// <summary>Only what can be seen without arithmetic is looked at, but for the own chain.</summary>
        public void TakeVerified()
        {
            var before = store.Count;
            var part = new List<HalfBlock>(PartBlocks);
            foreach (var block in Blocks(remember: false))
            {
                if (block.Sequence == 0 || !PublicKey.HasRightForm(block.PublicKey)) Refuse(block, "its key or number is not that of a block");
                else if (block.Transaction.Length > Ledger.Limits.TransactionBytesMax || block.Type.Length > Ledger.Limits.TypeBytesMax)
                    Refuse(block, $"it is larger than what is kept: a transaction has at most {Ledger.Limits.TransactionBytesMax} bytes, a type {Ledger.Limits.TypeBytesMax}");
                else if (owner is not null && block.PublicKey.SequenceEqual(owner.Bytes) && Judge(block) is { } fault) Refuse(block, fault);
                else
                {
                    // Worked out here, not on the thread that writes.
                    _ = block.Hash;
                    part.Add(block);
                    if (part.Count < PartBlocks) continue;
                    store.AddRange(part);
                    part = new List<HalfBlock>(PartBlocks);
                    continue;
                }
                _invalid++;
            }
            store.AddRange(part);
            _kept = store.Count - before;

            string? Judge(HalfBlock block)
            {
                store.AddRange(part);
                part = new List<HalfBlock>(PartBlocks);
                return _validator.Validate(block, store) is { IsInvalid: true } verdict ? verdict.Reason : null;
            }
        }

        public ImportReport Report()
        {
            var (gaps, missing) = (0L, 0L);
            foreach (var chain in store.Chains())
            {
                if (chain.Latest <= chain.Blocks) continue;
                gaps++;
                missing += chain.Latest - chain.Blocks;
                if (gaps == 1 && _problems.Count < ProblemsMax)
                    _problems.Add(string.Create(CultureInfo.InvariantCulture,
                        $"The chain of {NameOf(chain.Key.Span)} has {chain.Blocks} of {chain.Latest} blocks: the first that is missing is number {store.LowestUnknown(chain.Key.Span)}."));
            }
            if (reader.FirstBroken is { } broken) _problems.Insert(0, string.Create(CultureInfo.InvariantCulture, $"Line {broken.Line} was passed over: {broken.Problem}."));
            return new ImportReport(_kept, _read - _kept - _invalid, _invalid, _frauds, reader.Broken, gaps, missing, _problems, reader.FoundForm ?? "an empty file");
        }

        private static string NameOf(ReadOnlySpan<byte> key) => PublicKey.TryParse(key, out var known) ? known.ShortName : Convert.ToHexStringLower(key[..8]);

        private static BlockValidator Rules()
        {
            var validator = new BlockValidator(Ed25519Signatures.Instance);
            validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
            return validator;
        }

        private IEnumerable<HalfBlock> Blocks(bool remember)
        {
            foreach (var entry in reader.Read())
            {
                if (entry.Fraud is { } fraud)
                {
                    if (FaultOf(fraud, store) is { } fault)
                    {
                        _invalid++;
                        _read++;
                        Problem(entry.Line, $"this proves no fraud: {fault}");
                    }
                    else if (store.AddFraud(fraud)) _frauds++;
                    continue;
                }
                var block = entry.Block!;
                _read++;
                _lines.Enqueue((block, entry.Line));
                if (_lines.Count > (remember ? LinesRemembered : 1)) _lines.Dequeue();
                if ((_read & 0xFFF) == 0)
                {
                    progress?.Report((_read, reader.Bytes));
                    // Blocks that are on their way are taken in; then it ends.
                    if (cancellation.IsCancellationRequested) yield break;
                }
                yield return block;
            }
        }

        private void Refuse(HalfBlock block, string reason)
        {
            if (_problems.Count >= ProblemsMax) return;
            var line = 0L;
            foreach (var known in _lines)
                if (ReferenceEquals(known.Block, block)) line = known.Line;
            Problem(line, $"block {block.Sequence} of {NameOf(block.PublicKey)} is not kept: {reason}");
        }

        private void Problem(long line, string words)
        {
            if (_problems.Count < ProblemsMax) _problems.Add(string.Create(CultureInfo.InvariantCulture, $"Line {line}: {words}."));
        }
    }

    private sealed class NoSocket : IDatagramSocket
    {
        public static NoSocket Instance { get; } = new();
        public Endpoint LocalEndpoint => Endpoint.None;
        public DatagramHandler? Received { get; set; }
        public void Send(Endpoint to, ReadOnlySpan<byte> datagram) { }
    }
}
